/** What the pages of src/runtime/browser offer to the process that opened them, as `window.albertkit`. */
export interface PageApi {
  /** Starts the backend and loads the model. */
  load(request: PageRequest): Promise<PageState>
  /** Runs the model; the values' bytes are base64 of little-endian float32. */
  run(feeds: PageFeeds, names: readonly string[]): Promise<PageValue[]>
}

export type PageBackend = 'wasm' | 'webgpu'

export interface PageRequest {
  readonly backend: PageBackend
  /** URL of the model. */
  readonly model: string
  /** Files that the model names: its external data, by the names that stand in it, with their URLs. */
  readonly data: readonly { readonly path: string; readonly data: string }[]
}

/** What the browser says of an adapter: its GPUAdapterInfo. */
export interface PageAdapter {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
  readonly isFallbackAdapter: boolean
}

export interface PageState {
  readonly version: string
  /** Null on wasm. */
  readonly adapter: PageAdapter | null
  /** Dimensions of the model's input_ids. */
  readonly rank: number
  /** Names of the model's outputs, where the library tells them. */
  readonly outputs: readonly string[]
}

export interface PageFeeds {
  /** `[batch, sequence]`, or `[batch, choices, sequence]`. */
  readonly shape: readonly number[]
  readonly input_ids: readonly number[]
  readonly attention_mask: readonly number[]
  readonly token_type_ids: readonly number[]
}

export interface PageValue {
  readonly shape: readonly number[]
  readonly base64: string
}

/** How a page says that there is no adapter; where this is the reason another launch of the browser may find one. */
export const NO_ADAPTER = 'no WebGPU adapter'

/** Interface of the pages of src/runtime/browser to the process that opened them: `window.albertkit`. */
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
  /** External data of the model: the paths by which the model refers to them, and their URLs. */
  readonly data: readonly { readonly path: string; readonly data: string }[]
}

/** Fields of the browser's GPUAdapterInfo. */
export interface PageAdapter {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
  readonly isFallbackAdapter: boolean
}

export interface PageState {
  readonly version: string
  /** GPU adapter; null on wasm. */
  readonly adapter: PageAdapter | null
  /** Rank of the model's input_ids. */
  readonly rank: number
  /** Names of the model's outputs; empty if the library does not list them. */
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

/** Message of a page that finds no adapter; another launch of the browser may find one then. */
export const NO_ADAPTER = 'no WebGPU adapter'

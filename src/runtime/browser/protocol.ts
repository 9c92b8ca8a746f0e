/** What the page of src/runtime/browser/page.ts offers to the process that opened it, as `window.albertkit`. */
export interface PageApi {
  /** Starts the backend and loads `/model/model.json`. */
  load(backend: 'wasm' | 'webgpu'): Promise<PageState>
  /** Runs the model; the values' bytes are base64 of little-endian float32. */
  run(feeds: PageFeeds, nodes: readonly string[]): Promise<PageValue[]>
}

export interface PageState {
  readonly version: string
  /** Null on wasm. */
  readonly adapter: {
    readonly vendor: string
    readonly architecture: string
    readonly device: string
    readonly description: string
    readonly isFallbackAdapter: boolean
  } | null
  /** Dimensions of the model's input_ids. */
  readonly rank: number
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

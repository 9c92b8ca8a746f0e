export interface BenchRow {
  /** Path relative to the directory. */
  readonly file: string
  readonly runner: string
  readonly threads: number
  readonly batch: number
  readonly length: number
  /** Milliseconds per run: median and 90th percentile. */
  readonly p50: number
  readonly p90: number
  /** Rows and tokens per second, from the median. */
  readonly rowsPerSecond: number
  readonly tokensPerSecond: number
  /** Milliseconds to load the model, including the import of the runtime; each file has a separate process. */
  readonly load: number
  /** Growth of the process in MiB since before the runtime was imported; null if a browser runs the model. */
  readonly memory: number | null
}

export interface BenchReport {
  /** False if a median exceeds the largest one that was asked for. */
  readonly ok: boolean
  readonly directory: string
  readonly node: string
  readonly rows: readonly BenchRow[]
  readonly notRun: readonly { readonly runner: string; readonly reason: string }[]
  /** Medians above `maxP50`; absent if it was not given. */
  readonly missed?: readonly string[]
  /** Contents of the directory that the model files do not use. */
  readonly notes: readonly string[]
}

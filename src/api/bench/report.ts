export interface BenchRow {
  /** Relative to the directory. */
  readonly file: string
  readonly runner: string
  readonly threads: number
  readonly batch: number
  readonly length: number
  /** Milliseconds of a run: median, and what nine of ten stay below. */
  readonly p50: number
  readonly p90: number
  /** Rows and tokens a second, by the median. */
  readonly rowsPerSecond: number
  readonly tokensPerSecond: number
  /** Milliseconds until the model was loaded, the runtime's own import with it: each file is loaded in a process of its own. */
  readonly load: number
  /** MiB by which the process grew since before the runtime was imported; null where another one runs the model, a browser. */
  readonly memory: number | null
}

export interface BenchReport {
  readonly ok: true
  readonly directory: string
  readonly node: string
  readonly rows: readonly BenchRow[]
  readonly notRun: readonly { readonly runner: string; readonly reason: string }[]
}

/** What a command did, and what it took. */
export interface MeasuredRun {
  /** Exit code; null if it had to be killed or died of a signal. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Wall time in seconds, less what it waited for a processor: tests run on busy machines. */
  readonly seconds: number
  /** Seconds of computing; Infinity if the process did not end by itself. */
  readonly cpu: number
  /** Peak of its resident memory; Infinity if the process did not end by itself. */
  readonly mebibytes: number
}

export interface MeasuredOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** After so many seconds the process is killed. */
  readonly patience: number
}

/** Runs Node with `args`, measures it, and kills it when it takes too long. */
export function runMeasured(args: readonly string[], options: MeasuredOptions): Promise<MeasuredRun>

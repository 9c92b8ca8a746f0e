import type { Kind } from './kinds.js'
import type { MeasuredRun } from './run.js'

/** What a command takes: seconds of processor time, and MiB. */
export interface Cost {
  readonly cpu: number
  readonly mebibytes: number
}

export interface Measured extends Cost {
  readonly size: number
  /** Bytes of the files. */
  readonly bytes: number
  readonly code: number | null
  readonly allowed: Cost
  /** First line that was printed. */
  readonly said: string
}

/** MiB of a process that reads a tiny model, and of one that reads a tiny vocabulary. */
export function baselines(): Promise<{ readonly inspect: number; readonly tokenize: number }>

/** Measures a kind at a size; memory is what is taken beyond `base` MiB. */
export function measure(kind: Kind, size: number, base: number): Promise<Measured>

import type { TensorSource } from '../src/formats/core/source.js'

export interface WriteOptions {
  /** Rows of a slice, where a variable is to be partitioned along its first axis. */
  readonly rows?: number
}

/** Writes float32 variables as a V1 checkpoint of one file. */
export function writeV1(path: string, source: TensorSource, options?: WriteOptions): void

/** Writes float32 variables as the constants of a frozen graph. */
export function writeGraphDef(path: string, source: TensorSource): void

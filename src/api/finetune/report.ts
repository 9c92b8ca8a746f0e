import type { ResolvedTask } from '../../model/tasks.js'

/** A training step. */
export interface StepReport {
  /** Number of the step, from 1. */
  readonly step: number
  readonly loss: number
  /** Global norm of the gradients before clipping. */
  readonly gradientNorm: number
  readonly learningRate: number
}

/** Variables of a training run. */
export interface VariablesReport {
  readonly trained: number
  readonly frozen: number
  /** Elements of the trained variables. */
  readonly parameters: number
  /** Names of variables that the source lacks, which start from random values. */
  readonly created: readonly string[]
}

/** Report of a run over batches that are given. */
export interface BatchesReport {
  readonly ok: boolean
  readonly model: string
  readonly family: string
  readonly task: ResolvedTask
  readonly optimizer: string
  /** Runtime, version and device. */
  readonly runner: string
  readonly variables: VariablesReport
  readonly steps: readonly StepReport[]
  /** Directory of the checkpoint; null if none was asked for. */
  readonly output: string | null
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  readonly notes: readonly string[]
}

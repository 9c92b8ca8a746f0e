import type { Diagnosis } from '../../training/diagnosis.js'
import type { MetricName, TrainTask } from './train-tasks.js'
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

/** An evaluation during training. */
export interface EvaluationPoint {
  readonly step: number
  readonly metrics: Readonly<Partial<Record<MetricName, number>>>
  /** True if it is the best so far. */
  readonly best: boolean
}

/** A training step, and how fast training goes. */
export interface StepProgress extends StepReport {
  readonly totalSteps: number
  /** Share of right answers in the batch; null for a regression. */
  readonly accuracy: number | null
  readonly examplesPerSecond: number
  readonly secondsLeft: number
}

/** Callbacks of a training run. */
export interface TrainEvents {
  /** Called once the model and the data are read. */
  readonly onStart?: (start: Pick<TrainReport, 'model' | 'family' | 'runner' | 'variables' | 'totalSteps'>) => void
  readonly onStep?: (step: StepProgress) => void
  readonly onEvaluation?: (evaluation: EvaluationPoint) => void
  readonly onDiagnosis?: (diagnosis: Diagnosis) => void
  readonly onNote?: (note: string) => void
}

/** Report of a training run. */
export interface TrainReport {
  /** False if training stopped because a loss was not finite. */
  readonly ok: boolean
  readonly model: string
  readonly family: string
  readonly task: TrainTask
  readonly optimizer: string
  readonly runner: string
  readonly seed: number
  readonly labels: readonly string[]
  readonly variables: VariablesReport
  readonly train: { readonly file: string; readonly examples: number; readonly bad: number; readonly truncated: number }
  readonly dev: { readonly file: string; readonly examples: number; readonly bad: number } | null
  readonly totalSteps: number
  /** Steps that were taken: fewer than `totalSteps` after early stopping. */
  readonly steps: readonly StepReport[]
  readonly evaluations: readonly EvaluationPoint[]
  /** Step whose weights were written; null if none were. */
  readonly bestStep: number | null
  readonly metrics: Readonly<Partial<Record<MetricName, number>>> | null
  readonly diagnoses: readonly Diagnosis[]
  /** Conversion of the trained model; null if none was asked for, or nothing was written. */
  readonly exported: { readonly ok: boolean; readonly output: string; readonly targets: readonly string[] } | null
  readonly output: string
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  readonly notes: readonly string[]
}

import type { DiagnosisCode } from '../../training/diagnosis.js'
import type { TrainReport } from '../finetune/report.js'
import type { Settings } from '../finetune/settings.js'
import type { MetricName } from '../finetune/train-tasks.js'

/** Result of a trial: a line of its shard. Without times, so that the same trial gives the same bytes. */
export interface TrialResult {
  /** Number of the trial, from 1, in the order of the grid. */
  readonly trial: number
  /** Settings that the grid gives it. */
  readonly settings: Settings
  /** Metrics of the best evaluation; null if the loss was not finite and nothing was written. */
  readonly metrics: TrainReport['metrics']
  /** Steps of the whole run, steps that were taken, and the step whose weights were written. */
  readonly steps: { readonly total: number; readonly taken: number; readonly best: number | null }
  readonly diagnoses: readonly DiagnosisCode[]
  /** Folder of the trained model, in the directory of the sweep; null if nothing was written. */
  readonly folder: string | null
  /** Contents of the source that are left out. */
  readonly notes: readonly string[]
}

/** The trials of a sweep, the best first. */
export interface MergedSweep {
  readonly command: 'finetune'
  readonly shards: number
  /** Metric that decides, and which of its values are better. */
  readonly metric: { readonly name: MetricName; readonly better: 'highest' | 'lowest' }
  readonly trials: readonly TrialResult[]
  /** The best trial; null if none has a finite loss. */
  readonly best: TrialResult | null
}

import type { ResolvedTask } from '../../model/tasks.js'
import type { ProblemType } from '../../model/problem-type.js'
import type { LossKind } from '../../training/loss.js'

/** Tasks that a model can be trained for. */
export interface TrainTaskRow {
  /** Task of the model: decides its head. */
  readonly task: ResolvedTask
  readonly loss: LossKind
  /** transformers' `problem_type`; null for classes that exclude each other. */
  readonly problemType: ProblemType | null
  /** Metrics of an evaluation, the first decides which checkpoint is the best. */
  readonly metrics: readonly MetricName[]
}

/** Metrics by their names; `loss` and `mse` are better if they are lower. */
export const METRICS = ['accuracy', 'f1', 'mse', 'pearson', 'loss'] as const
export type MetricName = (typeof METRICS)[number]
export const isLowerBetter = (metric: MetricName): boolean => metric === 'loss' || metric === 'mse'

export const TRAIN_TASKS = {
  classify: { task: 'classify', loss: 'softmax', problemType: null, metrics: ['accuracy', 'loss'] },
  'multi-label': {
    task: 'classify',
    loss: 'sigmoid',
    problemType: 'multi_label_classification',
    metrics: ['f1', 'accuracy', 'loss'],
  },
  regression: { task: 'classify', loss: 'squared', problemType: 'regression', metrics: ['mse', 'pearson', 'loss'] },
  'token-classification': {
    task: 'token-classification',
    loss: 'softmax',
    problemType: null,
    metrics: ['accuracy', 'loss'],
  },
  // Its accuracy counts answers whose first and last token are both right.
  qa: { task: 'qa', loss: 'spans', problemType: null, metrics: ['accuracy', 'loss'] },
} as const satisfies Readonly<Record<string, TrainTaskRow>>

export type TrainTask = keyof typeof TRAIN_TASKS
export const TRAIN_TASK_NAMES = Object.keys(TRAIN_TASKS) as readonly TrainTask[]
export const trainTaskRow = (task: TrainTask): TrainTaskRow => TRAIN_TASKS[task]

import type { Abortable } from '../../base/abort.js'
import type { TargetChoice } from '../../base/target-choice.js'
import type { InputFormat } from '../../text/data/examples.js'
import type { OptimizerName } from '../../training/optimizer.js'
import type { Freezable } from '../../training/rules.js'
import type { OpenModelOptions } from '../open/open.js'
import type { TrainRunner } from './train-runners.js'
import type { MetricName, TrainTask } from './train-tasks.js'
import type { TrainEvents } from './report.js'

/** Files of labelled examples. */
export interface TrainData {
  readonly train: string
  /** Evaluated during training and at its end. */
  readonly dev?: string | undefined
}

export interface TrainOptions extends Omit<OpenModelOptions, 'task' | 'files'>, Abortable, TrainEvents {
  /** Directory of the trained model. */
  readonly output: string
  /** Default `classify`. */
  readonly task?: TrainTask
  /** Class names in the order of the head; default: the model's own if it has those of the file, else those of the file. */
  readonly labels?: readonly string[]
  /** Passes over the training file; default 3. */
  readonly epochs?: number
  /** Examples of a batch; default 32. */
  readonly batchSize?: number
  /** Batches whose gradients are summed for one step; default 1. */
  readonly accumulate?: number
  /** Steps instead of epochs. */
  readonly steps?: number
  /** Rate at the end of warm-up; default 2e-5. */
  readonly learningRate?: number
  /** Part of the steps in which the rate rises; default 0.1. */
  readonly warmup?: number
  /** Default 0.01; LayerNorms and biases have none. */
  readonly weightDecay?: number
  /** Default `adamw`. */
  readonly optimizer?: OptimizerName
  /** Factor of the learning rate from each layer to the one below it; 1 if left out. */
  readonly layerwiseDecay?: number
  /** Part that is not trained. */
  readonly freeze?: Freezable
  /** Probability of dropping a value; default that of the configuration, and 0.1 before the classifier. */
  readonly dropout?: number
  /** Decides the initial head, the order of examples and the dropout masks; default 0. */
  readonly seed?: number
  /** Threads inside an operation; default 2. The result does not depend on it. */
  readonly threads?: number
  /** Runtime of the training steps; default `onnxruntime`, on the CPU. */
  readonly runner?: TrainRunner
  /** Accept a GPU that the processor pretends to be. */
  readonly allowSoftware?: boolean
  /** Steps between evaluations; default an epoch. */
  readonly evalEvery?: number
  /** Metric that decides the best checkpoint; default the first of the task. */
  readonly metric?: MetricName
  /** Evaluations without a better one after which training stops; default never. */
  readonly patience?: number
  /** Make a new head even if the model has one that fits. */
  readonly newHead?: boolean
  /** Tokens of a text, the rest is truncated; default 128. */
  readonly maxSeqLength?: number
  readonly vocabulary?: string
  readonly lowerCase?: boolean
  readonly inputFormat?: InputFormat
  readonly header?: boolean
  readonly textColumn?: string
  readonly textBColumn?: string
  readonly labelColumn?: string
  /** Continue the interrupted run whose state is in `output`. */
  readonly resume?: boolean
  /** Seconds after which the state is saved again, for `resume`; at the start of a run more often. Default 60. */
  readonly saveEvery?: number
  /** Replace the files of an existing directory. */
  readonly force?: boolean
  /** Formats to convert the trained model to, verified, in the folder `export` of `output`. */
  readonly exports?: readonly TargetChoice[]
  /** Directory for a TensorBoard event file. */
  readonly tensorboard?: string
  /** Files that the caller writes from the report: refused before training if the run reads them. */
  readonly pictures?: readonly string[]
}

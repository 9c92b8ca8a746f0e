import * as Flags from '@oclif/core/flags'
import { TARGET_NAMES } from '../../base/artefact-layout.js'
import type { TrainOptions } from '../../api/finetune/options.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import { numberFlag } from './flags.js'
import { textFlags, tokenizerFlags, besideFlags } from './text-flags.js'

const MOST = 2 ** 31 - 1

/** Flags of training on labelled lines. */
export const trainFlags = {
  train: Flags.string({ description: 'labelled lines to train on (.tsv: label<TAB>text)', helpValue: 'FILE' }),
  dev: Flags.string({ description: 'labelled lines to evaluate on', helpValue: 'FILE', dependsOn: ['train'] }),
  task: Flags.string({
    description:
      'what is learnt: classes; several classes of a text (a,b); numbers; a tag for each word (CoNLL columns); ' +
      'answers within a paragraph (SQuAD, .json)',
    options: ['classify', 'multi-label', 'regression', 'token-classification', 'qa'],
    default: 'classify',
  }),
  epochs: numberFlag('epochs', 'passes over the training lines; default 3', [1e-6, 1e6]),
  'batch-size': Flags.integer({ description: 'lines of a batch; default 32', min: 1, max: 65536, helpValue: 'N' }),
  accumulate: Flags.integer({
    description: 'batches whose gradients are summed for one step, for large batches in little memory; default 1',
    min: 1,
    max: 65536,
    helpValue: 'N',
  }),
  'learning-rate': numberFlag('learning-rate', 'learning rate after warm-up; default 2e-5', [0, 1e9]),
  warmup: numberFlag('warmup', 'part of the steps in which the rate rises; default 0.1', [0, 1]),
  'weight-decay': numberFlag('weight-decay', 'weight decay; default 0.01', [0, 1]),
  optimizer: Flags.string({ description: 'default adamw', options: ['adamw', 'lamb'] }),
  'layerwise-decay': numberFlag(
    'layerwise-decay',
    'factor of the learning rate from each layer to the one below',
    [0, 1],
  ),
  freeze: Flags.string({
    description: 'part that is not trained; encoder: all but the pooler and the head',
    options: ['embeddings', 'encoder'],
  }),
  dropout: numberFlag(
    'dropout',
    'probability of dropout; default: as the configuration says, 0.1 before the head',
    [0, 1],
  ),
  'new-head': Flags.boolean({ description: 'start from a new head even if the model has one that fits' }),
  'eval-every': Flags.integer({ description: 'steps between evaluations; default: an epoch', min: 1, max: MOST }),
  metric: Flags.string({
    description: 'metric of the best checkpoint, which is kept; default: the first that the task has',
    options: ['accuracy', 'f1', 'mse', 'pearson', 'loss'],
  }),
  patience: Flags.integer({
    description: 'evaluations without a better one after which training stops; default: never',
    min: 1,
    max: MOST,
  }),
  resume: Flags.boolean({ description: 'continue the interrupted run in -o; bit for bit as if it had not been' }),
  'save-every': numberFlag(
    'save-every',
    'seconds after which the state is saved again, for --resume; default 60',
    [1, 1e6],
  ),
  export: Flags.string({
    description: 'convert the result to this format as `convert` does, verified, into DIR/export; may be repeated',
    options: [...TARGET_NAMES],
    multiple: true,
    multipleNonGreedy: true,
  }),
  tensorboard: Flags.string({ description: 'write a TensorBoard event file into this directory', helpValue: 'DIR' }),
  labels: Flags.string({
    description: "file of class names, one per line; default: the model's own, or those of the training lines",
    helpValue: 'FILE',
  }),
  ...tokenizerFlags,
  vocab: besideFlags.vocab,
  'max-seq-length': textFlags['max-seq-length'],
  'input-format': Flags.string({
    description: 'format of the lines; default: by the file name',
    options: ['tsv', 'csv', 'jsonl'],
  }),
  header: textFlags.header,
  'text-column': textFlags['text-column'],
  'text-b-column': textFlags['text-b-column'],
  'label-column': textFlags['label-column'],
}

/** Values of these flags. */
interface TrainFlagValues {
  readonly [name: string]: unknown
  readonly task: string
  readonly seed: number
  readonly force: boolean
}

/** Options of `trainModel` for the flags; `labels` and `output` are the caller's. */
export function trainOptions(flags: TrainFlagValues): Omit<TrainOptions, 'output' | 'labels'> {
  const { task, seed, force, epochs, accumulate, warmup, optimizer, freeze, dropout, metric, patience, resume } = flags
  return omitUndefined({
    task,
    seed,
    force,
    epochs,
    accumulate,
    warmup,
    optimizer,
    freeze,
    dropout,
    metric,
    patience,
    resume,
    steps: flags.steps,
    threads: flags.threads,
    runner: flags.runner,
    allowSoftware: flags['allow-software'],
    batchSize: flags['batch-size'],
    learningRate: flags['learning-rate'],
    weightDecay: flags['weight-decay'],
    layerwiseDecay: flags['layerwise-decay'],
    newHead: flags['new-head'],
    saveEvery: flags['save-every'],
    evalEvery: flags['eval-every'],
    exports: flags.export,
    tensorboard: flags.tensorboard,
    vocabulary: flags.vocab,
    lowerCase: flags.cased === undefined ? undefined : flags.cased !== true,
    maxSeqLength: flags['max-seq-length'],
    inputFormat: flags['input-format'],
    header: flags.header === true ? true : undefined,
    textColumn: flags['text-column'],
    textBColumn: flags['text-b-column'],
    labelColumn: flags['label-column'],
  }) as Omit<TrainOptions, 'output' | 'labels'>
}

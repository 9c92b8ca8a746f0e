import { usage } from '../../base/errors.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { NO_DROPOUT, type DropoutRates } from '../../training/dropout-sites.js'
import type { TextJob } from '../inference/job.js'
import { readLabels } from '../labels.js'
import type { OpenedModel } from '../open/open.js'
import { fittingTokenizer } from '../open/tokenizer.js'
import { labelsIn, readExamples, type ExampleSet } from './examples.js'
import type { LabelledExample } from './labelled.js'
import { targetValues, type TargetSet } from './make-batch.js'
import type { TrainData, TrainOptions } from './options.js'
import type { TrainTask } from './train-tasks.js'

/** Data of a run, read and numbered. */
export interface TrainSetup {
  readonly task: TrainTask
  readonly labels: readonly string[]
  readonly train: ExampleSet
  readonly dev: ExampleSet | null
  readonly maxLength: number
  readonly tokenizer: Tokenizer
}

const DEFAULT_LENGTH = 128
/** Examples from which on labels that are nearly all distinct are taken for texts. */
const MANY = 20

/** Refuses labels that cannot be learnt. @throws AlbertkitError `usage` */
function checkLabels({ file, examples }: ExampleSet, labels: readonly string[], task: TrainTask): void {
  if (task === 'regression') {
    const wrong = examples.find(({ labels: own }) => !own.every((label) => Number.isFinite(Number(label))))
    if (wrong === undefined) return
    throw usage(`line ${wrong.line}: the label ${wrong.labels[0] ?? ''} is not a number`, {
      code: 'labels-mismatch',
      file,
      hint: '`labelColumn` names the column of the values',
    })
  }
  if (examples.length >= MANY && labels.length > examples.length / 2)
    throw usage(`the ${examples.length} examples have ${labels.length} different labels: these look like texts`, {
      code: 'labels-mismatch',
      file,
      hint: 'the label is read from the wrong column? `labelColumn` and `textColumn` name them, `header` a header',
    })
  if (labels.length === 1 && task !== 'multi-label')
    throw usage(`all examples have the label ${labels[0] ?? ''}: there is nothing to tell apart`, {
      code: 'labels-mismatch',
      file,
      hint: 'is the label read from the right column (`labelColumn`), and is the file complete?',
    })
}

/** Class names of a run: as given, the model's own if it knows all of the file, else those of the file. */
function chooseLabels(opened: OpenedModel, train: ExampleSet, options: TrainOptions, task: TrainTask): string[] {
  if (task === 'regression' || task === 'qa') return []
  const found = labelsIn(train)
  checkLabels(train, found, task)
  if (options.labels !== undefined) return [...options.labels]
  const own = readLabels(opened)
  return own !== null && found.every((label) => own.includes(label)) ? [...own] : found
}

const jobOf = (options: TrainOptions): Omit<TextJob, 'input'> => {
  const { inputFormat, header, textColumn, textBColumn, labelColumn } = options
  return { model: '', format: 'jsonl', inputFormat, header, textColumn, textBColumn, labelColumn }
}

/** Reads tokenizer, examples and labels. @throws AlbertkitError `usage`, `malformed` */
export async function readSetup(opened: OpenedModel, data: TrainData, options: TrainOptions): Promise<TrainSetup> {
  const { task = 'classify', vocabulary, lowerCase } = options
  const { vocab_size, type_vocab_size, max_position_embeddings: positions } = opened.config
  const tokenizer = fittingTokenizer(opened, omitUndefined({ vocabulary, lowerCase }))
  const maxLength = options.maxSeqLength ?? Math.min(DEFAULT_LENGTH, positions)
  if (maxLength > positions || maxLength < 3)
    throw usage(`\`maxSeqLength\` is ${maxLength}, and the model takes 3 to ${positions} tokens`, {
      code: maxLength < 3 ? 'option-invalid' : 'sequence-too-long',
    })
  const limits = { vocabulary: vocab_size, segments: type_vocab_size, positions }
  const known = task === 'multi-label' ? (options.labels ?? readLabels(opened)) : null
  const reading = { task, known, tokenizer, limits, maxLength, job: jobOf(options) }
  const train = await readExamples(data.train, reading)
  const dev = data.dev === undefined ? null : await readExamples(data.dev, reading)
  return { task, labels: chooseLabels(opened, train, options, task), train, dev, maxLength, tokenizer }
}

/** Numbers the labels of examples; examples with an unknown label are left out. */
export function targetSet({ task, labels }: TrainSetup, { examples }: ExampleSet): TargetSet {
  const isKnown = ({ labels: own }: LabelledExample): boolean =>
    task === 'regression' || own.every((label) => label === null || labels.includes(label))
  const known = examples.filter(isKnown)
  return {
    task,
    examples: known,
    targets: known.map((example) => targetValues(task, example.labels, labels)),
    classes: labels.length === 0 ? 1 : labels.length,
  }
}

/** Number of classes of the head of a run; 1 for a regression. */
export const classesOf = ({ labels }: TrainSetup): number => Math.max(1, labels.length)

/** run_classifier's dropout before the classifier. */
const CLASSIFIER_DROPOUT = 0.1

const rate = (value: unknown): number | null => (typeof value === 'number' && value >= 0 && value < 1 ? value : null)

/** Dropout of a run: one rate for all places, or those of the configuration. */
export function dropoutOf({ rawConfig, config }: OpenedModel, dropout: number | undefined): DropoutRates {
  if (dropout !== undefined) return { hidden: dropout, attention: dropout, classifier: dropout }
  const { fields } = rawConfig
  const hidden = rate(fields.hidden_dropout_prob) ?? (config.architecture === 'bert' ? 0.1 : NO_DROPOUT.hidden)
  const attention = rate(fields.attention_probs_dropout_prob) ?? hidden
  const classifier = rate(fields.classifier_dropout) ?? rate(fields.classifier_dropout_prob) ?? CLASSIFIER_DROPOUT
  return { hidden, attention, classifier }
}

/** True if the labels of a run are classes that exclude each other. */
export const hasClasses = ({ labels }: TrainSetup): boolean => labels.length > 0

import { largestOf } from '../../base/largest.js'
import { usage } from '../../base/errors.js'
import type { ResolvedTask } from '../../model/tasks.js'
import { isBad, type BadLine, type Example } from '../../text/data/examples.js'
import { float32Number } from '../../text/data/numbers.js'
import { entriesOf, givenEntries, givenExample, type GivenText } from '../inference/entries.js'
import { usable, type AnswerOptions } from '../inference/answers.js'
import { embedEntries, openEmbedder } from '../inference/embed.js'
import type { VectorOptions } from '../inference/sentence/read-vectors.js'
import { openTextModel } from '../inference/model.js'
import type { TextModel, TextModelOptions } from '../inference/text-model.js'
import { labelsFor, predictEntries } from '../inference/predict.js'
import { fillAllMasks } from '../inference/masked.js'
import { ordersOf } from '../inference/single.js'
import type { FilledMask, SentenceOrder } from '../inference/report.js'
import { windowsOf } from '../inference/qa/entries.js'
import { answerEntries, type PassageAnswer } from '../inference/qa/predict-answers.js'
import { taggingExample } from '../inference/tags/entries.js'
import { tagEntries, type Tagging } from '../inference/tags/predict-tags.js'

/** Class of a text, or of a pair of texts. */
export interface Classification {
  /** Most probable label. */
  readonly label: string
  readonly probability: number
  /** Probability of every label, in the order of the model's outputs. */
  readonly probabilities: Readonly<Record<string, number>>
}

/** Tokens of a text with their tags, and the spans that `B-` and `I-` tags make. */
export type TokenTags = Pick<Tagging, 'tokens' | 'spans'>

/** Question and the passage that answers it. */
export interface QuestionInput {
  readonly question: string
  readonly context: string
}

/** Best span of the passage. */
export type SpanAnswer = Pick<PassageAnswer, 'answer' | 'start' | 'end' | 'probability' | 'nullDifference'>

/** Inputs and results of each pipeline. */
export interface PipelineTasks {
  readonly classify: { readonly input: string | readonly [string, string]; readonly output: Classification }
  /** Text with at least one `[MASK]`; candidates for each. */
  readonly 'fill-mask': { readonly input: string; readonly output: readonly FilledMask[] }
  /** Vector of a text, `[hidden_size]`. */
  readonly embed: { readonly input: string; readonly output: Float32Array }
  /** Two texts. */
  readonly 'sentence-order': { readonly input: readonly [string, string]; readonly output: SentenceOrder }
  readonly 'token-classification': { readonly input: string; readonly output: TokenTags }
  readonly 'question-answering': { readonly input: QuestionInput; readonly output: SpanAnswer }
}

export type PipelineTask = keyof PipelineTasks

/** `pooling`, `prompt` and `promptName` are for `embed`. */
export interface PipelineOptions extends Omit<TextModelOptions, 'hash' | 'task' | 'vectors'>, VectorOptions {
  /** Texts per batch; default 32. */
  readonly batch?: number
  /** Number of sessions, each in its own thread; default one per core, as far as memory allows. */
  readonly threads?: number
  /** `fill-mask`: candidates for each mask; default 5. */
  readonly top?: number
}

/** Open model that answers lists of inputs; call `close`, or declare it with `await using`. */
export interface Pipeline<T extends PipelineTask> extends AsyncDisposable {
  /** Results in the order of the inputs. */
  (inputs: readonly PipelineTasks[T]['input'][]): Promise<PipelineTasks[T]['output'][]>
  readonly task: T
  readonly model: TextModel
  close(): Promise<void>
}

type Pair = readonly [string, string]
type Answer<T extends PipelineTask> = (
  model: TextModel,
  inputs: readonly PipelineTasks[T]['input'][],
  options: PipelineOptions,
) => Promise<PipelineTasks[T]['output'][]>

interface Row<T extends PipelineTask> {
  readonly inputs: 'texts' | 'pairs' | 'both' | 'questions'
  readonly open: (path: string, options: PipelineOptions) => Promise<TextModel>
  readonly answer: Answer<T>
}

/** One text or two, as examples have them. */
function textsOf(input: string | Pair): GivenText {
  const [text, textB] = typeof input === 'string' ? [input, null] : input
  return { text, textB }
}

const answerOptions = ({ batch, threads }: PipelineOptions): AnswerOptions => ({
  ...(batch === undefined ? {} : { batch }),
  ...(threads === undefined ? {} : { threads }),
})

const classify: Answer<'classify'> = (model, inputs, options) =>
  usable(predictEntries(model, givenEntries(inputs.map(textsOf)), answerOptions(options)), (one) => {
    const labels = labelsFor(model, one.probabilities.length)
    const probabilities = one.probabilities.map(float32Number)
    return {
      label: one.label,
      probability: largestOf(probabilities),
      probabilities: Object.fromEntries(labels.map((label, i) => [label, probabilities[i]!])),
    }
  })

const embed: Answer<'embed'> = (model, inputs, options) =>
  usable(embedEntries(model, givenEntries(inputs.map(textsOf)), answerOptions(options)), ({ vector }) => vector.slice())

const tags: Answer<'token-classification'> = (model, inputs, options) => {
  function* examples(): Generator<Example | BadLine> {
    for (const [i, text] of inputs.entries()) yield taggingExample(model, givenExample(textsOf(text), i + 1))
  }
  const found = tagEntries(model, entriesOf(examples()), answerOptions(options))
  return usable(found, ({ tokens, spans }) => ({ tokens, spans }))
}

const answerQuestions: Answer<'question-answering'> = (model, inputs, options) => {
  function* windows(): Generator<Example> {
    for (const [i, { question, context }] of inputs.entries()) {
      const given = { id: null, question, context, answers: null }
      const tokens = model.tokenizer.encode(context)
      for (const item of windowsOf(model, i + 1, given, tokens, { maxLength: model.maxLength })) {
        if (isBad(item)) throw usage(item.reason, { code: 'text-unusable' })
        yield item
      }
    }
  }
  const found = answerEntries(model, entriesOf(windows()), answerOptions(options))
  return usable(found, ({ answer, start, end, probability, nullDifference }) => ({
    answer,
    start,
    end,
    probability,
    nullDifference,
  }))
}

/** Single texts may be as long as the model allows. */
const whole = (options: PipelineOptions): PipelineOptions => ({ maxSeqLength: Infinity, ...options })

const openTask = (task: ResolvedTask, path: string, options: PipelineOptions): Promise<TextModel> =>
  openTextModel(path, task, undefined, options)

const ROWS: { readonly [T in PipelineTask]: Row<T> } = {
  classify: {
    inputs: 'both',
    open: (path, options) => openTask('classify', path, options),
    answer: classify,
  },
  'fill-mask': {
    inputs: 'texts',
    open: (path, options) => openTask('mlm', path, whole(options)),
    answer: (model, inputs, options) =>
      fillAllMasks(model, inputs, { ...answerOptions(options), top: options.top ?? 5 }),
  },
  embed: {
    inputs: 'texts',
    open: (path, options) => openEmbedder(path, options),
    answer: embed,
  },
  'sentence-order': {
    inputs: 'pairs',
    open: (path, options) => openTask('sop', path, whole(options)),
    answer: (model, inputs, options) => ordersOf(model, inputs, answerOptions(options)),
  },
  'token-classification': {
    inputs: 'texts',
    open: (path, options) => openTask('token-classification', path, whole(options)),
    answer: tags,
  },
  'question-answering': {
    inputs: 'questions',
    open: (path, options) => openTask('qa', path, options),
    answer: answerQuestions,
  },
}

export const PIPELINE_TASKS = Object.keys(ROWS) as readonly PipelineTask[]

const isText = (input: unknown): boolean => typeof input === 'string'
const isPair = (input: unknown): boolean => Array.isArray(input) && input.length === 2 && input.every(isText)
const isQuestion = (input: unknown): boolean =>
  typeof input === 'object' &&
  input !== null &&
  'question' in input &&
  'context' in input &&
  isText(input.question) &&
  isText(input.context)
const TAKES = {
  texts: { fits: isText, words: 'strings' },
  pairs: { fits: isPair, words: 'pairs of strings' },
  both: { fits: (input: unknown) => isText(input) || isPair(input), words: 'strings or pairs of strings' },
  questions: { fits: isQuestion, words: '{ question, context }' },
} as const

function checkInputs(task: string, inputs: unknown, kind: keyof typeof TAKES): void {
  const { fits, words } = TAKES[kind]
  if (!Array.isArray(inputs) || !inputs.every(fits))
    throw usage(`${task} takes an array of ${words}`, { code: 'option-invalid' })
}

/**
 * Opens a model for one task in the fastest installed runtime; the result is a function on lists of texts:
 * `const classify = await pipeline('classify', folder); await classify(['…'])`.
 * @param path model, or artefact that `convertModel` wrote, with its vocabulary next to it
 * @throws AlbertkitError `usage` if the task is unknown, the head or vocabulary is absent, or an input has another
 *   type; else as `openTextModel`
 */
export async function pipeline<T extends PipelineTask>(
  task: T,
  path: string,
  options: PipelineOptions = {},
): Promise<Pipeline<T>> {
  if (!Object.hasOwn(ROWS, task))
    throw usage(`there is no pipeline ${task}`, {
      code: 'name-unknown',
      hint: `pipelines: ${PIPELINE_TASKS.join(', ')}`,
    })
  const row: Row<T> = ROWS[task]
  const model = await row.open(path, options)
  let closing: Promise<void> | null = null
  const close = (): Promise<void> => (closing ??= model.close())
  const answer = async (inputs: readonly PipelineTasks[T]['input'][]): Promise<PipelineTasks[T]['output'][]> => {
    if (closing !== null) throw usage('the pipeline is closed', { code: 'option-conflict' })
    checkInputs(task, inputs, row.inputs)
    return row.answer(model, inputs, options)
  }
  return Object.assign(answer, { task, model, close, [Symbol.asyncDispose]: close })
}

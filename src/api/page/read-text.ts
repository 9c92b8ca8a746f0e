import { fillMasks, maskedFeatures } from '../inference/masked.js'
import { cosine, orderOf } from '../inference/single.js'
import { usage } from '../../base/errors.js'
import { isBad, type BadLine, type Example } from '../../text/data/examples.js'
import { embedTexts } from '../inference/embed.js'
import { pairMisfit, type Entry } from '../inference/entries.js'
import { labelsFor, predictEntries } from '../inference/predict.js'
import { windowsOf } from '../inference/qa/entries.js'
import { answerEntries } from '../inference/qa/predict-answers.js'
import { taggingExample } from '../inference/tags/entries.js'
import { tagEntries } from '../inference/tags/predict-tags.js'
import type { TextModel } from '../inference/text-model.js'
import { inputTokens, maskedTokens, type InputTokens } from './input-tokens.js'
import { watch } from './watch.js'
import type { PageTask, TextAnswer, TextReading, TextRequest } from './report.js'

/** Second text of a request; null if it is empty. */
const second = ({ textB = null }: TextRequest): string | null => (textB === null || textB.trim() === '' ? null : textB)

/** Entries of one line. */
// eslint-disable-next-line @typescript-eslint/require-await -- read like those of a file
async function* entriesOf(items: Iterable<Example | BadLine>): AsyncGenerator<Entry> {
  for (const item of items) yield { number: 1, item }
}

/** The only answer. @throws AlbertkitError `usage` if the text cannot be used */
async function only<T extends object>(answers: AsyncGenerator<T | BadLine>): Promise<T> {
  const { value } = (await answers.next()) as { readonly value: T | BadLine }
  if (isBad(value)) throw usage(value.reason, { code: 'text-unusable' })
  return value
}

const exampleOf = (request: TextRequest): Example => ({
  line: 1,
  text: request.text,
  textB: second(request),
  label: null,
})

async function classify(model: TextModel, request: TextRequest): Promise<TextAnswer> {
  const reason = second(request) === null ? null : pairMisfit(model.limits)
  if (reason !== null) throw usage(reason, { code: 'text-unusable', field: 'type_vocab_size' })
  const { reading, label, probabilities } = await only(predictEntries(model, entriesOf([exampleOf(request)])))
  return { kind: 'classes', reading, label, labels: labelsFor(model, probabilities.length), probabilities }
}

async function tag(model: TextModel, { text }: TextRequest): Promise<TextAnswer> {
  const example = taggingExample(model, { line: 1, text, textB: null, label: null })
  const { tokens, spans } = await only(tagEntries(model, entriesOf([example])))
  return { kind: 'tags', tokens, spans }
}

async function answerQuestion(model: TextModel, { text, textB }: TextRequest): Promise<TextAnswer> {
  const context = textB ?? ''
  const question = { id: null, question: text, context, answers: null }
  const windows = windowsOf(model, 1, question, model.tokenizer.encode(context), { maxLength: model.maxLength })
  const { answer, start, end, probability } = await only(answerEntries(model, entriesOf(windows)))
  return { kind: 'span', answer, start, end, probability }
}

/** Vectors of the lines of a text, and of its second text. */
async function compareTexts(model: TextModel, request: TextRequest): Promise<TextAnswer> {
  const texts = [...request.text.split('\n'), second(request) ?? ''].filter((line) => line.trim() !== '')
  if (texts.length === 0) throw usage('there is no text', { code: 'text-unusable' })
  const vectors = await embedTexts(model, texts)
  return {
    kind: 'vectors',
    steps: model.vectors?.steps ?? [],
    texts,
    size: vectors[0]!.length,
    cosines: vectors.map((a) => vectors.map((b) => cosine(a, b))),
  }
}

const ANSWERS: Readonly<Record<PageTask, (model: TextModel, request: TextRequest) => Promise<TextAnswer>>> = {
  classify,
  'token-classification': tag,
  qa: answerQuestion,
  mlm: async (model, { text }) => ({ kind: 'masks', masks: await fillMasks(model, text) }),
  sop: async (model, request) => ({
    kind: 'order',
    ...(await orderOf(model, request.text, second(request) ?? '')),
  }),
  features: compareTexts,
}

function tokensOf({ tokenizer, maxLength }: TextModel, request: TextRequest): InputTokens {
  const { text, task } = request
  if (task === 'mlm') return maskedTokens(tokenizer, text, maskedFeatures(tokenizer, text, maxLength))
  if (task === 'features') return inputTokens(tokenizer, text.split('\n')[0] ?? '', null, maxLength)
  return inputTokens(tokenizer, text, task === 'token-classification' ? null : second(request), maxLength)
}

/**
 * Answers what a page asks about a text.
 * @param model opened for the task of the request
 * @throws AlbertkitError `usage` if the text does not fit the task
 */
export async function readText(model: TextModel, request: TextRequest): Promise<Omit<TextReading, 'openMilliseconds'>> {
  const { watched, seen } = watch(model)
  const answer = await ANSWERS[request.task](watched, request)
  const rows = answer.kind === 'masks' ? answer.masks.map(({ position }) => position) : null
  return {
    task: request.task,
    runner: model.runner,
    detail: model.detail,
    answer,
    ...tokensOf(model, request),
    milliseconds: seen.milliseconds,
    values: seen.values(rows),
  }
}

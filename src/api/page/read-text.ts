import { fillMasks, maskedFeatures } from '../inference/masked.js'
import { cosine, orderOf } from '../inference/single.js'
import { usage } from '../../base/errors.js'
import { isBad, type BadLine } from '../../text/data/examples.js'
import { makeFeatures } from '../../text/data/features.js'
import { embedTexts } from '../inference/embed.js'
import { entriesOf, givenEntries, givenExample, pairMisfit } from '../inference/entries.js'
import { labelsFor, predictEntries } from '../inference/predict.js'
import { windowsOf } from '../inference/qa/entries.js'
import { answerEntries } from '../inference/qa/predict-answers.js'
import { taggingExample } from '../inference/tags/entries.js'
import { tagEntries } from '../inference/tags/predict-tags.js'
import type { TextModel } from '../inference/text-model.js'
import { inputTokens, maskedTokens, secondText, type InputTokens } from './input-tokens.js'
import { watch } from './watch.js'
import type { PageTask, TextAnswer, TextReading, TextRequest } from './report.js'

/** The only answer. @throws AlbertkitError `usage` if the text cannot be used */
async function only<T extends object>(answers: AsyncGenerator<T | BadLine>): Promise<T> {
  const { value } = (await answers.next()) as { readonly value: T | BadLine }
  if (isBad(value)) throw usage(value.reason, { code: 'text-unusable' })
  return value
}

async function classify(model: TextModel, request: TextRequest): Promise<TextAnswer> {
  const textB = secondText(request)
  const reason = textB === null ? null : pairMisfit(model.limits)
  if (reason !== null) throw usage(reason, { code: 'text-unusable', field: 'type_vocab_size' })
  const { reading, label, probabilities } = await only(
    predictEntries(model, givenEntries([{ text: request.text, textB }])),
  )
  return { kind: 'classes', reading, label, labels: labelsFor(model, probabilities.length), probabilities }
}

async function tag(model: TextModel, { text }: TextRequest): Promise<TextAnswer> {
  const example = taggingExample(model, givenExample({ text, textB: null }))
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
  const texts = [...request.text.split('\n'), secondText(request) ?? ''].filter((line) => line.trim() !== '')
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
    ...(await orderOf(model, request.text, secondText(request) ?? '')),
  }),
  features: compareTexts,
}

function tokensOf({ tokenizer, maxLength }: TextModel, request: TextRequest): InputTokens {
  const { text, task } = request
  if (task === 'mlm') return maskedTokens(tokenizer, text, maskedFeatures(tokenizer, text, maxLength))
  const a = task === 'features' ? (text.split('\n')[0] ?? '') : text
  const b = task === 'features' || task === 'token-classification' ? null : secondText(request)
  return inputTokens(tokenizer, [a, b], makeFeatures(tokenizer, a, b, maxLength))
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

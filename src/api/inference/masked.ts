import { AlbertkitError, usage } from '../../base/errors.js'
import { answerOf } from '../../model/tasks.js'
import type { BadLine, Example } from '../../text/data/examples.js'
import type { Features } from '../../text/data/features.js'
import type { Line } from '../../text/data/lines.js'
import { float32Number } from '../../text/data/numbers.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { mapAnswers, usable, type AnswerOptions } from './answers.js'
import { maskPositions } from './candidates.js'
import { givenEntries, givenExample, lineEntries, type Entry } from './entries.js'
import type { FilledMask } from './report.js'
import type { TextModel } from './text-model.js'
import { readWindow, rowAt, type Reading } from './window.js'

/** What stands for a token to predict. */
export const MASK = '[MASK]'
/** Bytes of a batch's logits, of which every token has as many as the vocabulary has tokens. */
const MAX_LOGITS = 1 << 26

/** The parts of a text between its masks. */
export const maskedParts = (text: string): readonly string[] => text.split(MASK)

/** Id of the token for a mask. @throws AlbertkitError `usage` if the vocabulary has none */
function maskId({ file, special: { mask } }: Tokenizer): number {
  if (mask === null) throw usage('the vocabulary has no [MASK]', { code: 'task-unavailable', file })
  return mask
}

/** Features of a text with `[MASK]` in place of tokens; the parts between masks are tokenized separately. */
export function maskedFeatures(tokenizer: Tokenizer, text: string, maxLength: number): Features {
  const { cls, sep } = tokenizer.special
  const mask = maskId(tokenizer)
  const parts = maskedParts(text)
  if (parts.length === 1)
    throw usage('there is no [MASK] in the text', {
      code: 'text-unusable',
      hint: 'write [MASK] in place of the token to predict',
    })
  const ids = parts.flatMap((part, i) => [...(i === 0 ? [] : [mask]), ...tokenizer.ids(part)])
  if (ids.includes(mask, maxLength - 2))
    throw usage(`a [MASK] is after the first ${maxLength} tokens, the longest input of the model`, {
      code: 'sequence-too-long',
    })
  const kept = ids.slice(0, maxLength - 2)
  return { input_ids: [cls, ...kept, sep], token_type_ids: Array<number>(kept.length + 2).fill(0) }
}

const readingOf = ({ limits }: TextModel, top: number): Omit<Reading, 'batch'> => ({
  outputs: [answerOf('mlm')],
  reduction: 'masked',
  top,
  tokens: Math.floor(MAX_LOGITS / (4 * limits.vocabulary)),
})

/** Reads what a window gave for the masks of a text: ids and probabilities of the candidates, mask by mask. */
function masksOf(tokenizer: Tokenizer, features: Features, values: Float32Array): FilledMask[] {
  const positions = maskPositions(tokenizer, features)
  const size = values.length / positions.length
  return positions.map((position, i) => {
    const own = values.subarray(i * size, (i + 1) * size)
    const candidates = Array.from({ length: size / 2 }, (_, place) => {
      const id = own[2 * place]!
      return { token: tokenizer.tokenOf(id) ?? '', id, probability: float32Number(own[2 * place + 1]!) }
    })
    return { position, candidates }
  })
}

/**
 * Predicts the most probable tokens for each `[MASK]` of `text`, each mask separately, as in masked-token training.
 * @param top candidates for each mask
 * @throws AlbertkitError `usage` if there is no `[MASK]` among the tokens that the model takes
 */
export async function fillMasks(model: TextModel, text: string, top = 5): Promise<FilledMask[]> {
  const features = maskedFeatures(model.tokenizer, text, model.maxLength)
  const rows = await readWindow(model, [features], { ...readingOf(model, top), batch: 1 })
  return masksOf(model.tokenizer, features, rowAt(rows, 0))
}

/** Options of filling the masks of several texts. */
export interface MaskOptions extends AnswerOptions {
  /** Candidates for each mask; default 5. */
  readonly top?: number | undefined
}

/**
 * Fills the masks of texts, in order, in batches of similar length and several threads.
 * @throws AlbertkitError as `fillMasks`, before any text is read
 */
export async function fillAllMasks(
  model: TextModel,
  texts: readonly string[],
  options: MaskOptions = {},
): Promise<FilledMask[][]> {
  const all = texts.map((text) => maskedFeatures(model.tokenizer, text, model.maxLength))
  const entries = givenEntries(all.map((features, i) => ({ text: texts[i]!, textB: null, features })))
  return usable(filledEntries(model, entries, options), ({ masks }) => masks)
}

/** Line with its masks filled. */
export interface FilledLine {
  readonly line: number
  readonly text: string
  readonly masks: FilledMask[]
}

const filledEntries = (
  model: TextModel,
  entries: AsyncIterable<Entry>,
  { top = 5, ...options }: MaskOptions,
): AsyncGenerator<FilledLine | BadLine> =>
  mapAnswers(model, readingOf(model, top), entries, options, ({ example: { line, text, features }, values }) => ({
    line,
    text,
    masks: masksOf(model.tokenizer, features!, values),
  }))

/** A line as an example, or the reason why its masks cannot be filled. */
function maskedExample({ tokenizer, maxLength }: TextModel, { number: line, text }: Line): Example | BadLine {
  try {
    return { ...givenExample({ text, textB: null }, line), features: maskedFeatures(tokenizer, text, maxLength) }
  } catch (error) {
    if (!(error instanceof AlbertkitError)) throw error
    return { line, reason: error.message, content: text }
  }
}

/**
 * Fills the masks of lines, in order, while they are read.
 * @throws AlbertkitError `usage` if the vocabulary has no mask
 */
export function fillLines(
  model: TextModel,
  lines: AsyncIterable<Line>,
  options: MaskOptions = {},
): AsyncGenerator<FilledLine | BadLine> {
  maskId(model.tokenizer)
  const read = (line: Line) => maskedExample(model, line)
  return filledEntries(model, lineEntries(lines, { options: { format: 'lines' }, read }, model.limits), options)
}

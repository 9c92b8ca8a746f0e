import { usage } from '../../base/errors.js'
import { answerOf } from '../../model/tasks.js'
import type { Features } from '../../text/data/features.js'
import { float32Number } from '../../text/data/numbers.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { answers, usable, type AnswerOptions } from './answers.js'
import { maskPositions } from './candidates.js'
import { givenEntries } from './entries.js'
import type { FilledMask } from './report.js'
import type { TextModel } from './text-model.js'
import { DEFAULT_BATCH, readWindow, rowAt, type Reading } from './window.js'

/** What stands for a token to predict. */
export const MASK = '[MASK]'
/** Bytes of a batch's logits, of which every token has as many as the vocabulary has tokens. */
const MAX_LOGITS = 1 << 26

/** The parts of a text between its masks. */
export const maskedParts = (text: string): readonly string[] => text.split(MASK)

/** Features of a text with `[MASK]` in place of tokens; the parts between masks are tokenized separately. */
export function maskedFeatures(tokenizer: Tokenizer, text: string, maxLength: number): Features {
  const { cls, sep, mask } = tokenizer.special
  if (mask === null) throw usage('the vocabulary has no [MASK]', { code: 'task-unavailable', file: tokenizer.file })
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

const readingOf = (top: number): Omit<Reading, 'batch'> => ({ outputs: [answerOf('mlm')], reduction: 'masked', top })

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
  const rows = await readWindow(model, [features], { ...readingOf(top), batch: 1 })
  return masksOf(model.tokenizer, features, rowAt(rows, 0))
}

/** Rows of a batch whose logits fit into `MAX_LOGITS`. */
function rowsThatFit({ limits }: TextModel, features: readonly Features[]): number {
  const longest = features.reduce((most, { input_ids }) => Math.max(most, input_ids.length), 1)
  return Math.max(1, Math.floor(MAX_LOGITS / (4 * limits.vocabulary * longest)))
}

/**
 * Fills the masks of texts, in order, in batches of similar length and several threads.
 * @throws AlbertkitError as `fillMasks`, before any text is read
 */
export async function fillAllMasks(
  model: TextModel,
  texts: readonly string[],
  { top = 5, ...options }: AnswerOptions & { readonly top?: number } = {},
): Promise<FilledMask[][]> {
  const all = texts.map((text) => maskedFeatures(model.tokenizer, text, model.maxLength))
  const entries = givenEntries(all.map((features, i) => ({ text: texts[i]!, textB: null, features })))
  const batch = Math.min(options.batch ?? DEFAULT_BATCH, rowsThatFit(model, all))
  return usable(answers(model, readingOf(top), entries, { ...options, batch }), ({ example, values }) =>
    masksOf(model.tokenizer, example.features!, values),
  )
}

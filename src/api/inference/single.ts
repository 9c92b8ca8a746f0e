import { usage } from '../../base/errors.js'
import { answerOf, type ResolvedTask } from '../../model/tasks.js'
import { makeBatches } from '../../text/data/batches.js'
import { makeFeatures, type Features } from '../../text/data/features.js'
import { float32Number, softmax } from '../../text/data/numbers.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { pairMisfit } from './entries.js'
import { openTextModel } from './model.js'
import type { FilledMask, SentenceOrder } from './report.js'
import type { TextModel, TextModelOptions } from './text-model.js'

/** What stands for a token to predict. */
export const MASK = '[MASK]'

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
  const ids = parts.flatMap((part, i) => [...(i === 0 ? [] : [mask]), ...tokenizer.encode(part).map(({ id }) => id)])
  if (ids.includes(mask, maxLength - 2))
    throw usage(`a [MASK] is after the first ${maxLength} tokens, the longest input of the model`, {
      code: 'sequence-too-long',
    })
  const kept = ids.slice(0, maxLength - 2)
  return { input_ids: [cls, ...kept, sep], token_type_ids: Array<number>(kept.length + 2).fill(0) }
}

/** Runs `body` with a model opened for `task`. */
async function withModel<T>(
  path: string,
  task: ResolvedTask,
  options: TextModelOptions,
  body: (model: TextModel) => Promise<T>,
): Promise<T> {
  // A single text may be as long as the model takes.
  const model = await openTextModel(path, task, undefined, { maxSeqLength: Infinity, ...options })
  try {
    return await body(model)
  } finally {
    await model.close()
  }
}

/**
 * Predicts the most probable tokens for each `[MASK]` of `text`, each mask separately, as in masked-token training.
 * @param top candidates for each mask
 * @throws AlbertkitError `usage` if there is no `[MASK]` among the tokens that the model takes
 */
export async function fillMasks(model: TextModel, text: string, top = 5): Promise<FilledMask[]> {
  const features = maskedFeatures(model.tokenizer, text, model.maxLength)
  const [batch] = makeBatches([features], 1)
  const [logits] = await model.run(batch!, [answerOf('mlm')])
  const { data, shape } = logits!
  const size = shape.at(-1)!
  const masked = features.input_ids.flatMap((id, position) => (id === model.tokenizer.special.mask ? [position] : []))
  return masked.map((position) => {
    const probabilities = softmax(data.subarray(position * size, (position + 1) * size))
    // Rows behind the vocabulary have no token: tables are often padded.
    const named = probabilities.map((_, id) => id).filter((id) => model.tokenizer.tokenOf(id) !== undefined)
    const best = named.sort((a, b) => probabilities[b]! - probabilities[a]! || a - b)
    const candidates = best.slice(0, top).map((id) => ({
      token: model.tokenizer.tokenOf(id) ?? '',
      id,
      probability: float32Number(probabilities[id]!),
    }))
    return { position, candidates }
  })
}

/** Opens a model and fills the masks of one text. @throws AlbertkitError as `openTextModel` and `fillMasks` */
export const fillMask = (
  path: string,
  text: string,
  { top = 5, ...options }: TextModelOptions & { readonly top?: number } = {},
): Promise<FilledMask[]> => withModel(path, 'mlm', options, (model) => fillMasks(model, text, top))

/** Predicts the order of two texts: sentence-order head of ALBERT, next-sentence head of BERT. */
export async function orderOf(model: TextModel, first: string, second: string): Promise<SentenceOrder> {
  const reason = pairMisfit(model.limits)
  if (reason !== null) throw usage(reason, { code: 'text-unusable', field: 'type_vocab_size' })
  const [batch] = makeBatches([makeFeatures(model.tokenizer, first, second, model.maxLength)], 1)
  const [logits] = await model.run(batch!, [answerOf('sop')])
  // create_pretraining_data.py: label 1 is the swapped (BERT: the random) second part.
  const [inOrder = 0, swapped = 0] = softmax(logits!.data).map(float32Number)
  return { inOrder: inOrder >= swapped, probabilities: { inOrder, swapped } }
}

/** Opens a model and predicts the order of two texts. @throws AlbertkitError as `openTextModel` */
export const sentenceOrder = (
  path: string,
  first: string,
  second: string,
  options: TextModelOptions = {},
): Promise<SentenceOrder> => withModel(path, 'sop', options, (model) => orderOf(model, first, second))

/** Cosine of the angle between two vectors. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, left, right] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!
    left += a[i]! * a[i]!
    right += b[i]! * b[i]!
  }
  return dot / Math.sqrt(left * right)
}

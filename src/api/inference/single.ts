import { usage } from '../../base/errors.js'
import { answerOf, type ResolvedTask } from '../../model/tasks.js'
import { float32Number, softmax } from '../../text/data/numbers.js'
import { answers, usable, type AnswerOptions } from './answers.js'
import { givenEntries, pairMisfit } from './entries.js'
import { fillMasks } from './masked.js'
import { openTextModel } from './model.js'
import type { FilledMask, SentenceOrder } from './report.js'
import type { TextModel, TextModelOptions } from './text-model.js'
import { readWindow } from './window.js'

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

/** Opens a model and fills the masks of one text. @throws AlbertkitError as `openTextModel` and `fillMasks` */
export const fillMask = (
  path: string,
  text: string,
  { top = 5, ...options }: TextModelOptions & { readonly top?: number } = {},
): Promise<FilledMask[]> => withModel(path, 'mlm', options, (model) => fillMasks(model, text, top))

const ORDER = { outputs: [answerOf('sop')], reduction: 'none' } as const

/** Reads logits: in create_pretraining_data.py label 1 is the swapped (BERT: the random) second part. */
function orderFrom(logits: Float32Array): SentenceOrder {
  const [inOrder = 0, swapped = 0] = softmax(logits).map(float32Number)
  return { inOrder: inOrder >= swapped, probabilities: { inOrder, swapped } }
}

/** @throws AlbertkitError `usage` if the model does not take pairs */
function checkPairs({ limits }: TextModel): void {
  const reason = pairMisfit(limits)
  if (reason !== null) throw usage(reason, { code: 'text-unusable', field: 'type_vocab_size' })
}

/** Predicts the order of two texts: sentence-order head of ALBERT, next-sentence head of BERT. */
export async function orderOf(model: TextModel, first: string, second: string): Promise<SentenceOrder> {
  checkPairs(model)
  return orderFrom((await readWindow(model, [[first, second]], { ...ORDER, batch: 1 })).values)
}

/**
 * Predicts the order of each pair of texts, in batches of similar length and several threads.
 * @throws AlbertkitError as `orderOf`
 */
export async function ordersOf(
  model: TextModel,
  pairs: readonly (readonly [first: string, second: string])[],
  options: AnswerOptions = {},
): Promise<SentenceOrder[]> {
  checkPairs(model)
  const entries = givenEntries(pairs.map(([text, textB]) => ({ text, textB })))
  return usable(answers(model, ORDER, entries, options), ({ values }) => orderFrom(values))
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

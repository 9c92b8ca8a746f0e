import type { PassagePart } from '../../../text/data/examples.js'
import { softmax } from '../../../text/data/numbers.js'

/** Best span of one window of a passage. */
export interface WindowSpan {
  /** First and last token, counted in the whole passage. */
  readonly first: number
  readonly last: number
  /**
   * Product of the probabilities of start and end among [CLS] and the tokens of the window's passage, as transformers'
   * QuestionAnsweringPipeline computes it.
   */
  readonly probability: number
  /** Sum of the logits of start and end. */
  readonly logit: number
}

/** Start and end logits of the tokens of a window, `[2, sequence]`. */
export interface SpanLogits {
  readonly starts: Float32Array
  readonly ends: Float32Array
}

/** Probabilities of [CLS] and of the passage's tokens, in this order. */
const candidates = (logits: Float32Array, { at, count }: PassagePart['window']): number[] =>
  softmax([logits[0]!, ...logits.subarray(at, at + count)])

/**
 * Best span of a window: the largest product of the probabilities of a start and an end that does not come before it.
 * @param maxLength tokens of an answer at most
 * @returns null if the window holds no token of the passage
 */
export function bestSpan({ starts, ends }: SpanLogits, part: PassagePart, maxLength: number): WindowSpan | null {
  const { at, count, first } = part.window
  const [start, end] = [candidates(starts, part.window), candidates(ends, part.window)]
  let best: WindowSpan | null = null
  for (let i = 0; i < count; i++)
    for (let j = i; j < Math.min(count, i + maxLength); j++) {
      const probability = start[i + 1]! * end[j + 1]!
      if (best !== null && probability <= best.probability) continue
      best = { first: first + i, last: first + j, probability, logit: starts[at + i]! + ends[at + j]! }
    }
  return best
}

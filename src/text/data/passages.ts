import { defaultFrame, type Token, type Tokenizer } from '../tokenizers/tokenizer.js'
import { fillFrame, specialCount, type Features } from './features.js'

/** Questions and windows of the passage that answers them (run_squad.py, `convert_examples_to_features`). */

/** run_squad's default: tokens of a question at most. */
export const MAX_QUESTION_LENGTH = 64
/** run_squad's default: tokens from the start of one window of a passage to the start of the next. */
export const DOC_STRIDE = 128
/** run_squad's default: tokens of an input at most. */
export const MAX_PASSAGE_LENGTH = 384

/** Inputs of the model for a question and a part of its passage. */
export interface PassageWindow {
  readonly features: Features
  /** Index in `input_ids` of the first token of the passage. */
  readonly at: number
  /** Tokens of the passage in this window: `[first, first + count)`. */
  readonly first: number
  readonly count: number
}

export interface PassageOptions {
  /** Largest number of tokens of an input, special tokens included. */
  readonly maxLength: number
  readonly docStride?: number | undefined
}

/**
 * Windows of a passage, each with the question before it; empty if the question leaves no room.
 * @param passage tokens of the passage
 */
export function passageWindows(
  tokenizer: Tokenizer,
  question: string,
  passage: readonly Token[],
  { maxLength, docStride = DOC_STRIDE }: PassageOptions,
): PassageWindow[] {
  const { pair } = tokenizer.frame ?? defaultFrame(tokenizer.special)
  const asked = tokenizer.ids(question, MAX_QUESTION_LENGTH).slice(0, MAX_QUESTION_LENGTH)
  const room = maxLength - specialCount(pair) - asked.length
  if (room < 1) return []
  const windows: PassageWindow[] = []
  for (let first = 0; ; first += Math.min(docStride, room)) {
    const own = passage.slice(first, first + room)
    const { features, at } = fillFrame(
      pair,
      asked,
      own.map(({ id }) => id),
    )
    windows.push({ features, at: at.b, first, count: own.length })
    if (first + own.length >= passage.length) return windows
  }
}

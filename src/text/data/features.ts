import { defaultFrame, type FramePart, type Tokenizer } from '../tokenizers/tokenizer.js'

/** Inputs of the model for a text or a pair of texts. */
export interface Features {
  /** Token ids of one or two texts with special tokens, e.g. `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]`; not padded. */
  readonly input_ids: readonly number[]
  /** 0 for a, 1 for b and its `[SEP]`. */
  readonly token_type_ids: readonly number[]
  /** 0 for a token that attention ignores, else 1; all 1 if absent. */
  readonly attention_mask?: readonly number[]
  /** True if the text was longer and its end was truncated. */
  readonly isCut?: boolean
}

export interface PaddedFeatures {
  readonly input_ids: readonly number[]
  readonly input_mask: readonly number[]
  readonly segment_ids: readonly number[]
}

/** `_truncate_seq_pair`: removes tokens from the end of the longer text, of b if both have the same length. */
function truncatePair(a: number[], b: number[], max: number): void {
  while (a.length + b.length > max) (a.length > b.length ? a : b).pop()
}

/** The same as the tokenizers library does it (`TruncationStrategy::LongestFirst`). */
function truncateEvenly(a: number[], b: number[], max: number): void {
  if (a.length + b.length <= max) return
  const short = Math.min(a.length, b.length)
  let [less, more] = [short, short > max ? short : Math.max(short, max - short)]
  if (less + more > max) [less, more] = [Math.floor(max / 2), Math.ceil(max / 2)]
  const isFirstLonger = a.length > b.length
  a.splice(isFirstLonger ? more : less)
  b.splice(isFirstLonger ? less : more)
}

/** Inputs made of a frame, and the index of the first token of each text among them. */
export interface FilledFrame {
  readonly features: Features
  readonly at: { readonly a: number; readonly b: number }
}

/** Fills the texts in between the special tokens of a frame. */
export function fillFrame(parts: readonly FramePart[], a: readonly number[], b: readonly number[]): FilledFrame {
  const at = { a: 0, b: 0 }
  const input_ids: number[] = []
  const token_type_ids: number[] = []
  for (const part of parts) {
    if ('text' in part) at[part.text] = input_ids.length
    for (const id of 'id' in part ? [part.id] : part.text === 'a' ? a : b) {
      input_ids.push(id)
      token_type_ids.push(part.segment)
    }
  }
  return { features: { input_ids, token_type_ids }, at }
}

/** Number of special tokens of a frame. */
export const specialCount = (parts: readonly FramePart[]): number => parts.filter((part) => 'id' in part).length

/**
 * `convert_single_example` of run_classifier, before padding, with the special tokens of the tokenizer.
 * @param maxLength largest number of tokens, special tokens included
 */
export function makeFeatures(tokenizer: Tokenizer, a: string, b: string | null, maxLength: number): Features {
  const { single, pair } = tokenizer.frame ?? defaultFrame(tokenizer.special)
  const { cutsStart = false } = tokenizer
  // Anything beyond maxLength is truncated below.
  const limit = cutsStart ? Infinity : maxLength
  const first = tokenizer.ids(a, limit)
  const second = b === null || b === '' ? [] : tokenizer.ids(b, limit)
  const isPair = second.length > 0
  const room = Math.max(0, maxLength - specialCount(isPair ? pair : single))
  const isCut = first.length + second.length > room
  if (isCut) {
    if (cutsStart) for (const ids of [first, second]) ids.reverse()
    if (!isPair) first.splice(room)
    else {
      first.splice(maxLength)
      second.splice(maxLength)
      const truncate = tokenizer.cutsEvenly === true ? truncateEvenly : truncatePair
      truncate(first, second, room)
    }
    if (cutsStart) for (const ids of [first, second]) ids.reverse()
  }
  // A second text that was truncated to nothing gets no [SEP] either.
  const { features } = fillFrame(second.length > 0 ? pair : single, first, second)
  return isCut ? { ...features, isCut } : features
}

/** Pads with zeros as run_classifier does, ignoring the id of the vocabulary's padding token. */
export function padFeatures({ input_ids, token_type_ids }: Features, length: number): PaddedFeatures {
  const zeros = Array<number>(Math.max(0, length - input_ids.length)).fill(0)
  return {
    input_ids: [...input_ids, ...zeros],
    input_mask: [...input_ids.map(() => 1), ...zeros],
    segment_ids: [...token_type_ids, ...zeros],
  }
}

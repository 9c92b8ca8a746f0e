import { defaultFrame, type FramePart, type Tokenizer } from '../tokenizers/tokenizer.js'

/** A text, or a pair of texts, as one input of the model. */
export interface Features {
  /** One text or two between special tokens, `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]` for instance; not padded. */
  readonly input_ids: readonly number[]
  /** 0 for a, 1 for b and its `[SEP]`. */
  readonly token_type_ids: readonly number[]
  /** 0 for a token that is not to be looked at, else 1; 1 throughout if left out. */
  readonly attention_mask?: readonly number[]
  /** True if the text was longer, and its end is cut off. */
  readonly isCut?: boolean
}

export interface PaddedFeatures {
  readonly input_ids: readonly number[]
  readonly input_mask: readonly number[]
  readonly segment_ids: readonly number[]
}

/** `_truncate_seq_pair`: takes from the end of the longer one, of b where they are equally long. */
function truncatePair(a: number[], b: number[], max: number): void {
  while (a.length + b.length > Math.max(0, max)) (a.length > b.length ? a : b).pop()
}

/** Texts in their places between special tokens. */
function fillFrame(parts: readonly FramePart[], a: readonly number[], b: readonly number[]): Features {
  const placed = parts.map((part) => ({
    ids: 'id' in part ? [part.id] : part.text === 'a' ? a : b,
    segment: part.segment,
  }))
  return {
    input_ids: placed.flatMap(({ ids }) => ids),
    token_type_ids: placed.flatMap(({ ids, segment }) => ids.map(() => segment)),
  }
}

const specialCount = (parts: readonly FramePart[]): number => parts.filter((part) => 'id' in part).length

/**
 * `convert_single_example` of run_classifier, before padding, with the special tokens of the tokenizer.
 * @param maxLength tokens at most, the special ones included
 */
export function makeFeatures(tokenizer: Tokenizer, a: string, b: string | null, maxLength: number): Features {
  const { single, pair } = tokenizer.frame ?? defaultFrame(tokenizer.special)
  // The rest is cut off, of one text or of the longer of two.
  const first = tokenizer.ids(a, maxLength)
  const second = b === null || b === '' ? [] : tokenizer.ids(b, maxLength)
  const isPair = second.length > 0
  const isCut = first.length + second.length > maxLength - specialCount(isPair ? pair : single)
  if (isPair) {
    if (maxLength !== Infinity) {
      first.splice(maxLength)
      second.splice(maxLength)
    }
    truncatePair(first, second, maxLength - specialCount(pair))
  } else if (maxLength !== Infinity) first.splice(Math.max(0, maxLength - specialCount(single)))
  // A second text of which nothing is left has no [SEP] either.
  const features = fillFrame(second.length > 0 ? pair : single, first, second)
  return isCut ? { ...features, isCut } : features
}

/** Pads with zeros, as run_classifier does whatever the vocabulary calls its padding. */
export function padFeatures({ input_ids, token_type_ids }: Features, length: number): PaddedFeatures {
  const zeros = Array<number>(Math.max(0, length - input_ids.length)).fill(0)
  return {
    input_ids: [...input_ids, ...zeros],
    input_mask: [...input_ids.map(() => 1), ...zeros],
    segment_ids: [...token_type_ids, ...zeros],
  }
}

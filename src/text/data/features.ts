import type { Tokenizer } from '../tokenizers/tokenizer.js'

/** A text, or a pair of texts, as one input of the model. */
export interface Features {
  /** `[CLS] a [SEP]`, or `[CLS] a [SEP] b [SEP]`; not padded. */
  readonly input_ids: readonly number[]
  /** 0 for a, 1 for b and its `[SEP]`. */
  readonly token_type_ids: readonly number[]
  /** 0 for a token that is not to be looked at, else 1; 1 throughout if left out. */
  readonly attention_mask?: readonly number[]
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

/**
 * `convert_single_example` of run_classifier, before padding.
 * @param maxLength tokens at most, the special ones included
 */
export function makeFeatures(tokenizer: Tokenizer, a: string, b: string | null, maxLength: number): Features {
  const { cls, sep } = tokenizer.special
  // What lies behind is cut off, of one text or of the longer of two.
  const first = tokenizer.ids(a, maxLength)
  const second = b === null || b === '' ? [] : tokenizer.ids(b, maxLength)
  const pair = second.length > 0
  if (pair) {
    first.splice(maxLength)
    second.splice(maxLength)
    truncatePair(first, second, maxLength - 3)
  } else first.splice(Math.max(0, maxLength - 2))
  // A second text of which nothing is left has no [SEP] either.
  const rest = second.length > 0 ? [...second, sep] : []
  return {
    input_ids: [cls, ...first, sep, ...rest],
    token_type_ids: [...Array<number>(first.length + 2).fill(0), ...Array<number>(rest.length).fill(1)],
  }
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

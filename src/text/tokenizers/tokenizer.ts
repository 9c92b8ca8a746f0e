/** A token of a text. */
export interface Token {
  readonly token: string
  readonly id: number
  /** First character that it comes from, and the one after the last; characters are Unicode code points. */
  readonly start: number
  readonly end: number
}

/** Properties and methods that all tokenizers have. */
export interface Tokenizer {
  readonly kind: 'wordpiece' | 'sentencepiece'
  readonly lowerCase: boolean
  /** Number of ids: the largest id of a token that a text may have, plus one. */
  readonly size: number
  /** Ids of the special tokens. */
  readonly special: SpecialIds
  /** The file that it was read from. */
  readonly file: string
  /** Tokens that are put around texts; `[CLS] a [SEP] b [SEP]` if absent. */
  readonly frame?: Frame | undefined
  /** Maximal number of tokens of an input according to the tokenizer's configuration; undefined if it has none. */
  readonly maxLength?: number | undefined
  /** True if what is too long loses its start (`truncation_side: left`), not its end. */
  readonly cutsStart?: boolean | undefined
  /** True if pairs are cut as the tokenizers library does it: the longer text keeps the odd token, b if both are long. */
  readonly cutsEvenly?: boolean
  /** True if special tokens that are written in a text are those tokens. */
  readonly readsSpecial?: boolean
  /** Remarks for the user on how text is read. */
  readonly notes?: readonly string[]
  /** Tokens of a text, without special tokens. */
  encode(text: string): Token[]
  /** Ids of those tokens, the first `limit` of them at least; quicker. */
  ids(text: string, limit?: number): number[]
  /** The id of a token, or undefined if there is none. */
  idOf(token: string): number | undefined
  /** The token of an id, or undefined if there is none. */
  tokenOf(id: number): string | undefined
}

export interface SpecialIds {
  readonly cls: number
  readonly sep: number
  readonly pad: number
  readonly unk: number
  readonly mask: number | null
}

/** A special token, or the place of a text, with its segment. */
export type FramePart =
  { readonly id: number; readonly segment: number } | { readonly text: 'a' | 'b'; readonly segment: number }

/** Order of special tokens and texts in an input of the model. */
export interface Frame {
  readonly single: readonly FramePart[]
  readonly pair: readonly FramePart[]
}

/** `[CLS] a [SEP]` and `[CLS] a [SEP] b [SEP]`. */
export const defaultFrame = ({ cls, sep }: Pick<SpecialIds, 'cls' | 'sep'>): Frame => {
  const single: FramePart[] = [
    { id: cls, segment: 0 },
    { text: 'a', segment: 0 },
    { id: sep, segment: 0 },
  ]
  return { single, pair: [...single, { text: 'b', segment: 1 }, { id: sep, segment: 1 }] }
}

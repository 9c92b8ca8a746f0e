/** A token of a text. */
export interface Token {
  readonly token: string
  readonly id: number
  /** First character that it comes from, and the one after the last; characters are Unicode code points. */
  readonly start: number
  readonly end: number
}

/** What tokenizers have in common. */
export interface Tokenizer {
  readonly kind: 'wordpiece' | 'sentencepiece'
  readonly lowerCase: boolean
  /** Number of ids. */
  readonly size: number
  /** Ids of the special tokens. */
  readonly special: SpecialIds
  /** The file that it was read from. */
  readonly file: string
  /** Tokens of a text, without special tokens. */
  encode(text: string): Token[]
  /** Ids of those tokens, the first `limit` of them at least; quicker. */
  ids(text: string, limit?: number): number[]
  /** The id of a token, or undefined where there is none. */
  idOf(token: string): number | undefined
  /** The token of an id, or undefined where there is none. */
  tokenOf(id: number): string | undefined
}

export interface SpecialIds {
  readonly cls: number
  readonly sep: number
  readonly pad: number
  readonly unk: number
  readonly mask: number | null
}

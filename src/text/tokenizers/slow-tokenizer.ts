import { TokenMatcher, type AddedToken } from './added-tokens.js'
import { alignedOf, span, type Aligned } from './aligned.js'
import type { SentencePieceTokenizer } from './sentencepiece.js'
import { lowerExcept, splitSlow, Trie } from './slow-added-tokens.js'
import type { SpecialIds, Token, Tokenizer } from './tokenizer.js'
import type { SpecialNames, WordPieceTokenizer } from './wordpiece.js'

/** A tokenizer without support for added tokens. */
export type InnerTokenizer = WordPieceTokenizer | SentencePieceTokenizer | CharacterTokenizer

/** Tokenizer whose words are single characters. */
export interface CharacterTokenizer extends Tokenizer {
  readonly names: SpecialNames
  encodeAligned(text: Aligned): Token[]
}

export interface SlowOptions {
  /** Added tokens, special ones of the vocabulary included. */
  readonly added: readonly AddedToken[]
  /** Names of special tokens, in transformers' order. */
  readonly special: readonly string[]
  readonly maxLength?: number | undefined
  readonly cutsStart?: boolean | undefined
  /** True if special tokens in a text are text. */
  readonly splitSpecial?: boolean
}

/** A tokenizer of transformers written in Python: added tokens, and another tokenizer for the text between them. */
export class SlowTokenizer implements Tokenizer {
  readonly kind: Tokenizer['kind']
  readonly lowerCase: boolean
  readonly size: number
  readonly special: SpecialIds
  readonly file: string
  readonly maxLength: number | undefined
  readonly cutsStart: boolean | undefined
  readonly notes: readonly string[]
  readonly readsSpecial = true
  readonly added: readonly AddedToken[]
  readonly #byContent = new Map<string, AddedToken>()
  readonly #byId = new Map<number, string>()
  readonly #trie: Trie
  readonly #kept: readonly (readonly string[])[]
  readonly #matcher: TokenMatcher
  readonly #split: boolean
  /**
   * True if what the tokenizer in it makes of text may be an added token: one that the vocabulary has under another id,
   * or, of SentencePiece, what it does not know, whose token is the text itself.
   */
  readonly #shadows: boolean

  constructor(
    readonly inner: InnerTokenizer,
    { added, special, maxLength, cutsStart, splitSpecial = false }: SlowOptions,
  ) {
    this.kind = inner.kind
    this.lowerCase = inner.lowerCase
    this.special = inner.special
    this.file = inner.file
    this.maxLength = maxLength
    this.cutsStart = cutsStart
    this.notes = inner.notes ?? []
    this.added = added
    this.#split = splitSpecial
    const own = inner.kind === 'sentencepiece' ? -1 : null
    this.#shadows = added.some(({ content, id }) => (inner.idOf(content) ?? own ?? id) !== id)
    for (const token of added) {
      this.#byContent.set(token.content, token)
      this.#byId.set(token.id, token.content)
    }
    this.size = Math.max(inner.size, ...added.filter((token) => !token.special).map(({ id }) => id + 1))
    this.#trie = new Trie(this.#byContent.keys())
    const plain = added.filter((token) => !token.special && token.normalized).map(({ content }) => content)
    this.#kept = [...special, ...plain].filter((word) => word !== '').map((word) => Array.from(word))
    this.#matcher = new TokenMatcher(added.map((token) => [token.content, token]))
  }

  idOf(token: string): number | undefined {
    return this.#byContent.get(token)?.id ?? this.inner.idOf(token)
  }

  tokenOf(id: number): string | undefined {
    return this.#byId.get(id) ?? this.inner.tokenOf(id)
  }

  /** The text, lower-cased if that is done, if it certainly holds no added token; else null. */
  #plain(text: string): string | null {
    if (this.#shadows) return null
    const lower = this.lowerCase ? lowerEach(text) : text
    return this.#matcher.isIn(text) || (this.lowerCase && this.#matcher.isIn(lower)) ? null : lower
  }

  encode(text: string): Token[] {
    const plain = this.#plain(text)
    // A character that becomes two, as İ does, moves the places of what follows.
    if (plain?.length === text.length) return this.inner.encode(plain)
    const given = alignedOf(text)
    const lower = this.lowerCase ? lowerExcept(given, this.#kept) : given
    if (this.#split) return this.#between(lower)
    return splitSlow(lower, this.#trie, this.#byContent).flatMap(({ text: part, added }) =>
      added === null ? this.#between(part) : [{ token: added.content, id: added.id, ...span(part.from) }],
    )
  }

  /** Tokens of text between added tokens; those that have an added token's name have its id. */
  #between(text: Aligned): Token[] {
    const tokens = this.inner.encodeAligned(text)
    return this.#shadows ? tokens.map((t) => ({ ...t, id: this.#byContent.get(t.token)?.id ?? t.id })) : tokens
  }

  ids(text: string, limit = Infinity): number[] {
    const plain = this.#plain(text)
    return plain === null ? this.encode(text).map(({ id }) => id) : this.inner.ids(plain, limit)
  }
}

/** Lower-cases one character at a time: a capital sigma gives the same letter at every position. */
const lowerEach = (text: string): string =>
  text.includes('\u03a3') ? Array.from(text, (c) => c.toLowerCase()).join('') : text.toLowerCase()

import { malformed } from '../../base/errors.js'
import { alignedOf, expand, filter, slice, span, textOf, transform, words, type Aligned } from './aligned.js'
import { googleRules, type BasicRules } from './basic-rules.js'
import { PYTHON_SPACE } from './unicode.js'
import { shifted } from './plain-words.js'
import type { SpecialIds, Token, Tokenizer } from './tokenizer.js'

/**
 * BERT's WordPiece as tokenization.py of google-research/bert, albert_zh and google-research/albert has it
 * (BasicTokenizer, then WordpieceTokenizer).
 */

/** Words and characters that are remembered. */
const MAX_CACHED = 1 << 16
/** Words that are remembered with the places of their tokens, which take ten times the memory of ids. */
const MAX_CACHED_TOKENS = 1 << 14
/** Longer words are unknown, or rare. */
const MAX_CACHED_WORD = 64
/** Longer words are not cached: text without a space, for example base64. */
const LONG_WORD = 1024
/** Punctuation by all rules, and the text between. */
const PARTS = /[!-/:-@[-`{-~、。，！？；：]|[^!-/:-@[-`{-~、。，！？；：]+/gu

/** Rules for repeated tokens and line ends: albert_zh and BERT have the same, Google's ALBERT and transformers others. */
export type VocabularyStyle = 'bert' | 'google' | 'transformers'

const strip = (line: string): string => {
  const chars = Array.from(line)
  let [start, end] = [0, chars.length]
  while (start < end && PYTHON_SPACE.test(chars[start]!)) start++
  while (end > start && PYTHON_SPACE.test(chars[end - 1]!)) end--
  return chars.slice(start, end).join('')
}

/** The lines of a file as TensorFlow's `GFile.readline` gives them, which drops carriage returns wherever they are. */
function gfileLines(content: string): string[] {
  const lines = content.replaceAll('\r', '').split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/**
 * Reads `vocab.txt`: a token a line, its number the id.
 * @param style `bert`: a repeated token takes the last line's number; `google`: it takes none, and a line ends at its
 *   first white space; `transformers`: as `bert`, and spaces belong to the token
 */
export function parseVocabulary(content: string, style: VocabularyStyle = 'bert'): Map<string, number> {
  const vocabulary = new Map<string, number>()
  if (style === 'transformers') {
    const lines = content.split(/\r\n|\r|\n/)
    if (lines.at(-1) === '') lines.pop()
    lines.forEach((line, i) => vocabulary.set(line, i))
    return vocabulary
  }
  if (style === 'bert') {
    gfileLines(content).forEach((line, i) => vocabulary.set(strip(line), i))
    return vocabulary
  }
  for (const line of gfileLines(content)) {
    const stripped = strip(line)
    const [token = ' '] = stripped === '' ? [' '] : words(alignedOf(stripped), (c) => PYTHON_SPACE.test(c)).map(textOf)
    if (!vocabulary.has(token)) vocabulary.set(token, vocabulary.size)
  }
  return vocabulary
}

/** Splits a text into words by `rules`: cleaned, lower-cased, punctuation and Chinese characters as separate words. */
export function basicTokens(text: Aligned, rules: BasicRules, whole?: ReadonlySet<string>): Aligned[] {
  const kept = filter(text, (c) => !rules.isDropped(c))
  const cleaned = expand(kept, (c) => (rules.isSpace(c) ? ' ' : rules.isAlone(c) ? ` ${c} ` : c))
  const composed = rules.compose ? transform(cleaned, (t) => t.normalize('NFC')) : cleaned
  return words(composed, rules.isSpace).flatMap((word) => {
    const isWhole = (part: Aligned): boolean => whole?.has(textOf(part)) === true
    const changed = isWhole(word) ? word : rules.change(word)
    const parts = isWhole(changed) ? [changed] : splitPunctuation(changed, rules)
    return parts.flatMap((part) => words(part, rules.isSpace))
  })
}

function splitPunctuation(word: Aligned, { isPunctuation }: BasicRules): Aligned[] {
  const parts: Aligned[] = []
  let start = 0
  word.chars.forEach((char, i) => {
    if (!isPunctuation(char)) return
    if (i > start) parts.push(slice(word, start, i))
    parts.push(slice(word, i, i + 1))
    start = i + 1
  })
  if (start < word.chars.length) parts.push(slice(word, start))
  return parts
}

/** Role of a character when a text is split into words. */
type Role = 'dropped' | 'space' | 'alone' | 'part'

function roleOf(char: string, rules: BasicRules): Role {
  if (rules.isDropped(char)) return 'dropped'
  if (rules.isSpace(char)) return 'space'
  return rules.isAlone(char) ? 'alone' : 'part'
}

/** Values by their keys, of which there are never more than a few: emptied when full. */
class Cache<T> {
  readonly #known = new Map<string, T>()

  constructor(
    readonly make: (key: string) => T,
    readonly most = MAX_CACHED,
  ) {}

  get(key: string): T {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const made = this.make(key)
    if (this.#known.size >= this.most) this.#known.clear()
    this.#known.set(key, made)
    return made
  }
}

/** Names of the special tokens. */
export interface SpecialNames {
  readonly cls: string
  readonly sep: string
  readonly pad: string
  readonly unk: string
  readonly mask: string
}

export const BERT_SPECIAL: SpecialNames = { cls: '[CLS]', sep: '[SEP]', pad: '[PAD]', unk: '[UNK]', mask: '[MASK]' }

export interface WordPieceOptions {
  readonly file: string
  readonly lowerCase: boolean
  /** True if accents are dropped; default `lowerCase`, as in BERT's code. */
  readonly stripAccents?: boolean | undefined
  /** Rules by which text becomes words; default those of Google's tokenization.py. */
  readonly rules?: BasicRules | undefined
  readonly names?: SpecialNames | undefined
  /** Ids of special tokens that the vocabulary lacks. */
  readonly added?: ReadonlyMap<string, number> | undefined
  /** Words that are tokens as they are. */
  readonly neverSplit?: ReadonlySet<string> | undefined
  /** Words that keep their case and their punctuation, and become pieces like others. */
  readonly whole?: ReadonlySet<string> | undefined
  /** Remarks for the user. */
  readonly notes?: readonly string[] | undefined
  /** Prefix of pieces inside of a word; default `##`. */
  readonly prefix?: string | undefined
}

/** A WordPiece tokenizer over a vocabulary. */
export class WordPieceTokenizer implements Tokenizer {
  readonly kind = 'wordpiece'
  readonly size: number
  readonly special: SpecialIds
  readonly file: string
  readonly lowerCase: boolean
  readonly stripAccents: boolean
  readonly names: SpecialNames
  readonly rules: BasicRules
  readonly prefix: string
  readonly notes: readonly string[]
  readonly #neverSplit: ReadonlySet<string> | undefined
  readonly #whole: ReadonlySet<string> | undefined
  readonly #tokens: readonly (string | undefined)[]
  /** Longest token, in characters: longer candidates need no look-up. */
  readonly #longest: number
  readonly #roles: Cache<Role>
  readonly #ids = new Cache<readonly number[]>((word) => this.#read(word).map(({ id }) => id))
  readonly #places = new Cache<readonly Token[]>((word) => this.#read(word), MAX_CACHED_TOKENS)

  /** @throws AlbertkitError `malformed` if the vocabulary lacks a token that every text needs */
  constructor(
    readonly vocabulary: ReadonlyMap<string, number>,
    options: WordPieceOptions,
  ) {
    const {
      file,
      lowerCase,
      stripAccents = lowerCase,
      names = BERT_SPECIAL,
      added,
      neverSplit,
      prefix = '##',
    } = options
    this.file = file
    this.lowerCase = lowerCase
    this.stripAccents = stripAccents
    this.names = names
    this.prefix = prefix
    this.notes = options.notes ?? []
    const rules = options.rules ?? googleRules({ lowerCase, stripAccents })
    this.rules = rules
    this.#neverSplit = neverSplit
    this.#whole = neverSplit === undefined ? options.whole : new Set([...neverSplit, ...(options.whole ?? [])])
    this.#roles = new Cache((char) => roleOf(char, rules))
    const tokens: (string | undefined)[] = []
    let [longest, size] = [1, 0]
    for (const [token, id] of vocabulary) {
      tokens[id] = token
      longest = Math.max(longest, token.length)
      // No text has an empty token: blank lines at the end of a file are rows that the model need not have.
      if (token !== '') size = Math.max(size, id + 1)
    }
    this.#tokens = tokens
    this.#longest = longest
    this.size = size
    const idOf = (token: string): number | undefined => vocabulary.get(token) ?? added?.get(token)
    const need = (token: string): number => {
      const id = idOf(token)
      if (id !== undefined) return id
      throw malformed(`the vocabulary has no ${token}`, {
        code: 'tokenizer-invalid',
        file,
        hint:
          `a vocabulary of BERT has a token a line, ${names.pad}, ` +
          `${names.unk}, ${names.cls} and ${names.sep} among them`,
      })
    }
    this.special = {
      cls: need(names.cls),
      sep: need(names.sep),
      pad: idOf(names.pad) ?? 0,
      unk: need(names.unk),
      mask: idOf(names.mask) ?? null,
    }
  }

  idOf(token: string): number | undefined {
    return this.vocabulary.get(token)
  }

  tokenOf(id: number): string | undefined {
    return this.#tokens[id]
  }

  #read(word: string): Token[] {
    return this.encodeAligned(alignedOf(word))
  }

  /** Tokens of a part of a text. */
  encodeAligned(text: Aligned): Token[] {
    return basicTokens(text, this.rules, this.#whole).flatMap((word) => this.encodeWord(word))
  }

  encode(text: string): Token[] {
    const tokens: Token[] = []
    const isWhole = this.#eachWord(text, (word, start, hasGap) => {
      if (hasGap) return false
      const found = word.length > MAX_CACHED_WORD ? this.#read(word) : this.#places.get(word)
      for (const token of found) tokens.push(shifted(token, start))
      return true
    })
    return isWhole ? tokens : this.encodeAligned(alignedOf(text))
  }

  /** Words are tokenized each by itself, and most words come again: only a new one is looked into. */
  #idsOf(word: string): readonly number[] {
    return word.length > MAX_CACHED_WORD ? this.#read(word).map(({ id }) => id) : this.#ids.get(word)
  }

  ids(text: string, limit = Infinity): number[] {
    const ids: number[] = []
    this.#eachWord(text, (word) => {
      if (word.length <= LONG_WORD) {
        for (const id of this.#idsOf(word)) ids.push(id)
      } else this.#takeLong(word, ids, limit)
      return ids.length < limit
    })
    return ids
  }

  /** Takes a word that is longer than any: its parts one by one, until there are enough ids. */
  #takeLong(word: string, ids: number[], limit: number): void {
    // Punctuation ends up as a separate word; but lower-casing of a capital sigma depends on what follows, and
    // U+0338 makes one character of `<` and itself.
    const isOne = word.includes('\u03a3') || word.includes('\u0338')
    for (const [part] of isOne ? [[word]] : word.matchAll(PARTS)) {
      if (ids.length >= limit) break
      // Letters and digits of ASCII stay what they are: a word that is too long is unknown.
      if (!isOne && part.length > this.rules.maxChars && /^[0-9A-Za-z]+$/.test(part)) ids.push(this.special.unk)
      else for (const id of this.#idsOf(part)) ids.push(id)
    }
  }

  /**
   * Calls `take` with the words of a text that white space and Chinese characters part, and the character where each
   * begins, until it returns false. Returns whether it never did.
   * @param take `hasGap` is true if a character was dropped within the word
   */
  #eachWord(text: string, take: (word: string, start: number, hasGap: boolean) => boolean): boolean {
    let [word, start, hasGap, hasDropped] = ['', 0, false, false]
    const flush = (): boolean => {
      const done = word === '' || take(word, start, hasGap)
      word = ''
      hasGap = false
      return done
    }
    let at = -1
    for (const char of text) {
      at++
      const role = this.#roles.get(char)
      if (role === 'dropped') {
        hasDropped = true
        continue
      }
      if (role === 'part') {
        if (word === '') start = at
        else if (hasDropped) hasGap = true
        word += char
      } else if (!flush() || (role === 'alone' && !take(char, at, false))) return false
      hasDropped = false
    }
    return flush()
  }

  /** Pieces of a word: greedy, the longest match first. */
  encodeWord(word: Aligned): Token[] {
    const { chars, from } = word
    const { unk } = this.special
    if (this.#neverSplit !== undefined) {
      const token = textOf(word)
      if (this.#neverSplit.has(token))
        return [{ token, id: this.vocabulary.get(token) ?? unk, ...span(from, 0, chars.length) }]
    }
    const unknown = (): Token[] => [{ token: this.names.unk, id: unk, ...span(from, 0, chars.length) }]
    if (chars.length > this.rules.maxChars) return unknown()
    const pieces: Token[] = []
    for (let start = 0; start < chars.length;) {
      let end = Math.min(chars.length, start + this.#longest)
      let found: Token | null = null
      for (; end > start && found === null; end--) {
        const token = (start > 0 ? this.prefix : '') + chars.slice(start, end).join('')
        const id = this.vocabulary.get(token)
        if (id !== undefined) found = { token, id, ...span(from, start, end) }
      }
      if (found === null) return unknown()
      pieces.push(found)
      start = end + 1
    }
    return pieces
  }
}

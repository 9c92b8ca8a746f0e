import { malformed } from '../../base/errors.js'
import { alignedOf, expand, filter, slice, span, textOf, transform, words, type Aligned } from './aligned.js'
import { isChinese, isControl, isPunctuation, isWhitespace, PYTHON_SPACE } from './unicode.js'
import type { SpecialIds, Token, Tokenizer } from './tokenizer.js'

/**
 * BERT's WordPiece as tokenization.py of google-research/bert, albert_zh and google-research/albert has it
 * (BasicTokenizer, then WordpieceTokenizer).
 */

/** Words with more characters are unknown as a whole. */
const MAX_CHARS = 200
const UNKNOWN = '[UNK]'

/** Words and characters that are remembered. */
const MAX_CACHED = 1 << 16
/** Longer words are unknown, or rare. */
const MAX_CACHED_WORD = 64
/** Longer words may hold many: text without a space, base64 say. */
const LONG_WORD = 1024
/** Punctuation, and what stands between. */
const PARTS = /[!-/:-@[-`{-~\p{P}]|[^!-/:-@[-`{-~\p{P}]+/gu

/** How a repeated token and the end of a line are taken: albert_zh and BERT alike, Google's ALBERT in its own way. */
export type VocabularyStyle = 'bert' | 'google'

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
 *   first white space
 */
export function parseVocabulary(content: string, style: VocabularyStyle = 'bert'): Map<string, number> {
  const vocabulary = new Map<string, number>()
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

/** BasicTokenizer: cleaned, split at white space, Chinese characters and punctuation; lower-cased and stripped of accents. */
export function basicTokens(text: string, lowerCase: boolean, stripAccents = lowerCase): Aligned[] {
  const kept = filter(alignedOf(text), (c) => c !== '\0' && c !== '\ufffd' && !isControl(c))
  const cleaned = expand(kept, (c) => (isWhitespace(c) ? ' ' : c))
  const spaced = expand(cleaned, (c) => (isChinese(c) ? ` ${c} ` : c))
  return words(spaced, (c) => PYTHON_SPACE.test(c)).flatMap((word) => {
    const lower = lowerCase ? transform(word, (t) => t.toLowerCase()) : word
    const plain = stripAccents ? withoutAccents(lower) : lower
    return splitPunctuation(plain).flatMap((part) => words(part, (c) => PYTHON_SPACE.test(c)))
  })
}

const withoutAccents = (word: Aligned): Aligned =>
  filter(
    transform(word, (t) => t.normalize('NFD')),
    (c) => !/^\p{Mn}$/u.test(c),
  )

function splitPunctuation(word: Aligned): Aligned[] {
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

/** What a character does to the words of a text, before anything looks into them. */
type Role = 'dropped' | 'space' | 'alone' | 'part'

function roleOf(char: string): Role {
  if (char === '\0' || char === '\ufffd' || isControl(char)) return 'dropped'
  if (isWhitespace(char) || PYTHON_SPACE.test(char)) return 'space'
  return isChinese(char) ? 'alone' : 'part'
}

/** Values by their keys, of which there are never more than a few: emptied when full. */
class Cache<T> {
  readonly #known = new Map<string, T>()

  constructor(readonly make: (key: string) => T) {}

  get(key: string): T {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const made = this.make(key)
    if (this.#known.size >= MAX_CACHED) this.#known.clear()
    this.#known.set(key, made)
    return made
  }
}

export interface WordPieceOptions {
  readonly file: string
  readonly lowerCase: boolean
  /** Whether accents are dropped; where text is lower-cased if left out, as BERT's code does. */
  readonly stripAccents?: boolean | undefined
}

/** A WordPiece tokenizer over a vocabulary. */
export class WordPieceTokenizer implements Tokenizer {
  readonly kind = 'wordpiece'
  readonly size: number
  readonly special: SpecialIds
  readonly file: string
  readonly lowerCase: boolean
  readonly stripAccents: boolean
  readonly #tokens: readonly (string | undefined)[]
  /** Longest token, in characters: longer candidates need no look-up. */
  readonly #longest: number
  readonly #roles = new Cache(roleOf)
  readonly #words = new Cache<readonly number[]>((word) => this.encode(word).map(({ id }) => id))

  /** @throws AlbertkitError `malformed` where the vocabulary lacks a token that every text needs */
  constructor(
    readonly vocabulary: ReadonlyMap<string, number>,
    { file, lowerCase, stripAccents = lowerCase }: WordPieceOptions,
  ) {
    this.file = file
    this.lowerCase = lowerCase
    this.stripAccents = stripAccents
    const tokens: (string | undefined)[] = []
    let longest = 1
    for (const [token, id] of vocabulary) {
      tokens[id] = token
      longest = Math.max(longest, token.length)
    }
    this.#tokens = tokens
    this.#longest = longest
    this.size = tokens.length
    const need = (token: string): number => {
      const id = vocabulary.get(token)
      if (id !== undefined) return id
      throw malformed(`the vocabulary has no ${token}`, {
        file,
        hint: 'a vocabulary of BERT has a token a line, [PAD], [UNK], [CLS] and [SEP] among them',
      })
    }
    this.special = {
      cls: need('[CLS]'),
      sep: need('[SEP]'),
      pad: vocabulary.get('[PAD]') ?? 0,
      unk: need(UNKNOWN),
      mask: vocabulary.get('[MASK]') ?? null,
    }
  }

  idOf(token: string): number | undefined {
    return this.vocabulary.get(token)
  }

  tokenOf(id: number): string | undefined {
    return this.#tokens[id]
  }

  encode(text: string): Token[] {
    return basicTokens(text, this.lowerCase, this.stripAccents).flatMap((word) => this.#pieces(word))
  }

  /** Words are tokenized each by itself, and most words come again: only a new one is looked into. */
  ids(text: string, limit = Infinity): number[] {
    const ids: number[] = []
    let word = ''
    const take = (part: string): void => {
      const found = part.length > MAX_CACHED_WORD ? this.encode(part).map(({ id }) => id) : this.#words.get(part)
      for (const id of found) ids.push(id)
    }
    const flush = (): void => {
      // Punctuation stands alone in the end; only how a capital sigma is lower-cased depends on what is behind it.
      if (word.length > LONG_WORD && !word.includes('\u03a3'))
        for (const [part] of word.matchAll(PARTS)) {
          if (ids.length >= limit) break
          // Letters and digits of ASCII stay what they are: a word that is too long is unknown.
          if (part.length > MAX_CHARS && /^[0-9A-Za-z]+$/.test(part)) ids.push(this.special.unk)
          else take(part)
        }
      else if (word !== '') take(word)
      word = ''
    }
    for (const char of text) {
      const role = this.#roles.get(char)
      if (role === 'dropped') continue
      if (role === 'part') {
        word += char
        continue
      }
      flush()
      if (role === 'alone') {
        word = char
        flush()
      }
      if (ids.length >= limit) return ids
    }
    flush()
    return ids
  }

  /** Greedy longest match first. */
  #pieces(word: Aligned): Token[] {
    const { chars, from } = word
    const unknown = (): Token[] => [{ token: UNKNOWN, id: this.special.unk, ...span(from, 0, chars.length) }]
    if (chars.length > MAX_CHARS) return unknown()
    const pieces: Token[] = []
    for (let start = 0; start < chars.length;) {
      let end = Math.min(chars.length, start + this.#longest)
      let found: Token | null = null
      for (; end > start && found === null; end--) {
        const token = (start > 0 ? '##' : '') + chars.slice(start, end).join('')
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

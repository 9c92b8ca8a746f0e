import type { Token } from './tokenizer.js'

/**
 * Characters that may make one thing with the space beside them, and those of two UTF-16 units. All others are letters,
 * digits, punctuation or symbols, whose words are tokenized each by itself, whatever stands beside them.
 */
const OTHER = /[^ -~\p{L}\p{N}\p{P}\p{S}]|[\u0d4e\u{10000}-\u{10ffff}]/u

/** True if a text has none of them, and single spaces between its words. */
const isPlain = (text: string): boolean =>
  !OTHER.test(text) && !text.startsWith(' ') && !text.endsWith(' ') && !text.includes('  ')

/** Words that are remembered, and characters of the longest of them. */
const MAX_WORDS = 1 << 14
const MAX_WORD = 24
/** The same of text without spaces, whose sentences rarely come again: it begins with such characters. */
const [CHINESE, MAX_CHINESE] = ['\u2e80', 8]

/** A word before which another stands. */
const CONTEXT = 'x '

/** A token of a word, in a text where the word begins at `start`. */
export const shifted = ({ token, id, start, end }: Token, by: number): Token => ({
  token,
  id,
  start: start + by,
  end: end + by,
})

/** Tokens of a word, whose places count from its start. */
export interface KnownWord {
  readonly tokens: readonly Token[]
  readonly ids: readonly number[]
}

/** Remembers what is made of words. */
export class PlainWords<T> {
  readonly #first = new Map<string, T | null>()
  readonly #later = new Map<string, T | null>()

  /**
   * @param read makes the value of a word behind a context, which is empty for the first word of a text; null if the
   *   word cannot be read by itself
   */
  constructor(readonly read: (context: string, word: string) => T | null) {}

  #valueOf(word: string, isFirst: boolean): T | null {
    const known = isFirst ? this.#first : this.#later
    const found = known.get(word)
    if (found !== undefined) return found
    const value = this.read(isFirst ? '' : CONTEXT, word)
    if (word.length > (word < CHINESE ? MAX_WORD : MAX_CHINESE)) return value
    if (known.size >= MAX_WORDS) known.clear()
    known.set(word, value)
    return value
  }

  /** Values of the words of a text, and the characters where they begin; null if they cannot be read one by one. */
  of(text: string): { readonly value: T; readonly start: number }[] | null {
    if (!isPlain(text)) return null
    const found: { value: T; start: number }[] = []
    for (let start = 0; start < text.length;) {
      const space = text.indexOf(' ', start)
      const end = space === -1 ? text.length : space
      const value = this.#valueOf(text.slice(start, end), start === 0)
      if (value === null) return null
      found.push({ value, start })
      start = end + 1
    }
    return found
  }
}

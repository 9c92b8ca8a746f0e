import { slice, type Aligned } from './aligned.js'
import { isWhiteSpace, isWordCharacter } from './rust-unicode.js'

/** Tokens that are matched in the text before anything else is done to it. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  /** True if it only counts between characters that belong to no word. */
  readonly singleWord: boolean
  /** True if it takes the white space in front of it, or behind it. */
  readonly lstrip: boolean
  readonly rstrip: boolean
  /** True if it is looked for in the normalised text. */
  readonly normalized: boolean
  readonly special: boolean
}

/** A part of a text: an added token, or text between. */
export type Part = { readonly text: Aligned; readonly added: AddedToken | null }

/** Tokens by their first character, longest first. */
export class TokenMatcher {
  readonly #byFirst = new Map<string, { chars: readonly string[]; token: AddedToken }[]>()
  readonly #tokens: readonly (readonly [content: string, token: AddedToken])[]

  constructor(tokens: Iterable<readonly [content: string, token: AddedToken]>) {
    this.#tokens = [...tokens].filter(([content]) => content !== '')
    for (const [content, token] of this.#tokens) {
      const chars = Array.from(content)
      const list = this.#byFirst.get(chars[0]!) ?? []
      list.push({ chars, token })
      this.#byFirst.set(chars[0]!, list)
    }
    for (const list of this.#byFirst.values()) list.sort((a, b) => b.chars.length - a.chars.length)
  }

  get isEmpty(): boolean {
    return this.#tokens.length === 0
  }

  /** True if `text` contains one of the tokens. */
  isIn(text: string): boolean {
    return this.#tokens.some(([content]) => text.includes(content))
  }

  /** The longest token that begins at `at`, or null. */
  longest(chars: readonly string[], at: number): { readonly token: AddedToken; readonly length: number } | null {
    for (const { chars: wanted, token } of this.#byFirst.get(chars[at]!) ?? [])
      if (wanted.every((char, i) => chars[at + i] === char)) return { token, length: wanted.length }
    return null
  }
}

/**
 * Splits a text at tokens as `AddedVocabulary::find_matches` of the tokenizers library does: leftmost longest, with
 * white space around it if a token takes that.
 */
export function splitFast(text: Aligned, matcher: TokenMatcher): Part[] {
  const { chars } = text
  const parts: Part[] = []
  let done = 0
  for (let at = 0; at < chars.length;) {
    const match = matcher.longest(chars, at)
    if (match === null) {
      at++
      continue
    }
    const { token, length } = match
    const next = at + length
    const isFree = (char: string | undefined): boolean => char === undefined || !isWordCharacter(char)
    if (token.singleWord && !(isFree(chars[at - 1]) && isFree(chars[next]))) {
      at = next
      continue
    }
    let [start, stop] = [at, next]
    if (token.lstrip) while (start > done && isWhiteSpace(chars[start - 1]!)) start--
    if (token.rstrip) while (stop < chars.length && isWhiteSpace(chars[stop]!)) stop++
    if (done < start) parts.push({ text: slice(text, done, start), added: null })
    parts.push({ text: slice(text, start, stop), added: token })
    done = stop
    at = next
  }
  if (done < chars.length) parts.push({ text: slice(text, done), added: null })
  return parts
}

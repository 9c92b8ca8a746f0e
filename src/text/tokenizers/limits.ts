import { malformed, type AlbertkitError } from '../../base/errors.js'

/** Limits of a tokenizer's files, with the attacks that they keep out and the largest honest files. */

/** Tokens, lines of a vocabulary: six million lines were one attack. XLM-R has 250,000, BERT 30,000 to 120,000. */
const MAX_TOKENS = 300_000
/** Fields of a `tokenizer.json`: a token is one, an added token ten. Each takes 300 bytes in memory. */
const MAX_FIELDS = 400_000
/** Characters of a token: a line of 120 MB, a piece of 12 MB. The longest tokens of published models have some 200. */
const MAX_TOKEN_LENGTH = 4096
/** Characters of all pieces, each of which may become a node of a tree. XLM-R has 1.4 million, ALBERT 180,000. */
const MAX_PIECE_CHARACTERS = 2_000_000
/** Added tokens, each of which is looked for in every text. Published models have up to 6,000. */
const MAX_ADDED = 10_000

const refused = (what: string, file: string): AlbertkitError =>
  malformed(what, { code: 'limit-exceeded', file, hint: 'no tokenizer is like that: is it another file?' })

/** @throws AlbertkitError `limit-exceeded` */
export function checkTokenCount(count: number, file: string): void {
  if (count > MAX_TOKENS) throw refused(`the vocabulary has more than ${MAX_TOKENS} tokens`, file)
}

/** @throws AlbertkitError `limit-exceeded` */
export function checkTokenLength(length: number, file: string): void {
  if (length > MAX_TOKEN_LENGTH)
    throw refused(`the vocabulary has a token of ${length} characters, and ${MAX_TOKEN_LENGTH} is the limit`, file)
}

/** @throws AlbertkitError `limit-exceeded` */
export function checkAddedCount(count: number, file: string): void {
  if (count > MAX_ADDED) throw refused(`the tokenizer has more than ${MAX_ADDED} added tokens`, file)
}

/** Counts the colons of a JSON text, of which a field has one, before it is parsed. @throws AlbertkitError */
export function checkFields(text: string, file: string): void {
  let fields = 0
  for (let at = text.indexOf(':'); at !== -1; at = text.indexOf(':', at + 1))
    if (++fields > MAX_FIELDS) throw refused(`the tokenizer has more than ${MAX_FIELDS} fields`, file)
}

/** Counts the lines of a vocabulary before they are made. @throws AlbertkitError `limit-exceeded` */
export function checkLines(bytes: Uint8Array, file: string): void {
  const [feed, turn] = [10, 13]
  let lines = 0
  let start = 0
  for (let at = 0; at <= bytes.length; at++) {
    if (at < bytes.length && bytes[at] !== feed && bytes[at] !== turn) continue
    if (at > start) checkTokenLength(at - start, file)
    start = at + 1
    checkTokenCount(++lines - 1, file)
  }
}

/** Pieces of a unigram model, counted before a tree is made of them. @throws AlbertkitError `limit-exceeded` */
export class PieceBudget {
  #count = 0
  #characters = 0

  constructor(readonly file: string) {}

  /** Counts a piece of `length` bytes or characters. */
  add(length: number): void {
    checkTokenCount(++this.#count, this.file)
    checkTokenLength(length, this.file)
    this.#characters += length
    // A character takes up to four bytes.
    if (this.#characters > 4 * MAX_PIECE_CHARACTERS) throw this.#tooMany()
  }

  #tooMany(): AlbertkitError {
    return refused(`the pieces have more than ${MAX_PIECE_CHARACTERS} characters together`, this.file)
  }

  /** @throws AlbertkitError if they have too many characters */
  check(pieces: Iterable<{ readonly piece: string }>): void {
    let characters = 0
    for (const { piece } of pieces) characters += piece.length
    if (characters > MAX_PIECE_CHARACTERS) throw this.#tooMany()
  }
}

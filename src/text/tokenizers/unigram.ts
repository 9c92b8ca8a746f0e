import { filter, textOf, type Aligned } from './aligned.js'
import { byteLength, Charsmap } from './charsmap.js'
import { PieceTrie } from './piece-trie.js'
import type { SpieceModel } from './spiece-model.js'
import { cutAlong, UnigramLattice } from './unigram-path.js'

/** SentencePiece's unigram model. */

export const MARK = '\u2581'
/** Log probability of an unknown character below that of the least probable piece (unigram_model.cc, kUnkPenalty). */
const UNKNOWN_PENALTY = 10
/** Largest error of a sum of float32, relative to it, for each summand; doubled, and once more for either of two paths. */
const ROUNDING = 2 ** -21

const isUnknown = (piece: number): boolean => piece === -1

/** Half of a surrogate pair. */
const LONE = /^\p{Cs}$/u

/** A normalised word, and its best path in any text that has a score below `limit` in front of it. */
export interface UnigramWord {
  readonly text: Aligned
  readonly pieces: readonly Aligned[]
  /** Scores that are summed along the path. */
  readonly steps: readonly number[]
  readonly limit: number
}

/** The SentencePiece library: normalisation and the most probable segmentation. */
export class Unigram {
  readonly #user = new PieceTrie()
  readonly #ids = new Map<string, number>()
  readonly #charsmap: Charsmap
  readonly #lattice: UnigramLattice
  /** True if no piece contains `MARK` except at its start, so that pieces never span words. */
  readonly words: boolean
  /** True if words can be segmented one by one: each begins with a piece, and sums only fall. */
  readonly separable: boolean

  constructor(
    readonly model: SpieceModel,
    file: string,
  ) {
    this.#charsmap = new Charsmap(model.charsmap, file)
    const own = model.pieces.filter(({ kind }) => kind === 'piece').map(({ score }) => score)
    const min = own.reduce((least, score) => Math.min(least, score), Infinity)
    const max = own.reduce((largest, score) => Math.max(largest, score), -Infinity)
    const scores = Float64Array.from(model.pieces, ({ piece, score, kind }) =>
      kind === 'user' ? Math.fround(Math.fround(byteLength(piece) * max) - 0.1) : score,
    )
    const unknown = Math.fround(min - UNKNOWN_PENALTY)
    this.#lattice = new UnigramLattice({ scores, unknown, float32: true })
    model.pieces.forEach(({ piece, kind }, i) => {
      if (!this.#ids.has(piece)) this.#ids.set(piece, i)
      if (kind === 'piece' || kind === 'user') this.#lattice.add(piece, i)
      // It may have the text of another piece, which no text has then.
      if (kind === 'unused') this.#lattice.add(piece, -1)
      if (kind === 'user') this.#user.add(piece, i)
    })
    this.words = model.pieces.every(({ piece }) => !piece.includes(MARK, 1))
    const { addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces } = model
    const isUsual = addDummyPrefix && removeExtraWhitespaces && escapeWhitespaces
    const falls = max <= 0 && unknown <= 0 && scores.every((score) => score <= 0)
    this.separable = isUsual && this.words && falls && this.#lattice.path(MARK).pieces[0] !== -1
  }

  idOf(piece: string): number | undefined {
    return this.#ids.get(piece)
  }

  /** The longest user-defined symbol at `at`, in characters; 0 if there is none. */
  #userSymbol(chars: readonly string[], at: number): number {
    let longest = 0
    for (let i = at, node = 0; i < chars.length; i++) {
      let slot = -1
      for (let unit = 0; unit < chars[i]!.length; unit++) {
        slot = this.#user.follow(node, chars[i]!.charCodeAt(unit))
        if (slot === -1) return longest
        node = this.#user.nodeAt(slot)
      }
      if (this.#user.valueAt(slot) !== -1) longest = i + 1 - at
    }
    return longest
  }

  /** Replaces by the table, with the origin of each character. */
  #mapped(text: Aligned): Aligned {
    const whole = text.chars.map((c) => (c >= '\ud800' && LONE.test(c) ? '\ufffd' : c))
    const chars: string[] = []
    const from: number[] = []
    for (let i = 0; i < whole.length;) {
      const user = this.#userSymbol(whole, i)
      const entry = user > 0 ? null : this.#charsmap.longestAt(whole, i)
      const count = entry?.count ?? Math.max(1, user)
      const origin = text.from[i]!
      for (const char of entry?.text ?? whole.slice(i, i + count).join('')) {
        chars.push(char)
        from.push(origin)
      }
      i += count
    }
    return { chars, from }
  }

  /** normalizer.cc `Normalize`. */
  normalize(text: Aligned): Aligned {
    const { addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces } = this.model
    const mapped = this.#mapped(text)
    const chars: string[] = []
    const from: number[] = []
    const put = (char: string, origin: number): void => {
      chars.push(char === ' ' && escapeWhitespaces ? MARK : char)
      from.push(origin)
    }
    let afterSpace = removeExtraWhitespaces
    mapped.chars.forEach((char, i) => {
      if (char === ' ' && afterSpace) return
      if (chars.length === 0 && addDummyPrefix) put(' ', mapped.from[i]!)
      put(char, mapped.from[i]!)
      afterSpace = removeExtraWhitespaces && char === ' '
    })
    const space = escapeWhitespaces ? MARK : ' '
    if (removeExtraWhitespaces)
      while (chars.at(-1) === space) {
        chars.pop()
        from.pop()
      }
    return { chars, from }
  }

  /**
   * unigram_model.cc `EncodeOptimized`, every sum a float32 as in its lattice. Neighbouring unknown pieces are one.
   * @param before score of the text in front
   */
  segment(text: Aligned, before = 0): { readonly pieces: Aligned[]; readonly score: number } {
    const path = this.#lattice.path(textOf(text), before)
    return { pieces: cutAlong(text, path, isUnknown), score: path.score }
  }

  /**
   * A word of a text, normalised, with its `MARK`. Its best path is the same wherever it stands as long as it is better
   * than every other by more than what the score in front of it changes when sums are rounded.
   */
  word(text: Aligned): UnigramWord {
    const path = this.#lattice.path(textOf(text))
    const { scores, unknown } = this.#lattice.given
    const error = ROUNDING * (text.chars.length + 1)
    const limit = path.margins.reduce((least, margin, i) => Math.min(least, margin / error + path.scores[i]!), Infinity)
    const steps = path.pieces.map((piece) => (piece === -1 ? unknown : scores[piece]!))
    return { text, pieces: cutAlong(text, path, isUnknown), steps, limit }
  }

  /** `EncodeAsPieces`. */
  pieces(text: Aligned): Aligned[] {
    return this.segment(this.normalize(text)).pieces
  }
}

/** Score at the end of a word that has `before` in front of it. */
export const scoreAfter = ({ steps }: UnigramWord, before: number): number =>
  steps.reduce((sum, step) => Math.fround(step + sum), before)

/** The same text without `MARK`s. */
export const withoutMarks = (text: Aligned): Aligned => filter(text, (char) => char !== MARK)

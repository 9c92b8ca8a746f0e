import { span, textOf, type Aligned } from './aligned.js'
import type { Token } from './tokenizer.js'
import { cutAlong, UnigramLattice } from './unigram-path.js'

/** The unigram model of the tokenizers library (models/unigram/model.rs, `encode_optimized`). */

/** kUnkPenalty. */
const UNKNOWN_PENALTY = 10

export interface RustUnigramOptions {
  /** Index of the unknown piece, or null if there is none. */
  readonly unknown: number | null
  /** True if an unknown piece is written as pieces of bytes. */
  readonly byteFallback: boolean
}

/** Most probable segmentation by a list of pieces with scores, summed in double precision. */
export class RustUnigram {
  readonly #ids = new Map<string, number>()
  readonly #lattice: UnigramLattice

  constructor(
    readonly pieces: readonly (readonly [piece: string, score: number])[],
    readonly options: RustUnigramOptions,
  ) {
    const scores = Float64Array.from(pieces, ([, score]) => score)
    const unknown = scores.reduce((lowest, score) => Math.min(lowest, score), Infinity) - UNKNOWN_PENALTY
    this.#lattice = new UnigramLattice({ scores, unknown, float32: false })
    pieces.forEach(([piece], id) => {
      this.#ids.set(piece, id)
      this.#lattice.add(piece, id)
    })
  }

  idOf(piece: string): number | undefined {
    return this.#ids.get(piece)
  }

  /** Pieces of the best path, unknown ones in a row being one. */
  #segment(text: Aligned): Aligned[] {
    const { unknown } = this.options
    return cutAlong(
      text,
      this.#lattice.path(textOf(text)),
      (piece) => unknown !== null && (piece === -1 || piece === unknown),
    )
  }

  /** Tokens of a word; unknown ones keep their text. */
  encode(word: Aligned): Token[] {
    return this.#segment(word).flatMap((piece): Token[] => {
      const token = textOf(piece)
      const place = span(piece.from)
      const id = this.#ids.get(token)
      if (id !== undefined) return [{ token, id, ...place }]
      if (this.options.byteFallback) {
        const bytes = Array.from(new TextEncoder().encode(token), (byte) => {
          const name = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`
          return { token: name, id: this.#ids.get(name) ?? -1, ...place }
        })
        if (bytes.every(({ id: own }) => own !== -1)) return bytes
      }
      return [{ token, id: this.options.unknown ?? 0, ...place }]
    })
  }
}

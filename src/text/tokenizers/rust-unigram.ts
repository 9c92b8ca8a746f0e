import { slice, span, textOf, type Aligned } from './aligned.js'
import { follow, insertWord, newTrie, type CharNode } from './char-trie.js'
import type { Token } from './tokenizer.js'

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
  /** Ids of pieces. */
  readonly #root = newTrie()
  readonly #ids = new Map<string, number>()
  readonly #unknownScore: number

  constructor(
    readonly pieces: readonly (readonly [piece: string, score: number])[],
    readonly options: RustUnigramOptions,
  ) {
    let lowest = Infinity
    pieces.forEach(([piece, score], id) => {
      lowest = Math.min(lowest, score)
      this.#ids.set(piece, id)
      insertWord(this.#root, piece, id)
    })
    this.#unknownScore = lowest - UNKNOWN_PENALTY
  }

  idOf(piece: string): number | undefined {
    return this.#ids.get(piece)
  }

  /** Best path: ends of its pieces, unknown ones in a row being one. */
  #segment(text: Aligned): Aligned[] {
    const { chars } = text
    const scores = new Float64Array(chars.length + 1)
    const starts = new Int32Array(chars.length + 1).fill(-1)
    const isUnknown = new Uint8Array(chars.length + 1)
    const offer = (end: number, start: number, score: number, unknown: boolean): void => {
      if (starts[end] !== -1 && score <= scores[end]!) return
      scores[end] = score
      starts[end] = start
      isUnknown[end] = unknown ? 1 : 0
    }
    for (let start = 0; start < chars.length; start++) {
      const before = scores[start]!
      let single = false
      let node: CharNode | undefined = this.#root
      for (let i = start; i < chars.length; i++) {
        node = follow(node, chars[i]!)
        if (node === undefined) break
        if (node.value === -1) continue
        offer(i + 1, start, this.pieces[node.value]![1] + before, node.value === this.options.unknown)
        if (i === start) single = true
      }
      if (!single) offer(start + 1, start, this.#unknownScore + before, true)
    }
    const path: { start: number; end: number; unknown: boolean }[] = []
    for (let end = chars.length; end > 0;) {
      const [start, unknown] = [starts[end]!, isUnknown[end] === 1]
      const next = path.at(-1)
      if (unknown && next?.unknown === true && this.options.unknown !== null) next.start = start
      else path.push({ start, end, unknown })
      end = start
    }
    return path.reverse().map(({ start, end }) => slice(text, start, end))
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

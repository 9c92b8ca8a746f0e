import { slice, type Aligned } from './aligned.js'
import { PieceTrie } from './piece-trie.js'

/** Edges of the best path through a text, in its order: ends in UTF-16 units, and pieces. */
export interface Path {
  readonly ends: readonly number[]
  /** Index of each piece, or -1 of an unknown character. */
  readonly pieces: readonly number[]
  /** Score at the end of the path. */
  readonly score: number
  /** Score at each end, and how much better it is than that of any other way there. */
  readonly scores: readonly number[]
  readonly margins: readonly number[]
}

/** Texts of this many units share their memory. */
const SHARED_UNITS = 1 << 12

const isHigh = (unit: number): boolean => (unit & 0xfc00) === 0xd800
const isLow = (unit: number): boolean => (unit & 0xfc00) === 0xdc00

/** Units of the character at `at`. */
const charLength = (text: string, at: number): number =>
  isHigh(text.charCodeAt(at)) && isLow(text.charCodeAt(at + 1)) ? 2 : 1

/** Segments of a text along a path: neighbouring pieces that `isUnknown` takes are one. */
export function cutAlong(text: Aligned, { ends, pieces }: Path, isUnknown: (piece: number) => boolean): Aligned[] {
  const { chars } = text
  const joined: number[] = []
  let [units, count] = [0, 0]
  ends.forEach((end, i) => {
    while (units < end) units += chars[count++]!.length
    if (i > 0 && isUnknown(pieces[i]!) && isUnknown(pieces[i - 1]!)) joined.pop()
    joined.push(count)
  })
  return joined.map((end, i) => slice(text, joined[i - 1] ?? 0, end))
}

/** Best scores of the ways to each place of a text, their last edges, and the second-best scores. */
class Places {
  readonly starts: Int32Array
  readonly pieces: Int32Array
  readonly scores: Float64Array
  readonly seconds: Float64Array

  constructor(count: number) {
    this.starts = new Int32Array(count)
    this.pieces = new Int32Array(count)
    this.scores = new Float64Array(count)
    this.seconds = new Float64Array(count)
  }
}

export interface UnigramScores {
  /** Score of each piece. */
  readonly scores: Float64Array
  /** Score of a character that no piece is. */
  readonly unknown: number
  /** True if sums are rounded to float32, as the SentencePiece library has them; else doubles (tokenizers). */
  readonly float32: boolean
}

/**
 * Most probable segmentation (`EncodeOptimized` of unigram_model.cc, `encode_optimized` of models/unigram/model.rs): of
 * two paths that are equally good to the last digit, as `1` `11` and `11` `1` are, the one found first stays.
 */
export class UnigramLattice {
  readonly #trie = new PieceTrie()
  readonly #shared = new Places(SHARED_UNITS + 1)

  constructor(readonly given: UnigramScores) {}

  /** Adds a piece that texts may have; a later one with the same text replaces it. */
  add(piece: string, index: number): void {
    this.#trie.add(piece, index)
  }

  /** Best path through a text behind one that has the score `before`. */
  path(text: string, before = 0): Path {
    const places = text.length <= SHARED_UNITS ? this.#shared : new Places(text.length + 1)
    this.#search(text, before, places)
    const [ends, pieces, scores, margins]: [number[], number[], number[], number[]] = [[], [], [], []]
    for (let end = text.length; end > 0; end = places.starts[end]!) {
      ends.push(end)
      pieces.push(places.pieces[end]!)
      scores.push(places.scores[end]!)
      margins.push(places.scores[end]! - places.seconds[end]!)
    }
    for (const list of [ends, pieces, scores, margins]) list.reverse()
    return { ends, pieces, score: places.scores[text.length]!, scores, margins }
  }

  #search(text: string, before: number, { starts, pieces, scores, seconds }: Places): void {
    const trie = this.#trie
    const { scores: own, unknown, float32 } = this.given
    const { length } = text
    scores.fill(-Infinity, 0, length + 1)
    seconds.fill(-Infinity, 0, length + 1)
    starts.fill(0, 0, length + 1)
    pieces.fill(-1, 0, length + 1)
    scores[0] = before
    /** Takes a path that ends with `piece`, from `start` to `end`, if it is the best one to `end` so far. */
    const offer = (end: number, start: number, piece: number, exact: number): void => {
      const sum = float32 ? Math.fround(exact) : exact
      if (sum <= scores[end]!) {
        if (sum > seconds[end]!) seconds[end] = sum
        return
      }
      seconds[end] = scores[end]!
      scores[end] = sum
      starts[end] = start
      pieces[end] = piece
    }
    for (let start = 0; start < length; start += charLength(text, start)) {
      const score = scores[start]!
      const width = charLength(text, start)
      let isKnown = false
      for (let i = start, node = 0; i < length; i++) {
        const slot = trie.follow(node, text.charCodeAt(i))
        if (slot === -1) break
        node = trie.nodeAt(slot)
        const piece = trie.valueAt(slot)
        if (piece === -1) continue
        const end = i + 1
        if (end === start + width) isKnown = true
        offer(end, start, piece, own[piece]! + score)
      }
      if (!isKnown) offer(start + width, start, -1, unknown + score)
    }
  }
}

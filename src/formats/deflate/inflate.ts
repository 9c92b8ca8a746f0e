import { BitInput, DeflateError, type ByteRanges } from './bits.js'
import {
  DISTANCE_BASE,
  DISTANCE_EXTRA,
  FIXED,
  huffmanTable,
  LENGTH_BASE,
  LENGTH_EXTRA,
  type HuffmanTable,
} from './huffman.js'

/** Largest distance of a match, in bytes (RFC 1951, 2). */
export const HISTORY = 32 * 1024

/** Order in which the lengths of the codes for lengths are written (3.2.7). */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
const END_OF_BLOCK = 256
const MAX_MATCH = 258

type Phase = 'header' | 'stored' | 'codes' | 'end'

/** A place in a stream from which decompression can go on. */
export interface InflateState {
  readonly at: number
  readonly bits: number
  readonly count: number
  readonly phase: Phase
  readonly isLast: boolean
  /** Bytes of a stored block that are still to come. */
  readonly stored: number
  /** A match of which a part is still to be copied. */
  readonly matchLength: number
  readonly matchDistance: number
  readonly literals: HuffmanTable
  readonly distances: HuffmanTable
  /** Bytes that came out before. */
  readonly produced: number
}

/** The state at the first byte of a stream. */
export const startOf = (at: number): InflateState => ({
  at,
  bits: 0,
  count: 0,
  phase: 'header',
  isLast: false,
  stored: 0,
  matchLength: 0,
  matchDistance: 0,
  literals: FIXED.literals,
  distances: FIXED.distances,
  produced: 0,
})

/** Decompresses a DEFLATE stream (RFC 1951) piece by piece, from any state that was kept. */
export class Inflater {
  readonly #input: BitInput
  #phase: Phase
  #isLast: boolean
  #stored: number
  #matchLength: number
  #matchDistance: number
  #literals: HuffmanTable
  #distances: HuffmanTable
  /** Bytes that were inflated before the current piece, and its start. */
  #produced: number
  #start = 0

  /** @param end offset behind the last byte of the stream */
  constructor(bytes: ByteRanges, end: number, state: InflateState) {
    this.#input = new BitInput(bytes, state.at, end)
    this.#input.bits = state.bits
    this.#input.count = state.count
    this.#phase = state.phase
    this.#isLast = state.isLast
    this.#stored = state.stored
    this.#matchLength = state.matchLength
    this.#matchDistance = state.matchDistance
    this.#literals = state.literals
    this.#distances = state.distances
    this.#produced = state.produced
  }

  get state(): InflateState {
    const { at, bits, count } = this.#input
    return {
      at,
      bits,
      count,
      phase: this.#phase,
      isLast: this.#isLast,
      stored: this.#stored,
      matchLength: this.#matchLength,
      matchDistance: this.#matchDistance,
      literals: this.#literals,
      distances: this.#distances,
      produced: this.#produced,
    }
  }

  /** Offset of the byte behind the stream, once it has ended. */
  get endsAt(): number | null {
    return this.#phase === 'end' ? this.#input.at - (this.#input.count >>> 3) : null
  }

  /**
   * Fills `out` from `start` on; the bytes before it are the last ones that were inflated.
   * @returns offset behind the last byte that came out: less than `out.length` at the end of the stream only
   * @throws DeflateError
   */
  fill(out: Uint8Array, start: number): number {
    this.#start = start
    let at = start
    while (at < out.length && this.#phase !== 'end') {
      if (this.#phase === 'header') this.#header()
      else at = this.#phase === 'stored' ? this.#copyStored(out, at) : this.#decode(out, at)
    }
    // The end of a block that ends with the piece belongs to it.
    if (at === out.length && this.#phase === 'stored' && this.#stored === 0) this.#endBlock()
    this.#produced += at - start
    return at
  }

  #endBlock(): void {
    this.#phase = this.#isLast ? 'end' : 'header'
  }

  #header(): void {
    const input = this.#input
    this.#isLast = input.take(1) === 1
    const kind = input.take(2)
    if (kind === 3) throw new DeflateError('a block is of no known kind')
    if (kind === 0) {
      input.align()
      const length = input.take(16)
      if (length !== (~input.take(16) & 0xffff)) throw new DeflateError('a block contradicts its length')
      this.#stored = length
      this.#phase = 'stored'
      return
    }
    this.#phase = 'codes'
    if (kind === 2) this.#readTables()
    else {
      this.#literals = FIXED.literals
      this.#distances = FIXED.distances
    }
  }

  #copyStored(out: Uint8Array, at: number): number {
    const length = Math.min(this.#stored, out.length - at)
    this.#input.copy(out.subarray(at, at + length))
    this.#stored -= length
    if (this.#stored === 0) this.#endBlock()
    return at + length
  }

  /** The codes that a block brings (3.2.7). */
  #readTables(): void {
    const input = this.#input
    const literals = input.take(5) + 257
    const distances = input.take(5) + 1
    const count = input.take(4) + 4
    if (literals > 286 || distances > 30) throw new DeflateError('a block has too many codes')
    const own = new Uint8Array(19)
    for (let i = 0; i < count; i++) own[ORDER[i]!] = input.take(3)
    const table = huffmanTable(own, false)
    if (table === null) throw new DeflateError('the codes of a block are impossible')
    const lengths = new Uint8Array(literals + distances)
    for (let at = 0; at < lengths.length;) {
      const symbol = this.#symbol(table)
      if (symbol < 16) {
        lengths[at++] = symbol
        continue
      }
      const value = symbol === 16 ? lengths[at - 1] : 0
      const times = symbol === 16 ? 3 + input.take(2) : symbol === 17 ? 3 + input.take(3) : 11 + input.take(7)
      if (value === undefined || at + times > lengths.length)
        throw new DeflateError('the codes of a block are impossible')
      lengths.fill(value, at, (at += times))
    }
    const made = [huffmanTable(lengths.subarray(0, literals), true), huffmanTable(lengths.subarray(literals), true)]
    if (lengths[END_OF_BLOCK] === 0 || made[0] == null || made[1] == null)
      throw new DeflateError('the codes of a block are impossible')
    this.#literals = made[0]
    this.#distances = made[1]
  }

  #symbol({ bits, entries }: HuffmanTable): number {
    const input = this.#input
    while (input.count < bits) {
      input.bits |= input.byte() << input.count
      input.count += 8
    }
    const entry = entries[input.bits & ((1 << bits) - 1)]!
    if (entry === 0) throw new DeflateError('a code is not defined')
    input.bits >>>= entry & 15
    input.count -= entry & 15
    if (input.at > input.end && input.isOver()) throw new DeflateError('it ends early', 'file-truncated')
    return entry >>> 4
  }

  /** Literals and matches, up to the end of the block or of `out`. */
  #decode(out: Uint8Array, from: number): number {
    let at = this.#matchLength > 0 ? this.#copyMatch(out, from) : from
    while (at < out.length) {
      at = this.#decodeFast(out, at)
      if (at === out.length) return at
      const symbol = this.#symbol(this.#literals)
      if (symbol < END_OF_BLOCK) {
        out[at++] = symbol
        continue
      }
      if (symbol === END_OF_BLOCK) {
        this.#endBlock()
        return at
      }
      const length = symbol - 257
      if (length >= LENGTH_BASE.length) throw new DeflateError('a length is not defined')
      this.#matchLength = LENGTH_BASE[length]! + this.#input.take(LENGTH_EXTRA[length]!)
      const distance = this.#symbol(this.#distances)
      if (distance >= DISTANCE_BASE.length) throw new DeflateError('a distance is not defined')
      this.#matchDistance = DISTANCE_BASE[distance]! + this.#input.take(DISTANCE_EXTRA[distance]!)
      if (this.#matchDistance > this.#produced + at - this.#start)
        throw new DeflateError('a match reaches back beyond the start')
      at = this.#copyMatch(out, at)
    }
    return at
  }

  /**
   * The same as the loop of `#decode` as far as the bytes at hand and the room in `out` last for sure, with all that it
   * needs in local variables: several times as fast. What is wrong, and the end of the block, it leaves to that loop.
   */
  #decodeFast(out: Uint8Array, from: number): number {
    const input = this.#input
    const { chunk, within } = input
    const literals = this.#literals.entries
    const distances = this.#distances.entries
    const literalMask = literals.length - 1
    const distanceMask = distances.length - 1
    const room = out.length - MAX_MATCH
    const before = this.#produced - this.#start
    let { bits, count } = input
    let next = within
    let at = from
    for (const safe = chunk.length - 12; at <= room && next <= safe;) {
      // Kept to go back to.
      const oldBits = bits
      const oldCount = count
      const oldNext = next
      for (; count < 24; count += 8) bits |= chunk[next++]! << count
      const entry = literals[bits & literalMask]!
      bits >>>= entry & 15
      count -= entry & 15
      const symbol = entry >>> 4
      if (symbol < END_OF_BLOCK && entry !== 0) {
        out[at++] = symbol
        continue
      }
      for (; count < 24; count += 8) bits |= chunk[next++]! << count
      const extra = LENGTH_EXTRA[symbol - 257] ?? 0
      const length = (LENGTH_BASE[symbol - 257] ?? 0) + (bits & ((1 << extra) - 1))
      bits >>>= extra
      count -= extra
      const code = distances[bits & distanceMask]!
      bits >>>= code & 15
      count -= code & 15
      for (; count < 24; count += 8) bits |= chunk[next++]! << count
      const more = DISTANCE_EXTRA[code >>> 4] ?? 0
      const distance = (DISTANCE_BASE[code >>> 4] ?? 0) + (bits & ((1 << more) - 1))
      bits >>>= more
      count -= more
      if (
        entry === 0 ||
        symbol === END_OF_BLOCK ||
        length === 0 ||
        code === 0 ||
        distance === 0 ||
        distance > before + at
      ) {
        bits = oldBits
        count = oldCount
        next = oldNext
        break
      }
      const end = at + length
      if (distance === 1) {
        out.fill(out[at - 1]!, at, end)
        at = end
      } else for (; at < end; at++) out[at] = out[at - distance]!
    }
    input.bits = bits
    input.count = count
    input.at += next - within
    return at
  }

  #copyMatch(out: Uint8Array, at: number): number {
    const distance = this.#matchDistance
    const end = Math.min(at + this.#matchLength, out.length)
    this.#matchLength -= end - at
    if (distance === 1) out.fill(out[at - 1]!, at, end)
    else if (distance >= end - at) out.copyWithin(at, at - distance, end - distance)
    else for (let i = at; i < end; i++) out[i] = out[i - distance]!
    return end
  }
}

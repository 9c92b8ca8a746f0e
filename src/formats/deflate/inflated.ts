import { type ByteRanges } from './bits.js'
import { HISTORY, Inflater, startOf, type InflateState } from './inflate.js'

/** Bytes that are decompressed at a time. Each such segment can be begun with, at the price of 32 KiB. */
const SEGMENT = 1024 * 1024
/**
 * Segments that are kept of all streams of one archive: weights are read several times over (checksum, values, hash),
 * and decompressing takes longer than all of that. ALBERT-base fits. A limit, so that memory does not grow with the
 * model.
 */
const KEPT = 56

/** Segments that were decompressed, of one stream or of all of an archive, the oldest of which are forgotten. */
export class SegmentCache {
  readonly #kept = new Map<string, Uint8Array<ArrayBuffer>>()
  /** Memory of the segment that was forgotten last: what is left to the garbage collector stays for long. */
  #free: ArrayBuffer | null = null
  #streams = 0

  /** Number of another stream. */
  stream(): number {
    return this.#streams++
  }

  get(stream: number, index: number): Uint8Array | undefined {
    const key = `${stream} ${index}`
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    // The newest last: the first is the one to forget.
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    return kept
  }

  /** Memory for another segment and the bytes before it; what is in it is of no meaning. */
  memory(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#free ?? new ArrayBuffer(HISTORY + SEGMENT))
    this.#free = null
    return bytes
  }

  /** @param segment part of `memory()`; in use until as many others have been set as are kept */
  set(stream: number, index: number, segment: Uint8Array<ArrayBuffer>): void {
    this.#kept.set(`${stream} ${index}`, segment)
    const [oldest] = this.#kept
    if (this.#kept.size <= KEPT || oldest === undefined) return
    this.#kept.delete(oldest[0])
    this.#free = oldest[1].buffer
  }
}

/** Start of a segment, with the bytes before it that its matches may refer to. */
interface Checkpoint {
  readonly state: InflateState
  readonly history: Uint8Array
}

/**
 * The decompressed bytes of a DEFLATE stream, read by ranges in any order: every segment can be decompressed from the
 * state that was kept at its start, so that neither the whole nor a copy of it is ever in memory or on disk.
 */
export class InflatedBytes {
  readonly #checkpoints: Checkpoint[]
  readonly #stream: number
  #size: number | null = null
  #endsAt = 0

  /**
   * @param end offset behind the last byte that the stream may have
   * @param onNew is given each piece once, in order, when it first comes out; it may throw to stop
   * @param cache keeps segments, those of other streams too
   */
  constructor(
    readonly bytes: ByteRanges,
    start: number,
    readonly end: number,
    readonly onNew: (piece: Uint8Array) => void = () => undefined,
    readonly cache = new SegmentCache(),
  ) {
    this.#stream = cache.stream()
    this.#checkpoints = [{ state: startOf(start), history: new Uint8Array(HISTORY) }]
  }

  /**
   * Decompresses what did not come out yet.
   * @returns number of all bytes, and offset of the byte behind the stream
   * @throws DeflateError if they are damaged
   */
  finish(): { readonly size: number; readonly endsAt: number } {
    while (this.#size === null) this.#inflate(this.#checkpoints.length - 1)
    return { size: this.#size, endsAt: this.#endsAt }
  }

  /** Copies bytes from `offset` on, as many as there are. @throws DeflateError */
  read(offset: number, target: Uint8Array): number {
    let done = 0
    while (done < target.length) {
      const at = offset + done
      const index = Math.floor(at / SEGMENT)
      const segment = this.#segment(index)
      const part = segment.subarray(at - index * SEGMENT).subarray(0, target.length - done)
      if (part.length === 0) break
      target.set(part, done)
      done += part.length
    }
    return done
  }

  /** The segment of that number; empty behind the end. */
  #segment(index: number): Uint8Array {
    const kept = this.cache.get(this.#stream, index)
    if (kept !== undefined) return kept
    while (this.#checkpoints.length <= index && this.#size === null) this.#inflate(this.#checkpoints.length - 1)
    return index < this.#checkpoints.length ? this.#inflate(index) : new Uint8Array(0)
  }

  #inflate(index: number): Uint8Array {
    const { state, history } = this.#checkpoints[index]!
    const out = this.cache.memory()
    out.set(history)
    const inflater = new Inflater(this.bytes, this.end, state)
    const end = inflater.fill(out, HISTORY)
    const segment = out.subarray(HISTORY, end)
    if (index === this.#checkpoints.length - 1 && this.#size === null) this.onNew(segment)
    if (end < out.length) {
      this.#size = index * SEGMENT + segment.length
      this.#endsAt = inflater.endsAt ?? this.end
    } else if (index === this.#checkpoints.length - 1)
      this.#checkpoints.push({ state: inflater.state, history: out.slice(end - HISTORY, end) })
    this.cache.set(this.#stream, index, segment)
    return segment
  }
}

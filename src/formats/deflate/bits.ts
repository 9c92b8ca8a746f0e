import type { ErrorCode } from '../../base/error-codes.js'

/** Bytes that are read by ranges. */
export interface ByteRanges {
  read(offset: number, target: Uint8Array): void
}

/** Bytes of input that are read at a time. */
const CHUNK = 64 * 1024

/** Error of bytes that are not a DEFLATE stream. The caller, which knows the file, turns it into an AlbertkitError. */
export class DeflateError extends Error {
  constructor(
    message: string,
    readonly code: ErrorCode = 'header-invalid',
  ) {
    super(message)
  }
}

/** The bits of a range of bytes, the lowest of each byte first. */
export class BitInput {
  /** Bits that were read and not yet taken, the next one lowest. */
  bits = 0
  count = 0
  /** Offset of the byte after the last that was read; beyond `end` by the zero bytes that were made up there. */
  at: number
  #chunk: Uint8Array = new Uint8Array(0)
  #chunkStart = 0

  constructor(
    readonly bytes: ByteRanges,
    start: number,
    readonly end: number,
  ) {
    this.at = start
  }

  /** The next byte; zeros follow the end, since the longest code is looked up whole. */
  byte(): number {
    const at = this.at++
    if (at >= this.end) return 0
    const within = at - this.#chunkStart
    if (within >= 0 && within < this.#chunk.length) return this.#chunk[within]!
    this.#chunk = new Uint8Array(Math.min(CHUNK, this.end - at))
    this.bytes.read(at, this.#chunk)
    this.#chunkStart = at
    return this.#chunk[0]!
  }

  /** Bytes that were read last, among them those at hand. */
  get chunk(): Uint8Array {
    return this.#chunk
  }

  /** Place of the next byte in `chunk`. */
  get within(): number {
    return this.at - this.#chunkStart
  }

  /** Takes `n` bits, at most 16. */
  take(n: number): number {
    while (this.count < n) {
      this.bits |= this.byte() << this.count
      this.count += 8
    }
    const value = this.bits & ((1 << n) - 1)
    this.bits >>>= n
    this.count -= n
    if (this.isOver()) throw new DeflateError('it ends early', 'file-truncated')
    return value
  }

  /** True if bits were taken that are not there. */
  isOver(): boolean {
    return (this.at - this.end) * 8 > this.count
  }

  /** Leaves out what is left of the current byte, and gives back the whole ones. */
  align(): void {
    this.at -= this.count >>> 3
    this.bits = 0
    this.count = 0
  }

  /** Copies bytes at a whole byte into `target`. */
  copy(target: Uint8Array): void {
    if (this.at + target.length > this.end) throw new DeflateError('it ends early', 'file-truncated')
    this.bytes.read(this.at, target)
    this.at += target.length
  }
}

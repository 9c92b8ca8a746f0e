import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, type AlbertkitError } from '../../base/errors.js'
import type { RangedFile } from '../core/file.js'

/** Pickles are read through a window, so that the size of one claims no memory. */
const WINDOW = 64 * 1024
/** A line of a text opcode is a number or a short name. */
const MAX_LINE = 64 * 1024

/** Reads a part of a file forwards. Positions are bytes from the start of the file. */
export class ByteCursor {
  position: number
  #window: Uint8Array = new Uint8Array(0)
  #windowStart = 0

  /** @param end first byte that does not belong to the part */
  constructor(
    readonly file: RangedFile,
    start: number,
    readonly end: number,
  ) {
    this.position = start
  }

  fail(what: string, offset = this.position, code: ErrorCode = 'header-invalid'): AlbertkitError {
    return malformed(what, {
      code,
      file: this.file.path,
      offset,
      hint: 'the file is damaged or cut off: fetch it again',
    })
  }

  /** Makes `length` bytes from the position on available, at most a window full. */
  #ensure(length: number): number {
    const at = this.position - this.#windowStart
    if (at >= 0 && at + length <= this.#window.length) return at
    if (this.position + length > this.end)
      throw this.fail(`the pickle ends at byte ${this.end}, within an opcode`, this.position, 'file-truncated')
    this.#window = this.file.bytes(this.position, Math.min(WINDOW, this.end - this.position))
    this.#windowStart = this.position
    return 0
  }

  byte(): number {
    const at = this.#ensure(1)
    this.position++
    return this.#window[at]!
  }

  /** Little-endian unsigned number of 2, 4 or 8 bytes; what no file can be as large as is an error. */
  uint(width: 1 | 2 | 4 | 8): number {
    const at = this.#ensure(width)
    let value = 0
    for (let i = width - 1; i >= 0; i--) value = value * 256 + this.#window[at + i]!
    if (!Number.isSafeInteger(value)) throw this.fail(`a length of ${value} bytes`, this.position, 'limit-exceeded')
    this.position += width
    return value
  }

  int32(): number {
    return this.uint(4) | 0
  }

  /** Big-endian, as pickle writes a float. */
  float64(): number {
    const at = this.#ensure(8)
    this.position += 8
    return new DataView(this.#window.buffer, this.#window.byteOffset + at, 8).getFloat64(0)
  }

  /** A copy of the next `length` bytes, which must not be more than `limit`. */
  bytes(length: number, limit: number): Uint8Array {
    if (length > limit)
      throw this.fail(`${length} bytes in one value, more than the limit of ${limit}`, this.position, 'limit-exceeded')
    if (this.position + length > this.end)
      throw this.fail(`a value of ${length} bytes, but the pickle ends at ${this.end}`, this.position, 'file-truncated')
    if (length > WINDOW) {
      const copy = this.file.bytes(this.position, length)
      this.position += length
      return copy
    }
    const at = this.#ensure(length)
    this.position += length
    return this.#window.slice(at, at + length)
  }

  /** Up to the next line feed, which is left out. */
  line(): Uint8Array {
    const bytes: number[] = []
    for (;;) {
      const next = this.byte()
      if (next === 0x0a) return Uint8Array.from(bytes)
      if (bytes.push(next) > MAX_LINE)
        throw this.fail(`a line longer than the limit of ${MAX_LINE} bytes`, this.position, 'limit-exceeded')
    }
  }
}

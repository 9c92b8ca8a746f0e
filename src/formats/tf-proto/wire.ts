import { utf8Text } from '../../base/bytes.js'
import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, type AlbertkitError } from '../../base/errors.js'

/**
 * Protocol buffers read in place, field by field by ranged reads: graphs and checkpoints hold their weights inside of
 * messages, and only offsets and lengths of the weights are kept in memory.
 */

/** Bytes that are read by ranges: a file, or a part of one that is in memory. */
export interface Bytes {
  /** Path of the file, for messages. */
  readonly path: string
  readonly size: number
  /** Fills `target` with the bytes from `offset` on. */
  read(offset: number, target: Uint8Array): void
}

/** A part of a file that is in memory: an uncompressed block, a string. */
export class MemoryBytes implements Bytes {
  readonly size: number

  constructor(
    readonly path: string,
    readonly bytes: Uint8Array,
  ) {
    this.size = bytes.length
  }

  read(offset: number, target: Uint8Array): void {
    target.set(this.bytes.subarray(offset, offset + target.length))
  }
}

/** Limit for names and short lists; anything longer is damage. */
const MAX_SMALL_FIELD = 1024 * 1024
const WINDOW = 4096

export interface Field {
  readonly number: number
  /** Wire type: 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  readonly wire: number
  /** Value of a varint as a signed 64-bit integer (inexact beyond 2^53); 0 for other wire types. */
  readonly value: number
  /** Range of the value's bytes, `[start, end)`. */
  readonly start: number
  readonly end: number
}

export class WireReader {
  #window: Uint8Array = new Uint8Array(0)
  #windowStart = 0

  /** @param what the kind of file, for messages: `a TensorFlow graph` */
  constructor(
    readonly bytes: Bytes,
    readonly what: string,
  ) {}

  fail(problem: string, offset: number, code: ErrorCode = 'header-invalid'): AlbertkitError {
    return malformed(`not a readable ${this.what}: ${problem}`, { code, file: this.bytes.path, offset })
  }

  byte(offset: number): number {
    const within = offset - this.#windowStart
    if (within >= 0 && within < this.#window.length) return this.#window[within]!
    this.#move(offset)
    return this.#window[0]!
  }

  /** Begins the window at a byte. */
  #move(offset: number): void {
    if (offset >= this.bytes.size) throw this.fail(`the file ends at byte ${this.bytes.size}`, offset, 'file-truncated')
    // A new window each time: subarrays of the last one may still be in use.
    this.#window = new Uint8Array(Math.min(WINDOW, this.bytes.size - offset))
    this.#windowStart = offset
    this.bytes.read(offset, this.#window)
  }

  /** Reads a varint as a signed 64-bit integer (inexact beyond 2^53). */
  varint(at: number): { value: number; next: number } {
    let value = 0
    let scale = 1
    for (let i = 0; i < 7; i++) {
      const byte = this.byte(at + i)
      value += (byte & 127) * scale
      if (byte < 128) return { value, next: at + i + 1 }
      scale *= 128
    }
    let large = BigInt(value)
    for (let i = 7; i < 10; i++) {
      const byte = this.byte(at + i)
      large += BigInt(byte & 127) << BigInt(7 * i)
      if (byte < 128) return { value: Number(BigInt.asIntN(64, large)), next: at + i + 1 }
    }
    throw this.fail('a number has more than ten bytes', at)
  }

  /** Fields of the message in `[start, end)`. */
  *fields(start: number, end: number): Generator<Field> {
    const code = end === this.bytes.size ? 'file-truncated' : 'header-invalid'
    for (let at = start; at < end;) {
      const tag = this.varint(at)
      const number = Math.floor(tag.value / 8)
      const wire = tag.value & 7
      if (number <= 0) throw this.fail('a field has no number', at)
      let field: Field
      if (wire === 0) {
        const { value, next } = this.varint(tag.next)
        field = { number, wire, value, start: tag.next, end: next }
      } else if (wire === 2) {
        const { value: length, next } = this.varint(tag.next)
        if (length < 0 || next + length > end)
          throw this.fail(`a field of ${length} bytes runs past the end of its message at byte ${end}`, at, code)
        field = { number, wire, value: 0, start: next, end: next + length }
      } else if (wire === 1 || wire === 5)
        field = { number, wire, value: 0, start: tag.next, end: tag.next + (wire === 1 ? 8 : 4) }
      else throw this.fail(`unknown wire type ${wire}`, at)
      if (field.end > end) throw this.fail('a message ends in the middle of a field', at, code)
      yield field
      at = field.end
    }
  }

  /** Bytes of a short field. */
  small({ start, end }: Pick<Field, 'start' | 'end'>, limit = MAX_SMALL_FIELD): Uint8Array {
    if (end - start > limit) throw this.fail(`a name or list of ${end - start} bytes`, start, 'limit-exceeded')
    // From the window, as a million names are not a million reads.
    if (start < end && end - start <= WINDOW && !this.#holds(start, end)) this.#move(start)
    if (this.#holds(start, end)) return this.#window.slice(start - this.#windowStart, end - this.#windowStart)
    const target = new Uint8Array(end - start)
    this.bytes.read(start, target)
    return target
  }

  #holds(start: number, end: number): boolean {
    return start >= this.#windowStart && end <= this.#windowStart + this.#window.length
  }

  text(field: Field, limit?: number): string {
    return utf8Text(this.small(field, limit))
  }

  /** Value of a field of four bytes, as an unsigned number. */
  fixed32({ number, wire, start, end }: Field): number {
    if (wire !== 5) throw this.fail(`field ${number} is not a number of four bytes`, start)
    const bytes = this.small({ start, end })
    return new DataView(bytes.buffer).getUint32(0, true)
  }

  /** Fields of a nested message. */
  inside(field: Field): Generator<Field> {
    if (field.wire !== 2) throw this.fail(`field ${field.number} is not a message`, field.start)
    return this.fields(field.start, field.end)
  }

  /** Key and value of an entry of a map whose keys are strings. */
  entry(field: Field): { key: string; value: Field | null } {
    let key = ''
    let value: Field | null = null
    for (const part of this.inside(field)) {
      if (part.number === 1) key = this.text(part)
      else if (part.number === 2) value = part
    }
    return { key, value }
  }
}

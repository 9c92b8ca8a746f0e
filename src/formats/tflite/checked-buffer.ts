import { utf8Text } from '../../base/bytes.js'
import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, type AlbertkitError } from '../../base/errors.js'
import { ByteBuffer } from '../../proto/tflite.js'
import type { Bytes } from '../tf-proto/wire.js'

/** Bytes that are read at a time. */
const WINDOW = 1 << 16
/** Longest name or text in a table; longer ones are damage. */
const MAX_TEXT = 1 << 20
/** Numbers that may be read: tables that refer to one another again and again would keep a reader busy for ever. */
const MAX_READS = 20e6
/** Bytes of a vector's length. */
const LENGTH_BYTES = 4

/**
 * A flat buffer read in place by ranges, for the classes that flatc generates: a file may be larger than memory, and
 * every offset in it may be wrong. Those classes check nothing; this checks each read.
 */
export class CheckedBuffer extends ByteBuffer {
  #window: Uint8Array = new Uint8Array(0)
  #start = 0
  #reads = 0

  constructor(readonly file: Bytes) {
    super(new Uint8Array(0))
  }

  fail(problem: string, offset: number, code: ErrorCode = 'header-invalid'): AlbertkitError {
    return malformed(`not a readable TensorFlow Lite file: ${problem}`, { code, file: this.file.path, offset })
  }

  /** Index in the window of `length` bytes at `offset`. */
  #at(offset: number, length: number): number {
    if (++this.#reads > MAX_READS)
      throw this.fail('its tables refer to one another without end', offset, 'limit-exceeded')
    const within = offset - this.#start
    if (within >= 0 && within + length <= this.#window.length) return within
    const { size } = this.file
    if (!(offset >= 0 && offset + length <= size))
      throw this.fail(`it refers to byte ${offset}, but the file has ${size}`, Math.max(0, offset), 'file-truncated')
    this.#window = new Uint8Array(Math.min(WINDOW, size - offset))
    this.#start = offset
    this.file.read(offset, this.#window)
    return 0
  }

  override readUint8(offset: number): number {
    const at = this.#at(offset, 1)
    return this.#window[at]!
  }

  override readUint16(offset: number): number {
    const at = this.#at(offset, 2)
    const w = this.#window
    return w[at]! | (w[at + 1]! << 8)
  }

  override readInt32(offset: number): number {
    const at = this.#at(offset, 4)
    const w = this.#window
    return w[at]! | (w[at + 1]! << 8) | (w[at + 2]! << 16) | (w[at + 3]! << 24)
  }

  /** Range in bytes of the vector or string whose relative offset is stored at `offset`. */
  range(offset: number, width: number): { readonly start: number; readonly length: number } {
    const start = offset + this.readUint32(offset)
    const length = this.readUint32(start) * width
    if (start + LENGTH_BYTES + length > this.file.size)
      throw this.fail(`a list of ${length} bytes runs past the end of the file`, start, 'file-truncated')
    return { start: start + LENGTH_BYTES, length }
  }

  override __string(offset: number): string {
    const { start, length } = this.range(offset, 1)
    if (length > MAX_TEXT) throw this.fail(`a text of ${length} bytes`, start, 'limit-exceeded')
    const bytes = new Uint8Array(length)
    this.file.read(start, bytes)
    return utf8Text(bytes)
  }

  override __indirect(offset: number): number {
    return offset + this.readUint32(offset)
  }

  override __vector(offset: number): number {
    return this.range(offset, 0).start
  }

  override __vector_len(offset: number): number {
    return this.readUint32(offset + this.readUint32(offset))
  }
}

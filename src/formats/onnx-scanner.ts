import { malformed, type AlbertkitError } from '../errors.js'
import type { RangedFile } from './file.js'
import { DTYPE_BYTES, type DType, type TensorInfo } from './source.js'

/** Reading the messages of an ONNX file by ranges. Field numbers from onnx.proto. */

const ENTRY = { key: 1, value: 2 } as const
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9, externalData: 13, dataLocation: 14 } as const
const DTYPES: Readonly<Record<number, DType>> = {
  1: 'F32',
  2: 'U8',
  3: 'I8',
  4: 'U16',
  5: 'I16',
  6: 'I32',
  7: 'I64',
  9: 'BOOL',
  10: 'F16',
  11: 'F64',
  12: 'U32',
  13: 'U64',
  16: 'BF16',
}
/** A name or a list of dimensions is short; anything longer is damage. */
const MAX_SMALL_FIELD = 64 * 1024

export interface Initializer extends TensorInfo {
  readonly offset: number
  /** Name of the file that has the bytes, where it is not this one. */
  readonly location: string | null
}

/** A field of a message: a number, or a range of bytes. */
export interface Field {
  readonly number: number
  /** 0: `value`; 2: the bytes from `start` to `end`. */
  readonly wire: number
  readonly value: number
  readonly start: number
  readonly end: number
}

export class Scanner {
  #window: Uint8Array = new Uint8Array(0)
  #windowStart = 0

  constructor(readonly file: RangedFile) {}

  fail(what: string, offset: number): AlbertkitError {
    return malformed(`not a readable ONNX file: ${what}`, { file: this.file.path, offset })
  }

  #byte(offset: number): number {
    const within = offset - this.#windowStart
    if (within >= 0 && within < this.#window.length) return this.#window[within]!
    if (offset >= this.file.size) throw this.fail(`the file ends at byte ${this.file.size}`, offset)
    this.#windowStart = offset
    this.#window = this.file.bytes(offset, Math.min(4096, this.file.size - offset))
    return this.#window[0]!
  }

  varint(at: number): { value: number; next: number } {
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      const byte = this.#byte(at + i)
      value += (byte & 127) * scale
      if (byte < 128) return { value, next: at + i + 1 }
      scale *= 128
    }
    throw this.fail('a number has more than ten bytes', at)
  }

  /** The fields of the message in `[start, end)`. */
  *fields(start: number, end: number): Generator<Field> {
    let at = start
    while (at < end) {
      const tag = this.varint(at)
      const number = Math.floor(tag.value / 8)
      const wire = tag.value % 8
      if (number === 0) throw this.fail('a field has number 0', at)
      if (wire === 0) {
        const { value, next } = this.varint(tag.next)
        yield { number, wire, value, start: tag.next, end: next }
        at = next
      } else if (wire === 2) {
        const { value: length, next } = this.varint(tag.next)
        if (next + length > end) throw this.fail(`a field of ${length} bytes runs past the end of its message`, at)
        yield { number, wire, value: 0, start: next, end: next + length }
        at = next + length
      } else if (wire === 1 || wire === 5) {
        at = tag.next + (wire === 1 ? 8 : 4)
        yield { number, wire, value: 0, start: tag.next, end: at }
      } else throw this.fail(`unknown wire type ${wire}`, at)
      if (at > end) throw this.fail('a message ends in the middle of a field', at)
    }
  }

  small({ start, end }: Field, limit = MAX_SMALL_FIELD): Uint8Array {
    if (end - start > limit) throw this.fail(`a name or shape of ${end - start} bytes`, start)
    return this.file.bytes(start, end - start)
  }

  initializer(start: number, end: number): Initializer {
    let name = ''
    let type = 0
    let raw: Field | null = null
    let external = false
    const entries = new Map<string, string>()
    const shape: number[] = []
    for (const field of this.fields(start, end)) {
      if (field.number === TENSOR.name) name = this.text(field)
      else if (field.number === TENSOR.dataType) type = field.value
      else if (field.number === TENSOR.rawData) raw = field
      else if (field.number === TENSOR.dims) this.#dims(field, shape)
      else if (field.number === TENSOR.externalData) entries.set(...this.entry(field))
      else if (field.number === TENSOR.dataLocation) external = field.value === 1
    }
    const dtype = DTYPES[type] ?? 'OTHER'
    const size = shape.reduce((n, d) => n * d, DTYPE_BYTES[dtype])
    if (external)
      return { name, dtype, shape, byteLength: size, file: this.file.path, ...this.#place(name, entries, size, start) }
    const byteLength = raw === null ? 0 : raw.end - raw.start
    if (byteLength !== size)
      throw this.fail(`initializer ${name} has ${byteLength} bytes where its shape takes ${size}`, start)
    return { name, dtype, shape, byteLength, file: this.file.path, offset: raw?.start ?? start, location: null }
  }

  /** Where external data lie. A location is a plain name: nothing outside the model's own directory is ever opened. */
  #place(
    name: string,
    entries: ReadonlyMap<string, string>,
    size: number,
    at: number,
  ): { offset: number; location: string } {
    const location = entries.get('location') ?? ''
    if (location === '' || location === '.' || location === '..' || /[/\\\0]/.test(location))
      throw this.fail(`initializer ${name} lies in ${JSON.stringify(location)}, which is no plain file name`, at)
    const number = (key: string, otherwise: number): number => {
      const text = entries.get(key)
      if (text === undefined) return otherwise
      if (!/^\d{1,15}$/.test(text)) throw this.fail(`initializer ${name} has the ${key} ${JSON.stringify(text)}`, at)
      return Number(text)
    }
    const length = number('length', size)
    if (length !== size) throw this.fail(`initializer ${name} has ${length} bytes where its shape takes ${size}`, at)
    return { offset: number('offset', 0), location }
  }

  text(field: Field, limit = MAX_SMALL_FIELD): string {
    return Buffer.from(this.small(field, limit)).toString('utf8')
  }

  /** Key and value of a StringStringEntryProto. */
  entry(field: Field, limit = MAX_SMALL_FIELD): [key: string, value: string] {
    let [key, value] = ['', '']
    for (const part of this.fields(field.start, field.end)) {
      if (part.number === ENTRY.key) key = this.text(part)
      else if (part.number === ENTRY.value) value = this.text(part, limit)
    }
    return [key, value]
  }

  /** Dimensions come one a field or packed into one. */
  #dims(field: Field, shape: number[]): void {
    if (field.wire === 0) {
      shape.push(field.value)
      return
    }
    for (let at = field.start; at < field.end;) {
      const { value, next } = this.varint(at)
      shape.push(value)
      at = next
    }
  }
}

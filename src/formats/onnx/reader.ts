import { compact } from '../../base/compact.js'
import { shownJson } from '../../base/json-text.js'
import type { RangedFile } from '../core/file.js'
import { MAX_RANK } from '../core/limits.js'
import type { DType, TensorInfo } from '../core/source.js'
import { byteSize } from '../tf-proto/shape.js'
import { WireReader, type Field } from '../tf-proto/wire.js'

/** Reader of the messages of an ONNX file by ranges. Field numbers are those of onnx.proto. */

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
/** Properties of external data: location, offset, length, checksum, basepath. */
const MAX_PROPERTIES = 32

export interface Initializer extends TensorInfo {
  readonly offset: number
  /** Name of the external-data file that holds the bytes; null if they are in the ONNX file itself. */
  readonly location: string | null
}

/** Reads the messages of an ONNX file that hold weights and metadata. */
export class OnnxReader extends WireReader {
  constructor(readonly file: RangedFile) {
    super(file, 'ONNX file')
  }

  initializer(start: number, end: number): Initializer {
    let name = ''
    let type = 0
    let raw: Field | null = null
    let external = false
    let entries: Map<string, string> | null = null
    const axes: number[] = []
    for (const field of this.fields(start, end)) {
      if (field.number === TENSOR.name) name = this.text(field)
      else if (field.number === TENSOR.dataType) type = field.value
      else if (field.number === TENSOR.rawData) raw = field
      else if (field.number === TENSOR.dims) this.#dims(field, axes)
      else if (field.number === TENSOR.externalData) this.#external(field, (entries ??= new Map<string, string>()))
      else if (field.number === TENSOR.dataLocation) external = field.value === 1
    }
    const [dtype, shape] = [DTYPES[type] ?? 'OTHER', compact(axes)]
    const size = byteSize(dtype, shape)
    if (external) {
      const place = this.#place(name, entries ?? new Map(), size, start)
      return { name, dtype, shape, byteLength: size, file: this.file.path, ...place }
    }
    const byteLength = raw === null ? 0 : raw.end - raw.start
    if (byteLength !== size)
      throw this.fail(
        `initializer ${name} has ${byteLength} bytes, but its shape takes ${size}`,
        start,
        'range-invalid',
      )
    return { name, dtype, shape, byteLength, file: this.file.path, offset: raw?.start ?? start, location: null }
  }

  /** One of the few properties of external data. */
  #external(field: Field, entries: Map<string, string>): void {
    if (entries.size >= MAX_PROPERTIES)
      throw this.fail(`external data has more than ${MAX_PROPERTIES} properties`, field.start, 'limit-exceeded')
    entries.set(...this.property(field))
  }

  /** Location of external data. It must be a plain name: nothing outside the model's own directory is ever opened. */
  #place(
    name: string,
    entries: ReadonlyMap<string, string>,
    size: number,
    at: number,
  ): { offset: number; location: string } {
    const location = entries.get('location') ?? ''
    if (location === '' || location === '.' || location === '..' || /[/\\\0]/.test(location))
      throw this.fail(
        `initializer ${name} lies in ${shownJson(location)}, which is not a plain file name`,
        at,
        'path-escapes',
      )
    const number = (key: string, otherwise: number): number => {
      const text = entries.get(key)
      if (text === undefined) return otherwise
      if (!/^\d{1,15}$/.test(text))
        throw this.fail(`initializer ${name} has the ${key} ${shownJson(text)}`, at, 'value-invalid')
      return Number(text)
    }
    const length = number('length', size)
    if (length !== size)
      throw this.fail(`initializer ${name} has ${length} bytes, but its shape takes ${size}`, at, 'range-invalid')
    return { offset: number('offset', 0), location }
  }

  /** Key and value of a StringStringEntryProto. */
  property(field: Field): [key: string, value: string] {
    let [key, value] = ['', '']
    for (const part of this.inside(field)) {
      if (part.number === ENTRY.key) key = this.text(part)
      else if (part.number === ENTRY.value) value = this.text(part)
    }
    return [key, value]
  }

  /** Adds dimensions to `shape`; they are stored one per field or packed into one. */
  #dims(field: Field, shape: number[]): void {
    for (let at = field.start; at < field.end;) {
      const { value, next } = this.varint(at)
      if (value < 0 || value > Number.MAX_SAFE_INTEGER) throw this.fail(`a dimension of ${value}`, at, 'value-invalid')
      if (shape.push(value) > MAX_RANK) throw this.fail(`more than ${MAX_RANK} axes`, at, 'limit-exceeded')
      at = next
    }
  }
}

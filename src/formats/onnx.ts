import { malformed, type AlbertkitError } from '../errors.js'
import { RangedFile } from './file.js'
import { DTYPE_BYTES, type DType, type TensorInfo, type TensorSource } from './source.js'

/**
 * The initializers of an ONNX file as tensors, by ranged reads: only places and lengths are kept, whatever the size of
 * the weights. Field numbers from onnx.proto.
 */

const MODEL_GRAPH = 7
const MODEL_METADATA = 14
const ENTRY = { key: 1, value: 2 } as const
const GRAPH_NODE = 1
const GRAPH_INITIALIZER = 5
const GRAPH_OUTPUT = 12
const NODE_OUTPUT = 2
const VALUE_INFO_NAME = 1
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9 } as const
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
/** Metadata hold tables with an entry for every layer. */
const MAX_METADATA = 1024 * 1024

interface Placed extends TensorInfo {
  readonly offset: number
}

/** A field of a message: a number, or a range of bytes. */
interface Field {
  readonly number: number
  /** 0: `value`; 2: the bytes from `start` to `end`. */
  readonly wire: number
  readonly value: number
  readonly start: number
  readonly end: number
}

class Scanner {
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

  initializer(start: number, end: number): Placed {
    let name = ''
    let type = 0
    let raw: Field | null = null
    const shape: number[] = []
    for (const field of this.fields(start, end)) {
      if (field.number === TENSOR.name) name = Buffer.from(this.small(field)).toString('utf8')
      else if (field.number === TENSOR.dataType) type = field.value
      else if (field.number === TENSOR.rawData) raw = field
      else if (field.number === TENSOR.dims) this.#dims(field, shape)
    }
    const dtype = DTYPES[type] ?? 'OTHER'
    const byteLength = raw === null ? 0 : raw.end - raw.start
    const size = shape.reduce((n, d) => n * d, DTYPE_BYTES[dtype])
    if (byteLength !== size)
      throw this.fail(`initializer ${name} has ${byteLength} bytes where its shape takes ${size}`, start)
    return { name, dtype, shape, byteLength, file: this.file.path, offset: raw?.start ?? start }
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

class OnnxWeights implements TensorSource {
  readonly format = 'onnx'
  readonly notes: readonly string[] = []
  readonly files: readonly string[]
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #file: RangedFile
  readonly #placed: ReadonlyMap<string, Placed>

  constructor(path: string) {
    this.#file = new RangedFile(path)
    this.files = [path]
    try {
      this.#placed = this.#scan()
    } catch (error) {
      this.#file.close()
      throw error
    }
    this.tensors = this.#placed
  }

  #scan(): Map<string, Placed> {
    const scanner = new Scanner(this.#file)
    const found = new Map<string, Placed>()
    let graphs = 0
    for (const field of scanner.fields(0, this.#file.size)) {
      if (field.number !== MODEL_GRAPH) continue
      graphs++
      for (const inner of scanner.fields(field.start, field.end)) {
        if (inner.number !== GRAPH_INITIALIZER) continue
        const placed = scanner.initializer(inner.start, inner.end)
        found.set(placed.name, placed)
      }
    }
    if (graphs === 0) throw scanner.fail('it has no graph', 0)
    return found
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const placed = this.#placed.get(name)
    if (placed === undefined) throw new RangeError(`no initializer named ${name}`)
    if (offset < 0 || offset + target.length > placed.byteLength)
      throw new RangeError(`${name}: range outside the tensor`)
    this.#file.read(placed.offset + offset, target)
  }

  verifyChecksum(): void {
    return
  }

  close(): void {
    this.#file.close()
  }
}

/**
 * Opens the initializers of an ONNX file.
 * @throws AlbertkitError `malformed` where it cannot be parsed
 */
export const openOnnxWeights = (path: string): TensorSource => new OnnxWeights(path)

/** Names in a graph. */
export interface OnnxGraphNames {
  /** Outputs of nodes: every value that is computed. */
  readonly values: readonly string[]
  /** Outputs of the graph. */
  readonly outputs: readonly string[]
  /** The model's metadata_props. */
  readonly metadata: ReadonlyMap<string, string>
}

/**
 * Reads the names of a graph's values, without its weights.
 * @throws AlbertkitError `malformed` where the file cannot be parsed
 */
export function onnxGraphNames(path: string): OnnxGraphNames {
  const file = new RangedFile(path)
  try {
    const scanner = new Scanner(file)
    const names = (field: Field, number: number): string[] =>
      [...scanner.fields(field.start, field.end)]
        .filter((f) => f.number === number)
        .map((f) => Buffer.from(scanner.small(f)).toString('utf8'))
    const text = (entry: Field, number: number): string =>
      [...scanner.fields(entry.start, entry.end)]
        .filter((f) => f.number === number)
        .map((f) => Buffer.from(scanner.small(f, MAX_METADATA)).toString('utf8'))
        .at(-1) ?? ''
    const top = [...scanner.fields(0, file.size)]
    const graphs = top.filter((f) => f.number === MODEL_GRAPH)
    const entries = top.filter((f) => f.number === MODEL_METADATA)
    const fields = graphs.flatMap((graph) => [...scanner.fields(graph.start, graph.end)])
    return {
      values: fields.filter((f) => f.number === GRAPH_NODE).flatMap((f) => names(f, NODE_OUTPUT)),
      outputs: fields.filter((f) => f.number === GRAPH_OUTPUT).flatMap((f) => names(f, VALUE_INFO_NAME)),
      metadata: new Map(entries.map((f) => [text(f, ENTRY.key), text(f, ENTRY.value)])),
    }
  } finally {
    file.close()
  }
}

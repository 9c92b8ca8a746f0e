import { parseJson } from '../../base/json-text.js'
import { elementCount } from '../core/source.js'
import { tflite } from '../../proto/tflite.js'
import { MemoryBytes, type Bytes } from '../tf-proto/wire.js'
import { CheckedBuffer } from './checked-buffer.js'

/** Contents of a TensorFlow Lite file other than its weights. */

/** Tensors of a graph; the largest encoder that is known has 3,000. */
const MAX_TENSORS = 1e6
const MAX_RANK = 8
/** Bytes of the metadata of albertkit. */
const MAX_METADATA = 64 << 20
/** Name of the metadata that `convert` writes. */
const METADATA = 'albertkit'
const IDENTIFIER = 'TFL3'

/** Place of the field of scales in its table, and bytes of a scale. */
const [SCALE_FIELD, SCALE_BYTES] = [8, 4]

/** A part of the file. */
export interface Range {
  readonly offset: number
  readonly length: number
}

export interface TfliteTensor {
  readonly name: string
  readonly type: tflite.TensorType
  /** Dimensions; −1 for one that is given at run time. */
  readonly dims: readonly number[]
  /** Bytes of a constant or a weight; null if the tensor is computed. */
  readonly bytes: Range | null
  /** Scales of integers, along the axis `dimension`; null if there are none. */
  readonly quantization: { readonly scales: Float32Array; readonly dimension: number } | null
}

export interface TfliteHead {
  readonly tensors: readonly TfliteTensor[]
  /** Tensors by their names in the signature. */
  readonly inputs: ReadonlyMap<string, TfliteTensor>
  readonly outputs: ReadonlyMap<string, TfliteTensor>
  /** Metadata of albertkit; empty for files of other programs. */
  readonly metadata: ReadonlyMap<string, string>
}

class HeadReader {
  readonly #buffer: CheckedBuffer
  readonly #model: tflite.Model

  constructor(readonly file: Bytes) {
    this.#buffer = new CheckedBuffer(file)
    if (file.size < 8 || !this.#buffer.__has_identifier(IDENTIFIER))
      throw this.#buffer.fail(`it does not begin as one (${IDENTIFIER})`, 4, 'not-a-model')
    this.#model = tflite.Model.getRootAsModel(this.#buffer)
  }

  read(): TfliteHead {
    const graph = this.#model.subgraphs(0)
    if (graph === null || this.#model.subgraphsLength() === 0) throw this.#buffer.fail('it has no graph', 0)
    const count = graph.tensorsLength()
    if (count > MAX_TENSORS) throw this.#buffer.fail(`a graph of ${count} tensors`, graph.bb_pos, 'limit-exceeded')
    const tensors = Array.from({ length: count }, (_, i) => this.#tensor(graph.tensors(i)!))
    const signature = this.#model.signatureDefsLength() > 0 ? this.#model.signatureDefs(0) : null
    const ports = (length: number, at: (i: number) => tflite.TensorMap | null) => {
      if (length > count) throw this.#buffer.fail(`a signature of ${length} tensors`, 0, 'limit-exceeded')
      return new Map(Array.from({ length }, (_, i) => this.#port(at(i)!, tensors)))
    }
    return {
      tensors,
      inputs: signature === null ? new Map() : ports(signature.inputsLength(), (i) => signature.inputs(i)),
      outputs: signature === null ? new Map() : ports(signature.outputsLength(), (i) => signature.outputs(i)),
      metadata: this.#metadata(),
    }
  }

  #port(map: tflite.TensorMap, tensors: readonly TfliteTensor[]): [string, TfliteTensor] {
    const index = map.tensorIndex()
    const tensor = tensors[index]
    if (tensor === undefined) throw this.#buffer.fail(`its signature names tensor ${index}`, map.bb_pos)
    return [map.name() ?? '', tensor]
  }

  #dims(tensor: tflite.Tensor): number[] {
    const signed = tensor.shapeSignatureLength() > 0
    const rank = signed ? tensor.shapeSignatureLength() : tensor.shapeLength()
    if (rank > MAX_RANK) throw this.#buffer.fail(`a tensor of ${rank} axes`, tensor.bb_pos, 'limit-exceeded')
    return Array.from({ length: rank }, (_, axis) => (signed ? tensor.shapeSignature(axis) : tensor.shape(axis)) ?? 0)
  }

  #tensor(tensor: tflite.Tensor): TfliteTensor {
    const name = tensor.name()
    const dims = this.#dims(tensor)
    const bytes = this.#bytes(tensor.buffer(), tensor.bb_pos)
    if (bytes !== null && dims.some((dim) => dim < 0))
      throw this.#buffer.fail(`tensor ${name ?? ''} has a negative dimension`, tensor.bb_pos, 'value-invalid')
    return {
      name: name ?? '',
      type: tensor.type(),
      dims,
      bytes,
      quantization: this.#quantization(tensor, dims),
    }
  }

  #quantization(tensor: tflite.Tensor, dims: readonly number[]): TfliteTensor['quantization'] {
    const given = tensor.quantization()
    if (given === null || given.scaleLength() === 0) return null
    const length = given.scaleLength()
    const dimension = given.dimension()
    this.#buffer.range(given.bb_pos + this.#buffer.__offset(given.bb_pos, SCALE_FIELD), SCALE_BYTES)
    if (length !== 1 && length !== dims[dimension])
      throw this.#buffer.fail(`a tensor of ${dims.join(' × ')} has ${length} scales`, tensor.bb_pos, 'value-invalid')
    return { scales: Float32Array.from({ length }, (_, i) => given.scale(i) ?? 0), dimension }
  }

  /** Bytes of a buffer: in the flat buffer, or elsewhere in the file. */
  #bytes(index: number, from: number): Range | null {
    if (index >= this.#model.buffersLength()) throw this.#buffer.fail(`there is no buffer ${index}`, from)
    const buffer = this.#model.buffers(index)!
    const field = this.#buffer.__offset(buffer.bb_pos, 4)
    if (field !== 0) {
      const { start, length } = this.#buffer.range(buffer.bb_pos + field, 1)
      return length === 0 ? null : { offset: start, length }
    }
    const [offset, length] = [Number(buffer.offset()), Number(buffer.size())]
    // 0 and 1 mean that there are none.
    if (offset <= 1) return null
    if (!Number.isSafeInteger(offset + length) || offset + length > this.file.size)
      throw this.#buffer.fail(
        `buffer ${index} ends at byte ${offset + length}, but the file has ${this.file.size}`,
        buffer.bb_pos,
        'file-truncated',
      )
    return { offset, length }
  }

  #metadata(): Map<string, string> {
    for (let i = 0; i < this.#model.metadataLength(); i++) {
      const entry = this.#model.metadata(i)!
      if (entry.name() !== METADATA) continue
      const range = this.#bytes(entry.buffer(), entry.bb_pos)
      if (range === null) return new Map()
      if (range.length > MAX_METADATA)
        throw this.#buffer.fail(`metadata of ${range.length} bytes`, range.offset, 'limit-exceeded')
      const bytes = new Uint8Array(range.length)
      this.file.read(range.offset, bytes)
      return textsOf(bytes)
    }
    return new Map()
  }
}

/** Text values of a JSON object; empty if it is not an object. */
function textsOf(bytes: Uint8Array): Map<string, string> {
  try {
    const parsed: unknown = parseJson(new TextDecoder().decode(bytes))
    const entries = Object.entries(typeof parsed === 'object' ? (parsed ?? {}) : {})
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
  } catch {
    return new Map()
  }
}

/** Reads the head of a file. @throws AlbertkitError `malformed` */
export const readHead = (file: Bytes): TfliteHead => new HeadReader(file).read()

/** Reads the head of a file that is in memory. @throws AlbertkitError `malformed` */
export const headOf = (path: string, bytes: Uint8Array): TfliteHead => readHead(new MemoryBytes(path, bytes))

/** Number of elements of a tensor that is not computed. */
export const countOf = ({ dims }: TfliteTensor): number => elementCount(dims)

import { Builder, ByteBuffer, tflite } from '../../proto/tflite.js'
import { DYNAMIC, type Node, type Value } from './nodes.js'
import type { TfliteGraph } from './graph.js'

/** The flat buffer of a file: everything but the bytes of constants and weights, which lie behind it. */

/** Bytes that lie behind the flat buffer, and their place in the file. */
export interface Blob {
  readonly length: number
  /** Offset from the start of the file. */
  readonly offset: number
}

/** Contents of a file in addition to the graph. */
export interface HeadTexts {
  readonly description: string
  /** Names of further buffers, for programs that know them; each has a blob before those of the graph's tensors. */
  readonly metadata: readonly string[]
}

const SIGNATURE = 'serving_default'
/** Version of the format: flat buffers since the first release. */
const VERSION = 3
/** Codes of operators from 127 on are in a separate field. */
const MAX_OLD_CODE = 127
/** Buffer index for "no bytes". */
const NO_BUFFER = 0

/**
 * Quantisation of a tensor with a scale for each index of its first axis, and as many zero points. Written as bytes:
 * one by one, those of a word table would take a tenth of a conversion.
 */
class ChannelScales extends tflite.QuantizationParametersT {
  constructor(readonly scales: Float32Array) {
    super()
  }

  override pack(builder: Builder): number {
    const { buffer, byteOffset, byteLength, length } = this.scales
    builder.startVector(4, length, 4)
    builder.pad(byteLength)
    const bytes = builder.dataBuffer().bytes()
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), bytes.length - builder.offset())
    const scales = builder.endVector()
    builder.startVector(8, length, 8)
    builder.pad(8 * length)
    return tflite.QuantizationParameters.createQuantizationParameters(builder, scales, builder.endVector(), 0)
  }
}

function tensor({ name, dims, type }: Value, buffer: number, scales: Float32Array | null = null): tflite.TensorT {
  const dynamic = dims.includes(DYNAMIC)
  const shape = dims.map((dim) => (dim === DYNAMIC ? 1 : dim))
  const signature = dynamic ? [...dims] : []
  const quantization = scales === null ? null : new ChannelScales(scales)
  return new tflite.TensorT(shape, type, buffer, name, quantization, false, signature, true)
}

/** Operator codes in the order of first use, each version once. */
class OperatorCodes {
  readonly codes: tflite.OperatorCodeT[] = []
  readonly #indices = new Map<string, number>()

  of({ op, version }: Node): number {
    const key = `${op}:${version}`
    let index = this.#indices.get(key)
    if (index === undefined) {
      this.#indices.set(key, (index = this.codes.length))
      this.codes.push(new tflite.OperatorCodeT(Math.min(op, MAX_OLD_CODE), null, version, op))
    }
    return index
  }
}

/** The graph as objects; buffers are one empty one, those of metadata, of constants and of weights, in that order. */
function modelOf(graph: TfliteGraph, { description, metadata }: HeadTexts): tflite.ModelT {
  const indices = new Map<Value, number>()
  const tensors: tflite.TensorT[] = []
  const add = (value: Value, made: tflite.TensorT): void => {
    indices.set(value, tensors.length)
    tensors.push(made)
  }
  graph.inputs.forEach((value) => {
    add(value, tensor(value, NO_BUFFER))
  })
  let buffer = NO_BUFFER
  const named = metadata.map((name) => new tflite.MetadataT(name, ++buffer))
  for (const { value } of graph.constants) add(value, tensor(value, ++buffer))
  for (const { value, weight } of graph.weights)
    add(value, tensor(value, ++buffer, 'scales' in weight.encoding ? weight.encoding.scales : null))
  for (const { output } of graph.nodes) add(output, tensor(output, NO_BUFFER))
  const index = (value: Value | null): number => (value === null ? -1 : indices.get(value)!)
  const codes = new OperatorCodes()
  const operators = graph.nodes.map((node) => {
    const [type, options] = node.options ?? [tflite.BuiltinOptions.NONE, null]
    return new tflite.OperatorT(codes.of(node), node.inputs.map(index), [index(node.output)], type, options)
  })
  const ports = (values: readonly Value[]) => values.map((value) => new tflite.TensorMapT(value.name, index(value)))
  return new tflite.ModelT(
    VERSION,
    codes.codes,
    [new tflite.SubGraphT(tensors, graph.inputs.map(index), graph.outputs.map(index), operators, 'main')],
    description,
    [],
    named,
    [new tflite.SignatureDefT(ports(graph.inputs), ports(graph.outputs), SIGNATURE, 0)],
  )
}

/** A number that no field has by itself, so that it is stored. */
const PLACEHOLDER = 1n

/**
 * Builds the flat buffer.
 * @param lengths bytes of the blobs: those of metadata, of constants, of weights
 * @param inline number of blobs, the first ones, that have a length before them and are vectors of the flat buffer
 *   itself, for programs that do not know of bytes outside of it
 */
export function buildHead(
  graph: TfliteGraph,
  texts: HeadTexts,
  lengths: readonly number[],
  inline: number,
): { readonly bytes: Uint8Array; readonly blobs: readonly Blob[]; readonly end: number } {
  const builder = new Builder(1 << 16)
  const model = modelOf(graph, texts)
  const within = new tflite.BufferT([0])
  const behind = new tflite.BufferT([], PLACEHOLDER, PLACEHOLDER)
  model.buffers = [new tflite.BufferT(), ...lengths.map((_, i) => (i < inline ? within : behind))]
  tflite.Model.finishModelBuffer(builder, model.pack(builder))
  const bytes = builder.asUint8Array().slice()
  const { blobs, end } = placesOf(bytes.length, lengths)
  refer(bytes, blobs, inline)
  return { bytes, blobs, end }
}

/** Alignment of blobs in the file: that of the widest vector registers. */
const ALIGNMENT = 64
/** Bytes of a vector's length. */
const LENGTH_BYTES = 4

/** Places of the blobs, with room for a length before each. */
function placesOf(
  start: number,
  lengths: readonly number[],
): { readonly blobs: readonly Blob[]; readonly end: number } {
  let end = start
  const blobs = lengths.map((length) => {
    const offset = Math.ceil((end + LENGTH_BYTES) / ALIGNMENT) * ALIGNMENT
    end = offset + length
    return { length, offset }
  })
  return { blobs, end }
}

/** Writes the places of the blobs into the buffers of the flat buffer. */
function refer(bytes: Uint8Array, blobs: readonly Blob[], inline: number): void {
  const file = new ByteBuffer(bytes)
  const model = tflite.Model.getRootAsModel(file)
  blobs.forEach(({ offset, length }, i) => {
    const at = model.buffers(i + 1)!.bb_pos
    const field = (slot: number): number => at + file.__offset(at, 4 + 2 * slot)
    if (i < inline) file.writeUint32(field(0), offset - LENGTH_BYTES - field(0))
    else {
      file.writeUint64(field(1), BigInt(offset))
      file.writeUint64(field(2), BigInt(length))
    }
  })
}

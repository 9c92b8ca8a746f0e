import { join } from 'node:path'
import { unsupported } from '../../errors.js'
import { elementCount, type TensorSource } from '../../formats/source.js'
import { create, onnx, toBinary } from '../../proto/onnx.js'
import { OutputFile } from '../files.js'
import { turn } from '../turn.js'
import { WeightStream } from '../weights.js'
import type { WriteEvents, WrittenArtefact, WrittenWeight } from '../written.js'
import type { OnnxGraph } from './graph.js'

/** A protocol buffer of 2 GiB or more cannot be parsed by any of its libraries. */
export const MAX_ONNX_BYTES = 2 ** 31 - 1

/** LayerNormalization is an operator since opset 17, which IR version 8 came with. */
const OPSET = 17n
const IR_VERSION = 8n

/** Tags of length-delimited fields: `field << 3 | 2`. */
const MODEL_GRAPH = (7 << 3) | 2
const GRAPH_INITIALIZER = (5 << 3) | 2
const TENSOR_RAW_DATA = (9 << 3) | 2

/** A field's tag and length, for `length` bytes that follow. */
function fieldHeader(tag: number, length: number): Uint8Array {
  const bytes = [tag]
  let rest = length
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

/** What stands in the file before the raw bytes of a weight. */
function initializerHeader({ slot, shape }: WrittenWeight): Uint8Array {
  const tensor = create(onnx.TensorProtoSchema, {
    name: slot,
    dims: shape.map(BigInt),
    dataType: onnx.TensorProto_DataType.FLOAT,
  })
  const described = toBinary(onnx.TensorProtoSchema, tensor)
  const raw = fieldHeader(TENSOR_RAW_DATA, 4 * elementCount(shape))
  const field = fieldHeader(GRAPH_INITIALIZER, described.length + raw.length + 4 * elementCount(shape))
  return Buffer.concat([field, described, raw])
}

function modelWithoutGraph(metadata: Readonly<Record<string, string>>, version: string): Uint8Array {
  const model = create(onnx.ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'albertkit',
    producerVersion: version,
    opsetImport: [{ domain: '', version: OPSET }],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  })
  return toBinary(onnx.ModelProtoSchema, model)
}

export interface OnnxWriteOptions extends WriteEvents {
  /** Version of albertkit. */
  readonly version: string
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * Writes `onnx/model.onnx` below `dir`, whose `onnx` exists. Fields of a protocol buffer may be concatenated, so the
 * weights are streamed between headers of known length and never held.
 * @throws AlbertkitError `unsupported` above 2 GiB, `output`, or `malformed` from the source.
 */
export async function writeOnnx(
  { graph, weights, outputs, marks, inner }: OnnxGraph,
  source: TensorSource,
  dir: string,
  { version, metadata, onProgress, onFile }: OnnxWriteOptions,
): Promise<WrittenArtefact> {
  const head = modelWithoutGraph({ ...metadata, marks: JSON.stringify(marks), inner: JSON.stringify(inner) }, version)
  const nodes = toBinary(onnx.GraphProtoSchema, graph)
  const headers = weights.map(initializerHeader)
  const weightBytes = weights.reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0)
  const graphBytes = nodes.length + weightBytes + headers.reduce((sum, header) => sum + header.length, 0)
  const opening = fieldHeader(MODEL_GRAPH, graphBytes)
  const total = head.length + opening.length + graphBytes
  if (total > MAX_ONNX_BYTES) {
    throw unsupported(
      `the ONNX file would have ${total} bytes; one file can have at most ${MAX_ONNX_BYTES} (2 GiB, protobuf's limit)`,
      {
        hint: 'convert to tfjs, which has no such limit',
      },
    )
  }
  const path = join(dir, 'onnx', 'model.onnx')
  const file = new OutputFile(path)
  try {
    for (const part of [head, opening, nodes]) file.write(part)
    const stream = new WeightStream(source)
    let done = 0
    for (const [i, { parameter, as }] of weights.entries()) {
      file.write(headers[i] ?? new Uint8Array(0))
      stream.stream(parameter, as, (bytes) => {
        file.write(bytes)
        onProgress?.((done += bytes.length), weightBytes)
      })
      await turn()
    }
  } finally {
    file.close()
  }
  onFile?.(path)
  return { files: [{ path: 'onnx/model.onnx', bytes: file.bytes }], weightBytes, weights, outputs, marks }
}

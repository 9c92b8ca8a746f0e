import { concatBytes } from '../../base/bytes.js'
import { join } from '../../formats/core/paths.js'
import { GRAPH_LAYOUTS, inFolder } from '../../base/artefact-layout.js'
import type { TensorSource } from '../../formats/core/source.js'
import { create, onnx, toBinary } from '../../proto/onnx.js'
import type { Encoding } from '../weights/encoding.js'
import { OutputFile } from '../../files/output-file.js'
import { elementsBytes, weightsBytes } from '../weights/artefact.js'
import type { WriteEvents, WrittenArtefact, WrittenFile, WrittenWeight } from '../weights/artefact.js'
import { pourWeights } from '../weights/pour.js'
import type { OnnxGraph } from './graph.js'
import { fileDims, MICROSOFT } from './nodes.js'

const LAYOUT = GRAPH_LAYOUTS.onnx

/** Size limit of protocol buffers: no library parses 2 GiB or more. */
const MAX_ONNX_BYTES = 2 ** 31 - 1

/** IR version released with each operator set. */
const IR_VERSIONS: Readonly<Record<number, bigint>> = { 17: 8n, 18: 8n, 19: 9n, 20: 9n, 21: 10n, 22: 10n, 23: 11n }
/** Supported operator sets; LayerNormalization exists since 17. */
export const OPSETS = [17, 18, 19, 20, 21, 22, 23] as const

/** Tags of length-delimited fields: `field << 3 | 2`. */
const MODEL_GRAPH = (7 << 3) | 2
const GRAPH_INITIALIZER = (5 << 3) | 2
const TENSOR_RAW_DATA = (9 << 3) | 2

/** Encodes tag and length of a field of `length` bytes. */
function fieldHeader(tag: number, length: number): Uint8Array {
  const bytes = [tag]
  let rest = length
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

const TYPES: Readonly<Record<Encoding['kind'], number>> = {
  f32: onnx.TensorProto_DataType.FLOAT,
  f16: onnx.TensorProto_DataType.FLOAT16,
  int8: onnx.TensorProto_DataType.INT8,
  int4: onnx.TensorProto_DataType.UNDEFINED,
  blocks: onnx.TensorProto_DataType.UINT8,
  affine: onnx.TensorProto_DataType.UNDEFINED,
}

const describe = (weight: WrittenWeight) => ({
  name: weight.slot,
  dims: fileDims(weight).map(BigInt),
  dataType: TYPES[weight.encoding.kind],
})

/** Bytes of an initializer that precede its raw data. */
function initializerHeader(weight: WrittenWeight): Uint8Array {
  const described = toBinary(onnx.TensorProtoSchema, create(onnx.TensorProtoSchema, describe(weight)))
  const raw = fieldHeader(TENSOR_RAW_DATA, elementsBytes(weight))
  const field = fieldHeader(GRAPH_INITIALIZER, described.length + raw.length + elementsBytes(weight))
  return concatBytes([field, described, raw])
}

/** Offsets of the weights in the external-data file; large ones are page-aligned, so that they can be mapped. */
function places(weights: readonly WrittenWeight[]): number[] {
  let end = 0
  return weights.map((weight) => {
    const length = elementsBytes(weight)
    const unit = length >= 1 << 20 ? 4096 : 16
    const start = Math.ceil(end / unit) * unit
    end = start + length
    return start
  })
}

/** Creates an initializer whose data is in another file of the same directory. */
function externalInitializer(weight: WrittenWeight, location: string, offset: number): onnx.TensorProto {
  const entries = { location, offset: String(offset), length: String(elementsBytes(weight)) }
  return create(onnx.TensorProtoSchema, {
    ...describe(weight),
    dataLocation: onnx.TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
  })
}

interface ModelFields {
  readonly opset: number
  /** True if the graph has operators of onnxruntime. */
  readonly contrib: boolean
  readonly metadata: Readonly<Record<string, string>>
  readonly version: string
}

function modelWithoutGraph({ opset, contrib, metadata, version }: ModelFields): Uint8Array {
  const model = create(onnx.ModelProtoSchema, {
    irVersion: IR_VERSIONS[opset] ?? 8n,
    producerName: 'albertkit',
    producerVersion: version,
    opsetImport: [{ domain: '', version: BigInt(opset) }, ...(contrib ? [{ domain: MICROSOFT, version: 1n }] : [])],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  })
  return toBinary(onnx.ModelProtoSchema, model)
}

export interface OnnxWriteOptions extends WriteEvents {
  /** Version of albertkit. */
  readonly version: string
  readonly metadata: Readonly<Record<string, string>>
  /** Name of the file; `model.onnx` by default. */
  readonly fileName?: string
  /** Put the weights into the file `<name>_data` next to it; by default only if the model exceeds `maxBytes`. */
  readonly externalData?: boolean
  /** Size limit instead of protobuf's; for tests. */
  readonly maxBytes?: number
}

/** Opens the file at `path`, runs `body`, and closes the file even after an error. @returns its size in bytes */
async function writeFile(path: string, body: (file: OutputFile) => Promise<void> | void): Promise<number> {
  const file = new OutputFile(path)
  try {
    await body(file)
  } finally {
    file.close()
  }
  return file.bytes
}

/**
 * Writes `onnx/model.onnx` below `dir`; the folder `onnx` must exist. Fields of a protocol buffer may be concatenated,
 * so the weights are streamed between headers of known length and never held in memory. A model beyond the size limit
 * of protocol buffers has its weights in a separate file (ONNX external data).
 * @throws AlbertkitError `output`, or `malformed` from the source
 */
export async function writeOnnx(
  { graph, weights, outputs, marks, inner, dynamic, opset }: OnnxGraph,
  source: TensorSource,
  dir: string,
  options: OnnxWriteOptions,
): Promise<WrittenArtefact> {
  const { version, metadata, onProgress, onStart, onFile, fileName = LAYOUT.file, maxBytes = MAX_ONNX_BYTES } = options
  const tables = {
    marks: JSON.stringify(marks),
    inner: JSON.stringify(inner),
    ...(Object.keys(dynamic).length === 0 ? {} : { dynamic: JSON.stringify(dynamic) }),
  }
  const contrib = graph.node.some(({ domain }) => domain === MICROSOFT)
  const head = modelWithoutGraph({ opset, contrib, metadata: { ...metadata, ...tables }, version })
  const nodes = toBinary(onnx.GraphProtoSchema, graph)
  const headers = weights.map(initializerHeader)
  const elements = weights.reduce((sum, weight) => sum + elementsBytes(weight), 0)
  const graphBytes = nodes.length + elements + headers.reduce((sum, header) => sum + header.length, 0)
  const folder = join(dir, LAYOUT.folder)
  const path = join(folder, fileName)
  const files: WrittenFile[] = []
  const finish = (name: string, bytes: number): void => {
    files.push({ path: inFolder(LAYOUT, name), bytes })
    onFile?.(join(folder, name))
  }
  if (options.externalData === true || head.length + 10 + graphBytes > maxBytes) {
    const dataName = `${fileName}_data`
    const offsets = places(weights)
    graph.initializer.push(...weights.map((weight, i) => externalInitializer(weight, dataName, offsets[i] ?? 0)))
    const bytes = toBinary(onnx.GraphProtoSchema, graph)
    finish(
      fileName,
      await writeFile(path, (file) => {
        for (const part of [head, fieldHeader(MODEL_GRAPH, bytes.length), bytes]) file.write(part)
      }),
    )
    const before = (file: OutputFile) => (i: number) => {
      file.write(new Uint8Array((offsets[i] ?? 0) - file.bytes))
    }
    finish(
      dataName,
      await writeFile(`${path}_data`, (file) => {
        onStart?.(file.path, elements)
        return pourWeights(weights, source, file, { before: before(file), onProgress })
      }),
    )
  } else {
    finish(
      fileName,
      await writeFile(path, async (file) => {
        onStart?.(path, graphBytes)
        for (const part of [head, fieldHeader(MODEL_GRAPH, graphBytes), nodes]) file.write(part)
        await pourWeights(weights, source, file, {
          before: (i) => {
            file.write(headers[i] ?? new Uint8Array(0))
          },
          onProgress,
        })
      }),
    )
  }
  return { files, weightBytes: weightsBytes(weights), weights, outputs, marks }
}

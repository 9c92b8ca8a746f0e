import { join } from '../../formats/core/paths.js'
import { GRAPH_LAYOUTS, inFolder } from '../../base/artefact-layout.js'
import type { TensorSource } from '../../formats/core/source.js'
import { tensorflow, toJson } from '../../proto/tensorflow.js'
import type { Encoding } from '../weights/encoding.js'
import type { Dim } from '../node-names.js'
import { OutputFile } from '../../files/output-file.js'
import { pourWeights } from '../weights/pour.js'
import type { WriteEvents, WrittenArtefact, WrittenFile } from '../weights/artefact.js'
import { weightsFileBytes, type TfjsGraph } from './graph.js'
import { ShardWriter, shardNames } from './shards.js'

const LAYOUT = GRAPH_LAYOUTS.tfjs

export interface TfjsWriteOptions extends WriteEvents {
  /** Version of albertkit. */
  readonly version: string
  readonly metadata: Readonly<Record<string, string>>
}

const tensorInfo = (name: string, dtype: string, dims: readonly Dim[]): unknown => ({
  name: `${name}:0`,
  dtype,
  tensorShape: { dim: dims.map((d) => ({ size: typeof d === 'number' ? String(d) : '-1' })) },
})

/** Quantisation entry of a weight that is not float32 (tfjs-core `io/types.ts`, WeightsManifestEntry). */
function quantization(encoding: Encoding): object {
  const { kind } = encoding
  if (kind === 'f32') return {}
  if (kind === 'int8' || kind === 'int4' || kind === 'blocks') throw new RangeError(`tfjs has no ${kind}`)
  const stored =
    kind === 'f16' ? { dtype: 'float16' } : { dtype: encoding.dtype, scale: encoding.scale, min: encoding.min }
  return { quantization: { ...stored, original_dtype: 'float32' } }
}

/** Builds `model.json`: the GraphDef in protobuf's JSON mapping (bytes as base64), signature and weights manifest. */
function modelJson(model: TfjsGraph, shards: readonly string[], { version, metadata }: TfjsWriteOptions): string {
  const { graph, constants, weights, inputs, outputs, marks, inner } = model
  return JSON.stringify({
    format: 'graph-model',
    generatedBy: `albertkit ${version}`,
    convertedBy: `albertkit ${version}`,
    signature: {
      inputs: Object.fromEntries(inputs.map(({ name, dims }) => [name, tensorInfo(name, 'DT_INT32', dims)])),
      outputs: Object.fromEntries(outputs.map(({ name, dims }) => [name, tensorInfo(name, 'DT_FLOAT', dims)])),
    },
    userDefinedMetadata: { albertkit: { ...metadata, marks, inner } },
    modelTopology: toJson(tensorflow.GraphDefSchema, graph),
    weightsManifest: [
      {
        paths: shards,
        weights: [
          ...constants.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
          ...weights.map(({ slot, shape, encoding }) => ({
            name: slot,
            shape,
            dtype: 'float32',
            ...quantization(encoding),
          })),
        ],
      },
    ],
  })
}

function writeModelJson(text: string, dir: string, onFile: WriteEvents['onFile']): WrittenFile {
  const path = join(dir, LAYOUT.file)
  const file = new OutputFile(path)
  try {
    file.write(new TextEncoder().encode(text))
  } finally {
    file.close()
  }
  onFile?.(path)
  return { path: inFolder(LAYOUT, LAYOUT.file), bytes: file.bytes }
}

/**
 * Writes `tfjs/model.json` and its shards below `dir`; the folder `tfjs` must exist. The small constants are the
 * first bytes of the first shard.
 * @throws AlbertkitError `output`, or `malformed` from the source
 */
export async function writeTfjs(
  model: TfjsGraph,
  source: TensorSource,
  dir: string,
  options: TfjsWriteOptions,
): Promise<WrittenArtefact> {
  const { onProgress, onFile } = options
  const folder = join(dir, LAYOUT.folder)
  const names = shardNames(weightsFileBytes(model))
  const json = writeModelJson(modelJson(model, names, options), folder, onFile)
  const shards = new ShardWriter(folder, names, onFile)
  const constantBytes = model.constants.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const weightBytes = weightsFileBytes(model) - constantBytes
  try {
    for (const { bytes } of model.constants) shards.write(bytes)
    await pourWeights(model.weights, source, shards, { onProgress })
  } finally {
    shards.close()
  }
  const outputs = model.outputs.map(({ name }) => name)
  return { files: [json, ...shards.files], weightBytes, weights: model.weights, outputs, marks: model.marks }
}

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { loadGraphModel, type GraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import type { ModelInputs } from '../../src/model/reference/run.js'
import { installedVersion } from '../../src/base/optional-package.js'
import { openLiteRt } from '../../src/runtime/litert/litert.js'
import { random } from './tiny-model.js'

const require = createRequire(import.meta.url)
setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`)

export type Results = Map<string, { dims: readonly number[]; data: Float32Array }>

const NAMES = ['input_ids', 'attention_mask', 'token_type_ids'] as const

/** Random ids, two segments, every row but the first padded. */
export function someInputs(batch: number, sequence: number, vocabulary: number): ModelInputs {
  const next = random(batch * 100 + sequence)
  const size = batch * sequence
  const inputs = {
    input_ids: new Int32Array(size),
    attention_mask: new Int32Array(size),
    token_type_ids: new Int32Array(size),
  }
  for (let i = 0; i < size; i++) {
    const [b, s] = [Math.floor(i / sequence), i % sequence]
    inputs.input_ids[i] = Math.floor(next() * vocabulary)
    inputs.attention_mask[i] = s < sequence - 2 * b ? 1 : 0
    inputs.token_type_ids[i] = s > sequence / 2 ? 1 : 0
  }
  return { batch, sequence, ...inputs }
}

export async function runOnnx(dir: string, inputs: ModelInputs, file = 'model.onnx'): Promise<Results> {
  const ort = await import('onnxruntime-node')
  const session = await ort.InferenceSession.create(join(dir, 'onnx', file), { intraOpNumThreads: 1 })
  const shape = [inputs.batch, inputs.sequence]
  const feeds = Object.fromEntries(
    NAMES.map((name) => [name, new ort.Tensor('int64', BigInt64Array.from(inputs[name], BigInt), shape)]),
  )
  const outputs = await session.run(feeds)
  return new Map(Object.entries(outputs).map(([name, t]) => [name, { dims: t.dims, data: t.data as Float32Array }]))
}

interface ModelJson {
  modelTopology: object
  signature: object
  userDefinedMetadata: Record<string, object>
  weightsManifest: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[]
}

export const readModelJson = (dir: string): ModelJson =>
  JSON.parse(readFileSync(join(dir, 'tfjs', 'model.json'), 'utf8')) as ModelJson

export async function loadTfjs(dir: string): Promise<GraphModel> {
  const { modelTopology, signature, weightsManifest, userDefinedMetadata } = readModelJson(dir)
  const weightData = weightsManifest[0]!.paths.map((path) => {
    const bytes = readFileSync(join(dir, 'tfjs', path))
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
  })
  const artifacts: tf.io.ModelArtifacts = {
    modelTopology,
    signature,
    userDefinedMetadata,
    weightSpecs: weightsManifest[0]!.weights,
    weightData,
  }
  return loadGraphModel({ load: () => Promise.resolve(artifacts) })
}

/** Runs `names` (every output if it is absent) on `backend`. */
export async function runTfjs(
  dir: string,
  inputs: ModelInputs,
  backend: 'cpu' | 'wasm',
  names?: string[],
): Promise<Results> {
  await tf.setBackend(backend)
  const model = await loadTfjs(dir)
  const feeds = Object.fromEntries(
    NAMES.map((name) => [name, tf.tensor2d(inputs[name], [inputs.batch, inputs.sequence], 'int32')]),
  )
  const asked = names ?? model.outputs.map(({ name }) => name.replace(/:0$/, ''))
  const outputs = model.execute(feeds, asked)
  const list = Array.isArray(outputs) ? outputs : [outputs]
  const results: Results = new Map(
    asked.map((name, i) => [name, { dims: list[i]!.shape, data: list[i]!.dataSync() as Float32Array }]),
  )
  model.dispose()
  return results
}

/** LiteRT is an optional package. */
export const hasLiteRt = installedVersion('@litertjs/core') !== null
if (!hasLiteRt) console.warn('@litertjs/core is not installed: tests of TensorFlow Lite files are skipped')

export async function runLiteRt(file: string, inputs: ModelInputs): Promise<Results> {
  const runner = await openLiteRt(file)
  try {
    const results = await runner.run(inputs)
    return new Map([...results].map(([name, { shape, data }]) => [name, { dims: shape, data }]))
  } finally {
    await runner.close()
  }
}

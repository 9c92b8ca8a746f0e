import type { GraphTarget } from '../../base/artefact-layout.js'
import { usage } from '../../base/errors.js'
import { openRunner, runnerInfo, type RunnerOptions } from '../../runtime/runners.js'
import type { NamedTensor, Runner } from '../../runtime/runner.js'
import { openListening } from '../runner-thread/open.js'
import type { Batch } from '../../text/data/batches.js'

/**
 * Runtimes that read text, as rows of `RUNNERS` with their options, the fastest first: in wasm TensorFlow.js is as fast
 * as onnxruntime with a model of base size, a fifth faster with a small one, and takes half of the memory
 * (docs/benchmarks.md). LiteRT comes last because it pads every text to the length of its file.
 */
const TEXT_RUNNER_ROWS = {
  onnxruntime: { runner: 'onnxruntime', options: {} },
  'tfjs-wasm': { runner: 'tfjs-wasm', options: {} },
  'onnxruntime-web': { runner: 'onnxruntime', options: { onnxPackage: 'onnxruntime-web' } },
  litert: { runner: 'litert', options: {} },
  'tfjs-webgpu': { runner: 'tfjs-webgpu', options: {} },
  'ort-webgpu': { runner: 'ort-webgpu', options: {} },
} as const satisfies Readonly<Record<string, { readonly runner: string; readonly options: RunnerOptions }>>

export type TextRunner = keyof typeof TEXT_RUNNER_ROWS

/** Those on the GPU are for pages: texts come one at a time there. */
const ON_GPU: readonly TextRunner[] = ['tfjs-webgpu', 'ort-webgpu']
export const TEXT_RUNNERS = (Object.keys(TEXT_RUNNER_ROWS) as readonly TextRunner[]).filter(
  (name) => !ON_GPU.includes(name),
)

/** Those that a page has, the quickest to load first. */
export const PAGE_RUNNERS: readonly TextRunner[] = ['tfjs-wasm', 'onnxruntime-web', 'litert', ...ON_GPU]

export const isTextRunner = (name: string): name is TextRunner => Object.hasOwn(TEXT_RUNNER_ROWS, name)

/** @throws AlbertkitError `usage` if text is not read with it */
export function textRunnerOf(name: string | undefined): TextRunner | undefined {
  if (name === undefined || isTextRunner(name)) return name
  throw usage(`${name} is not a runner for text`, {
    code: 'name-unknown',
    hint: `runners: ${TEXT_RUNNERS.join(', ')}`,
  })
}

/** Target whose files a runner loads. */
export const artefactOf = (name: TextRunner): GraphTarget => runnerInfo(TEXT_RUNNER_ROWS[name].runner).artefact

const optionsOf = (name: TextRunner, native: boolean): RunnerOptions => ({
  ...(native ? { onnxPackage: 'onnxruntime-node' } : {}),
  ...TEXT_RUNNER_ROWS[name].options,
})

/**
 * Opens a model's file. `onnxruntime` is onnxruntime-node or, unless `native`, onnxruntime-web if that is not
 * installed.
 * @throws AlbertkitError `environment` if the package is absent, `malformed`
 */
export function openFile(name: TextRunner, file: string, native = false): Promise<Runner> {
  return openRunner(TEXT_RUNNER_ROWS[name].runner, { file }, optionsOf(name, native))
}

/**
 * Opens a model's file as `openFile` does, but so that signals are handled while a large one is loaded.
 * @param bytes size of the file, with its weights
 */
export const openTextFile = (name: TextRunner, file: string, native: boolean, bytes: number): Promise<Runner> =>
  openListening(TEXT_RUNNER_ROWS[name].runner, { file }, optionsOf(name, native), { flops: 0, bytes })

/** Runs a batch; the outputs in the order of their names. */
export async function runBatch(
  runner: Runner,
  batch: Batch,
  outputs: readonly string[],
): Promise<readonly NamedTensor[]> {
  const values = await runner.run({ ...batch, batch: batch.rowIndices.length }, outputs)
  return outputs.map((name) => values.get(name)!)
}

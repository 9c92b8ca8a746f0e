import { asyncDisposable } from '../base/disposable.js'
import type { GraphTarget } from '../base/artefact-layout.js'
import { usage } from '../base/errors.js'
import type { ToleranceClass } from '../compare/tolerance.js'
import type { TensorSource } from '../formats/core/source.js'
import type { AlbertModel } from '../model/albert.js'
import { ALL_HEADS } from '../model/tasks.js'
import type { GpuOptions } from './gpu/adapter.js'
import type { OnnxPackage } from './onnx/packages.js'
import type { Runner } from './runner.js'
import type { TfjsEngine } from './tfjs/tfjs-backend.js'
import { NO_VALUES, type InnerValues } from './values.js'

export type { Adapter, GpuOptions } from './gpu/adapter.js'
export type { NamedTensor, Runner } from './runner.js'
export type { InnerValues } from './values.js'

/** Device of a runner: any CPU, an optional package on the CPU, a browser, a GPU. */
export type RunnerDevice = 'cpu' | 'optional' | 'browser' | 'gpu'

/** A model file. */
export interface RunnableFile {
  readonly file: string
  readonly values?: InnerValues
}

/** A model without a file. */
export interface RunnableModel {
  readonly model: AlbertModel
  readonly source: TensorSource
}

export type Runnable = RunnableFile | RunnableModel

export interface RunnerOptions extends GpuOptions {
  /** Path of the browser executable; the first that is found by default. */
  readonly browser?: string
  /** onnxruntime: threads inside an operation; one by default. */
  readonly threads?: number
  /** onnxruntime: the package to use; onnxruntime-node by default, or onnxruntime-web if that is not installed. */
  readonly onnxPackage?: OnnxPackage
  /** True for a few runs, for which memory counts more than speed. */
  readonly fewRuns?: boolean
}

export interface RunnerInfo {
  readonly name: string
  /** Target whose files it loads. */
  readonly artefact: GraphTarget
  /** Runners on `cpu` are the default if none is named; `gpu` requests those on `gpu`. */
  readonly device: RunnerDevice
  /** True if it multiplies integers of a file as float32, whatever the file asks for. */
  readonly widens?: true
  /** Class of bounds on its outputs (`TOLERANCES`). */
  readonly tolerance: ToleranceClass
  /** True if it takes a number of threads. */
  readonly threads: boolean
  /** True if its code is JavaScript and WebAssembly alone, so that a thread can be ended while it computes. */
  readonly endable: boolean
  /** False if another process computes, so that this process's memory does not include the model's. */
  readonly inProcess: boolean
  /** Opens a model file; the packages behind it are imported now. @throws AlbertkitError `environment`, `malformed` */
  readonly open: (what: RunnableFile, options: RunnerOptions) => Promise<Runner>
  /** Opens a model that has no file; null if it runs files only. @throws AlbertkitError `environment` */
  readonly openEager: ((what: RunnableModel, options: RunnerOptions) => Promise<Runner>) | null
}

/** Fields that most runners share. */
const COMMON = { tolerance: 'cpu', threads: false, endable: false, inProcess: true, openEager: null } as const

/** A TensorFlow.js in this process: files and models without a file. */
const tfjs = (openEngine: (options: RunnerOptions) => Promise<TfjsEngine>) =>
  ({
    ...COMMON,
    artefact: 'tfjs',
    open: async ({ file }: RunnableFile, options: RunnerOptions) => {
      const { openTfjs } = await import('./tfjs/tfjs.js')
      return openTfjs(file, await openEngine(options))
    },
    openEager: async ({ model, source }: RunnableModel, options: RunnerOptions) => {
      const { openEager } = await import('./tfjs/tfjs-ops.js')
      return openEager(model, source, await openEngine(options), ALL_HEADS)
    },
  }) as const

const tfjsBackend = (backend: 'cpu' | 'wasm' | 'webgpu') =>
  tfjs(async (options) => (await import('./tfjs/tfjs-backend.js')).openEngine(backend, options))

const tfjsNode = (gpu: boolean) =>
  tfjs(async ({ adapter }) => (await import('./tfjs/tfjs-node.js')).openTfjsNode(gpu, adapter))

const onnxruntime = {
  ...COMMON,
  artefact: 'onnx',
  threads: true,
  open: async ({ file, values }: RunnableFile, { threads, onnxPackage, fewRuns }: RunnerOptions) =>
    (await import('./onnx/onnxruntime.js')).openOnnx(file, {
      ...values,
      ...(threads === undefined ? {} : { threads }),
      ...(onnxPackage === undefined ? {} : { only: onnxPackage }),
      fewRuns: fewRuns === true,
    }),
} as const

const onnxGpu = (name: 'ort-webgpu' | 'ort-cuda') =>
  ({
    ...COMMON,
    artefact: 'onnx',
    open: async ({ file, values = NO_VALUES }: RunnableFile, options: RunnerOptions) =>
      (await import('./onnx/onnxruntime-gpu.js')).openOnnxGpu(file, name, values, options),
  }) as const

const litert = {
  ...COMMON,
  endable: true,
  artefact: 'tflite',
  open: async ({ file, values = NO_VALUES }: RunnableFile) =>
    (await import('./litert/litert.js')).openLiteRt(file, values),
} as const

/** A library in a page of a real browser. */
const browser = (name: string, artefact: GraphTarget, backend: 'wasm' | 'webgpu') =>
  ({
    ...COMMON,
    artefact,
    inProcess: false,
    open: async ({ file, values = NO_VALUES }: RunnableFile, options: RunnerOptions) =>
      (await import('./browser/runner.js')).openBrowser(file, { name, artefact, backend }, values, options),
  }) as const

/** All runners. To add one, see "Adding a runtime" in docs/architecture.md. */
export const RUNNERS: readonly RunnerInfo[] = [
  { name: 'onnxruntime', device: 'cpu', ...onnxruntime },
  { name: 'tfjs-wasm', device: 'cpu', ...tfjsBackend('wasm'), endable: true },
  { name: 'tfjs-cpu', device: 'cpu', ...tfjsBackend('cpu'), endable: true },
  { name: 'litert', device: 'cpu', ...litert },
  { name: 'tfjs-node', device: 'optional', ...tfjsNode(false) },
  { name: 'browser-wasm', device: 'browser', ...browser('browser-wasm', 'tfjs', 'wasm') },
  { name: 'browser-ort-wasm', device: 'browser', ...browser('browser-ort-wasm', 'onnx', 'wasm') },
  { name: 'browser-litert-wasm', device: 'browser', ...browser('browser-litert-wasm', 'tflite', 'wasm') },
  { name: 'tfjs-webgpu', device: 'gpu', ...tfjsBackend('webgpu'), tolerance: 'webgpu' },
  { name: 'ort-webgpu', device: 'gpu', ...onnxGpu('ort-webgpu'), tolerance: 'webgpu' },
  { name: 'browser-webgpu', device: 'gpu', ...browser('browser-webgpu', 'tfjs', 'webgpu'), tolerance: 'webgpu' },
  {
    name: 'browser-ort-webgpu',
    device: 'gpu',
    ...browser('browser-ort-webgpu', 'onnx', 'webgpu'),
    tolerance: 'webgpu',
  },
  {
    name: 'browser-litert-webgpu',
    device: 'gpu',
    ...browser('browser-litert-webgpu', 'tflite', 'webgpu'),
    tolerance: 'webgpu',
    widens: true,
  },
  { name: 'tfjs-node-gpu', device: 'gpu', ...tfjsNode(true), tolerance: 'cuda' },
  { name: 'ort-cuda', device: 'gpu', ...onnxGpu('ort-cuda'), tolerance: 'cuda' },
]

/** @throws AlbertkitError `usage` if there is no such runner */
export function runnerInfo(name: string): RunnerInfo {
  const info = RUNNERS.find((r) => r.name === name)
  if (info !== undefined) return info
  throw usage(`there is no runner ${name}`, {
    code: 'name-unknown',
    hint: `runners: ${RUNNERS.map((r) => r.name).join(', ')}`,
  })
}

/** Class of bounds by the name of a runner; that of a CPU for the float64 reference, which is not a runner. */
export const toleranceClassOf = (name: string): ToleranceClass =>
  RUNNERS.find((r) => r.name === name)?.tolerance ?? 'cpu'

/**
 * Opens the runner called `name`.
 * @throws AlbertkitError `usage` if there is none or it cannot run a model without a file, `environment` if its package
 *   or its hardware is absent, `malformed`
 */
export async function openRunner(
  name: string,
  what: Runnable,
  options: RunnerOptions = {},
): Promise<Runner & AsyncDisposable> {
  const { open, openEager } = runnerInfo(name)
  if (!('model' in what)) return asyncDisposable(await open(what, options))
  if (openEager === null) throw usage(`${name} runs model files only`, { code: 'option-conflict' })
  return asyncDisposable(await openEager(what, options))
}

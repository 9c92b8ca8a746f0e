import type { GraphTarget } from '../base/artefact-layout.js'
import { usage } from '../base/errors.js'
import type { TensorSource } from '../formats/core/source.js'
import type { AlbertModel } from '../model/albert.js'
import { ALL_HEADS } from '../model/tasks.js'
import type { GpuOptions } from './gpu/adapter.js'
import { isBrowserRunner, openBrowser } from './browser/runner.js'
import { openOnnx } from './onnx/onnxruntime.js'
import { openOnnxGpu } from './onnx/onnxruntime-gpu.js'
import type { Runner } from './runner.js'
import { openEngine, type TfjsEngine } from './tfjs/tfjs-backend.js'
import { openTfjsNode } from './tfjs/tfjs-node.js'
import { openEager } from './tfjs/tfjs-ops.js'
import { openTfjs } from './tfjs/tfjs.js'
import { NO_VALUES, type InnerValues } from './values.js'

export type { Adapter, GpuOptions } from './gpu/adapter.js'
export type { NamedTensor, Runner } from './runner.js'
export type { InnerValues } from './values.js'

/** What a runner computes on: every machine's CPU, packages that few install, a browser, a GPU. */
export type RunnerDevice = 'cpu' | 'optional' | 'browser' | 'gpu'

export interface RunnerInfo {
  readonly name: string
  /** Target whose files it loads. */
  readonly artefact: GraphTarget
  /** Whether it can run a model that has no file, too. */
  readonly eager: boolean
  /** Those on `cpu` are run when none is named; those on `gpu` are what `--gpu` asks for. */
  readonly device: RunnerDevice
}

/** Every runner there is; the packages behind them are imported when one is opened. */
export const RUNNERS: readonly RunnerInfo[] = [
  { name: 'onnxruntime', artefact: 'onnx', eager: false, device: 'cpu' },
  { name: 'tfjs-wasm', artefact: 'tfjs', eager: true, device: 'cpu' },
  { name: 'tfjs-cpu', artefact: 'tfjs', eager: true, device: 'cpu' },
  { name: 'tfjs-node', artefact: 'tfjs', eager: true, device: 'optional' },
  { name: 'browser-wasm', artefact: 'tfjs', eager: false, device: 'browser' },
  { name: 'browser-ort-wasm', artefact: 'onnx', eager: false, device: 'browser' },
  { name: 'tfjs-webgpu', artefact: 'tfjs', eager: true, device: 'gpu' },
  { name: 'ort-webgpu', artefact: 'onnx', eager: false, device: 'gpu' },
  { name: 'browser-webgpu', artefact: 'tfjs', eager: false, device: 'gpu' },
  { name: 'browser-ort-webgpu', artefact: 'onnx', eager: false, device: 'gpu' },
  { name: 'tfjs-node-gpu', artefact: 'tfjs', eager: true, device: 'gpu' },
  { name: 'ort-cuda', artefact: 'onnx', eager: false, device: 'gpu' },
]

/** A model file, or a model without one. */
export type Runnable =
  | { readonly file: string; readonly values?: InnerValues }
  | { readonly model: AlbertModel; readonly source: TensorSource }

export interface RunnerOptions extends GpuOptions {
  /** The browser's program instead of the one that is found. */
  readonly browser?: string
  /** onnxruntime: threads inside an operation; one, by default. */
  readonly threads?: number
}

const engineOf = (name: string, options: RunnerOptions): Promise<TfjsEngine> => {
  if (name === 'tfjs-node' || name === 'tfjs-node-gpu') return openTfjsNode(name === 'tfjs-node-gpu', options.adapter)
  return openEngine(name === 'tfjs-webgpu' ? 'webgpu' : name === 'tfjs-cpu' ? 'cpu' : 'wasm', options)
}

const threadsOf = ({ threads }: RunnerOptions) => (threads === undefined ? {} : { threads })

/**
 * Opens the runner called `name`.
 * @throws AlbertkitError `usage` where there is none, `environment` where its package or its hardware is absent,
 *   `malformed`
 */
export async function openRunner(name: string, what: Runnable, options: RunnerOptions = {}): Promise<Runner> {
  const info = RUNNERS.find((r) => r.name === name)
  if (info === undefined)
    throw usage(`there is no runner ${name}`, { hint: `runners: ${RUNNERS.map((r) => r.name).join(', ')}` })
  if ('model' in what) {
    if (!info.eager) throw usage(`${name} runs model files only`)
    return openEager(what.model, what.source, await engineOf(name, options), ALL_HEADS)
  }
  if (name === 'onnxruntime') return openOnnx(what.file, { ...what.values, ...threadsOf(options) })
  if (name === 'ort-webgpu' || name === 'ort-cuda')
    return openOnnxGpu(what.file, name, what.values ?? NO_VALUES, options)
  if (isBrowserRunner(name)) return openBrowser(what.file, name, what.values ?? NO_VALUES, options)
  return openTfjs(what.file, await engineOf(name, options))
}

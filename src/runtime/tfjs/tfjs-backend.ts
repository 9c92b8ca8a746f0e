import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type * as Wasm from '@tensorflow/tfjs-backend-wasm'
import type * as Converter from '@tensorflow/tfjs-converter'
import type * as Tf from '@tensorflow/tfjs-core'
import { environment } from '../../base/errors.js'
import type { Adapter, GpuOptions } from '../gpu/adapter.js'
import { importOptional, isAbsent, named, requirePackage } from '../../base/optional-package.js'
import { useBackend } from './use-backend.js'
import { openDevice } from '../gpu/webgpu.js'

export type TfjsBackend = 'cpu' | 'wasm' | 'webgpu'
export type TfjsCore = typeof Tf

/** TensorFlow.js with one of its backends, initialised. */
export interface TfjsEngine {
  /** `tfjs-wasm`, `tfjs-node` … */
  readonly name: string
  /** Package, version, backend. */
  readonly detail: string
  /** GPU; null on a CPU. */
  readonly adapter: Adapter | null
  readonly tf: TfjsCore
  readonly loadGraphModel: typeof Converter.loadGraphModel
  /** Activates this backend: a process has one engine, and several runners may be open. */
  use(): Promise<void>
  close(): Promise<void>
}

let core: TfjsCore | null = null

function loadCore(): TfjsCore {
  const tf = requirePackage('@tensorflow/tfjs-core') as TfjsCore
  tf.env().set('IS_TEST', true) // otherwise it advertises tfjs-node on the console
  tf.env().set('PROD', true)
  return tf
}

/** @throws AlbertkitError `environment` if a package that comes with albertkit is missing */
function loadBackend(name: string): unknown {
  try {
    return requirePackage(name)
  } catch (cause) {
    if (!isAbsent(cause)) throw cause
    const hint = 'it comes with albertkit: reinstall albertkit'
    throw environment(`${name} is not installed`, { code: 'installation-damaged', hint, cause })
  }
}

function register(backend: 'cpu' | 'wasm'): void {
  if (backend === 'cpu') {
    loadBackend('@tensorflow/tfjs-backend-cpu')
    return
  }
  const wasm = loadBackend('@tensorflow/tfjs-backend-wasm') as typeof Wasm
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')
  wasm.setWasmPaths(`${dirname(entry)}/`)
}

const importWebGpu = () =>
  importOptional(
    '@tensorflow/tfjs-backend-webgpu',
    () => import('@tensorflow/tfjs-backend-webgpu'),
    'TensorFlow.js on WebGPU',
    ['@tensorflow/tfjs-backend-webgpu', 'webgpu'],
  )

/** Provides `navigator.gpu` while `make` runs: the backend's constructor checks it, and nothing later does. */
function withNavigator<T>(make: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: {}, userAgent: 'node' }, configurable: true })
  try {
    return make()
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, 'navigator')
    else Object.defineProperty(globalThis, 'navigator', before)
  }
}

/** Registers the WebGPU backend on the device that `options` choose. */
async function registerWebGpu(tf: TfjsCore, options: GpuOptions): Promise<{ adapter: Adapter; close: () => void }> {
  const { WebGPUBackend } = await importWebGpu()
  register('cpu') // the WebGPU backend forwards small tensors to it
  const { device, info, adapter, close } = await openDevice('tfjs-webgpu', options)
  // If `navigator.gpu` exists, importing the package registers a backend on another device.
  if ('webgpu' in tf.engine().registryFactory) tf.removeBackend('webgpu')
  tf.registerBackend('webgpu', () => withNavigator(() => new WebGPUBackend(device, info)))
  return {
    adapter,
    close: () => {
      tf.removeBackend('webgpu')
      close()
    },
  }
}

/**
 * Opens TensorFlow.js with `backend` active; its packages are imported on first use.
 * @throws AlbertkitError `environment` if the backend does not start
 */
export async function openEngine(backend: TfjsBackend, options: GpuOptions = {}): Promise<TfjsEngine> {
  const tf = (core ??= loadCore())
  const converter = requirePackage('@tensorflow/tfjs-converter') as typeof Converter
  let gpu: { adapter: Adapter; close: () => void } | null = null
  if (backend === 'webgpu') gpu = await registerWebGpu(tf, options)
  else register(backend)
  await useBackend(tf, backend)
  return {
    name: `tfjs-${backend}`,
    detail: `${named('@tensorflow/tfjs-core')} on ${backend}`,
    adapter: gpu?.adapter ?? null,
    tf,
    loadGraphModel: converter.loadGraphModel.bind(converter),
    use: () => useBackend(tf, backend),
    close: () => {
      gpu?.close()
      return Promise.resolve()
    },
  }
}

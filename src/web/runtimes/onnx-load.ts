import type { Loaded, Ort } from '../../runtime/onnx/load.js'
import type { OnnxPackage } from '../../runtime/onnx/packages.js'
import { environment } from '../../base/errors.js'
import { importRuntime, runtimeUrl } from './place.js'

/** `runtime/onnx/load.ts` in a browser: onnxruntime-web on wasm. */

let loaded: Promise<Loaded> | null = null

async function load(): Promise<Loaded> {
  const ort = await importRuntime<Ort>('ort/ort.wasm.min.mjs', 'onnxruntime-web')
  ort.env.wasm.wasmPaths = runtimeUrl('ort/')
  // More threads need cross-origin isolation headers, which few servers send.
  ort.env.wasm.numThreads = 1
  ort.env.logLevel = 'error'
  const version = ort.env.versions.web ?? ''
  return { ort, package: 'onnxruntime-web', detail: `onnxruntime-web ${version} (wasm)`, opensPaths: false }
}

/** @throws AlbertkitError `environment` if it is not there */
export async function loadOnnx(_importer?: unknown, only: OnnxPackage = 'onnxruntime-web'): Promise<Loaded> {
  if (only !== 'onnxruntime-web') await loadNative()
  loaded ??= load()
  return loaded.catch((error: unknown) => {
    loaded = null
    throw error
  })
}

/** @throws AlbertkitError `environment`: there is none in a browser */
export const loadNative = (): Promise<never> =>
  Promise.reject(environment('onnxruntime-node needs Node', { code: 'package-missing' }))

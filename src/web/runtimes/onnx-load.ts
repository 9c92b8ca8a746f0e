import type { Loaded, Ort } from '../../runtime/onnx/load.js'
import type { OnnxPackage } from '../../runtime/onnx/packages.js'
import { environment } from '../../base/errors.js'
import { importRuntime, runtimeUrl } from './place.js'

/** `runtime/onnx/load.ts` in a browser: onnxruntime-web on wasm, or on WebGPU. */

async function load(script: string, device: string): Promise<Loaded> {
  const ort = await importRuntime<Ort>(`ort/${script}`, 'onnxruntime-web')
  ort.env.wasm.wasmPaths = runtimeUrl('ort/')
  // More threads need cross-origin isolation headers, which few servers send.
  ort.env.wasm.numThreads = 1
  ort.env.logLevel = 'error'
  const version = ort.env.versions.web ?? ''
  return { ort, package: 'onnxruntime-web', detail: `onnxruntime-web ${version} (${device})`, opensPaths: false }
}

/** Loads a script once; what failed is tried again. */
function once(script: string, device: string): () => Promise<Loaded> {
  let loaded: Promise<Loaded> | null = null
  return () => {
    loaded ??= load(script, device)
    return loaded.catch((error: unknown) => {
      loaded = null
      throw error
    })
  }
}

const loadWasm = once('ort.wasm.min.mjs', 'wasm')

/** @throws AlbertkitError `environment` if it is not there */
export async function loadOnnx(_importer?: unknown, only: OnnxPackage = 'onnxruntime-web'): Promise<Loaded> {
  if (only !== 'onnxruntime-web') throw environment('onnxruntime-node needs Node', { code: 'package-missing' })
  return loadWasm()
}

/** Another script, for the only provider of a GPU in a browser. @throws AlbertkitError `environment` if it is not there */
export const loadNative = once('ort.webgpu.min.mjs', 'webgpu')

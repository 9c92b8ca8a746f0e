import type { TfjsBackend, TfjsCore, TfjsEngine } from '../../runtime/tfjs/tfjs-backend.js'
import { useBackend } from '../../runtime/tfjs/use-backend.js'
import { findGpu } from './gpu.js'
import { importRuntime, runtimeUrl } from './place.js'
import type * as Bundle from './tfjs-bundle.js'

/** `runtime/tfjs/tfjs-backend.ts` in a browser. */

/** Opens TensorFlow.js with `backend` active. @throws AlbertkitError `environment` if it does not start */
export async function openEngine(backend: TfjsBackend): Promise<TfjsEngine> {
  const adapter = backend === 'webgpu' ? await findGpu() : null
  const script = backend === 'webgpu' ? 'tfjs/tfjs-webgpu.js' : 'tfjs/tfjs.js'
  const bundle = await importRuntime<typeof Bundle>(script, 'TensorFlow.js')
  const { tf, loadGraphModel, setWasmPaths } = bundle
  tf.env().set('PROD', true)
  if (backend === 'wasm') setWasmPaths(runtimeUrl('tfjs/'))
  await useBackend(tf, backend)
  return {
    name: `tfjs-${backend}`,
    detail: `@tensorflow/tfjs-core ${tf.version_core} on ${backend}`,
    adapter,
    tf: tf as TfjsCore,
    loadGraphModel,
    use: () => useBackend(tf, backend),
    close: () => Promise.resolve(),
  }
}

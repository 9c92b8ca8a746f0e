import type { TfjsBackend, TfjsCore, TfjsEngine } from '../../runtime/tfjs/tfjs-backend.js'
import { environment } from '../../base/errors.js'
import { useBackend } from '../../runtime/tfjs/use-backend.js'
import { importRuntime, runtimeUrl } from './place.js'
import type * as Bundle from './tfjs-bundle.js'

/** `runtime/tfjs/tfjs-backend.ts` in a browser. */

/** Opens TensorFlow.js with `backend` active. @throws AlbertkitError `environment` if it does not start */
export async function openEngine(backend: TfjsBackend): Promise<TfjsEngine> {
  if (backend === 'webgpu')
    throw environment('WebGPU is not used here', { code: 'device-missing', hint: 'use tfjs-wasm' })
  const bundle = await importRuntime<typeof Bundle>('tfjs/tfjs.js', 'TensorFlow.js')
  const { tf, loadGraphModel, setWasmPaths } = bundle
  tf.env().set('PROD', true)
  if (backend === 'wasm') setWasmPaths(runtimeUrl('tfjs/'))
  await useBackend(tf, backend)
  return {
    name: `tfjs-${backend}`,
    detail: `@tensorflow/tfjs-core ${tf.version_core} on ${backend}`,
    adapter: null,
    tf: tf as TfjsCore,
    loadGraphModel,
    use: () => useBackend(tf, backend),
    close: () => Promise.resolve(),
  }
}

import { AlbertkitError, environment } from '../../base/errors.js'
import { adapterHint, requireAdapter, type GpuOptions } from '../gpu/adapter.js'
import { CUDA_CHOICE, nvidiaAdapter, withoutTf32 } from '../gpu/nvidia.js'
import { libraryFolder, whyCudaFails } from './cuda-library.js'
import { openOnnx, type OnnxOptions } from './onnxruntime.js'
import type { Provider } from './packages.js'
import type { Runner } from '../runner.js'
import { findAdapter } from '../gpu/webgpu.js'

const CUDA_HINT =
  'onnxruntime-node 1.30 supports CUDA 12 or 13 on Linux x64: reinstall it with its install script allowed (it ' +
  'downloads the provider), and install an NVIDIA driver, CUDA and cuDNN'

/**
 * Describes the adapter of onnxruntime, which does not expose it. onnxruntime is built on Dawn like the package
 * `webgpu`, and both use the system's preferred adapter: so Dawn is queried. If the user gave a name, that adapter must
 * match it.
 */
async function webgpu(name: string, options: GpuOptions): Promise<Provider> {
  const adapter = await findAdapter(name, { allowSoftware: options.allowSoftware ?? false })
  if (options.adapter !== undefined) {
    const wanted = await findAdapter(name, options)
    if (wanted.device !== adapter.device || wanted.driver !== adapter.driver) {
      throw environment(`${name} takes the first adapter, ${adapter.device}, and cannot be told to take another`, {
        code: 'device-missing',
        hint: 'VK_ICD_FILENAMES hides the drivers of the others from it (Linux)',
      })
    }
  }
  return { id: 'webgpu', name, adapter, hint: adapterHint() }
}

/** True if onnxruntime could not load the library of its provider. */
const isUnloaded = (error: unknown): boolean =>
  error instanceof AlbertkitError && error.message.includes('shared library')

/** Runners of onnxruntime on a GPU. */
export type OnnxGpuName = 'ort-webgpu' | 'ort-cuda'

/** Execution provider of a runner. @throws AlbertkitError `environment` if there is no such GPU */
export async function gpuProvider(name: OnnxGpuName, options: GpuOptions): Promise<Provider> {
  if (name === 'ort-webgpu') return webgpu(name, options)
  withoutTf32()
  return { id: 'cuda', name, adapter: nvidiaAdapter(), hint: CUDA_HINT }
}

/**
 * Loads an ONNX file in onnxruntime on a GPU.
 * @throws AlbertkitError `environment` if there is no GPU or its provider is absent, `malformed`
 */
export async function openOnnxGpu(
  file: string,
  name: OnnxGpuName,
  values: Pick<OnnxOptions, 'marks' | 'inner' | 'outputs'>,
  options: GpuOptions,
): Promise<Runner> {
  const provider = await gpuProvider(name, options)
  const runner = await openOnnx(file, { ...values, provider }).catch((error: unknown) => {
    const why = name === 'ort-cuda' && isUnloaded(error) ? whyCudaFails(libraryFolder()) : null
    throw why === null
      ? error
      : environment(`${name} does not start: ${why}`, { code: 'device-missing', hint: provider.hint, cause: error })
  })
  // Opening succeeds only if there is a GPU, so its name is checked last.
  try {
    if (name === 'ort-cuda') requireAdapter(name, provider.adapter, options.adapter, CUDA_CHOICE)
    return runner
  } catch (error) {
    await runner.close()
    throw error
  }
}

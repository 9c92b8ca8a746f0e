import { createRequire } from 'node:module'
import type * as Converter from '@tensorflow/tfjs-converter'
import { environment } from '../../base/errors.js'
import { installCommand } from '../../base/install-command.js'
import { requireAdapter, type Adapter } from '../gpu/adapter.js'
import { CUDA_CHOICE, nvidiaAdapter, withoutTf32 } from '../gpu/nvidia.js'
import { findPackage, versionAt } from '../../base/optional-package.js'
import { firstLine } from '../runner.js'
import type { TfjsCore, TfjsEngine } from './tfjs-backend.js'

/** Interface of tfjs-node, which includes all of tfjs. */
type TfjsNode = TfjsCore & Pick<typeof Converter, 'loadGraphModel'>

const hintFor = (name: string): string =>
  `${installCommand(name)}; if its installer cannot download TensorFlow, scripts/build-tfjs-node.sh of the ` +
  'repository builds it against a Python wheel'

function load(name: string): { tf: TfjsNode; version: string } {
  const entry = findPackage(name)
  if (entry === null)
    throw environment(`the optional package ${name} is not installed`, {
      code: 'package-missing',
      hint: hintFor(name),
    })
  // Otherwise TensorFlow logs to stderr when it is loaded.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '3'
  // oneDNN's fused operations are off by 3e-2 on processors with AMX (TensorFlow 2.21); set before loading.
  process.env.TF_ENABLE_ONEDNN_OPTS ??= '0'
  try {
    return { tf: createRequire(entry)(entry) as TfjsNode, version: versionAt(entry, name) ?? '' }
  } catch (error) {
    // Without its addon the package throws a plain Error; without libtensorflow the error is ERR_DLOPEN_FAILED.
    throw environment(`${name} is installed but does not load: ${firstLine(error)}`, {
      code: 'package-missing',
      hint: hintFor(name),
      cause: error,
    })
  }
}

/**
 * Opens tfjs-node (TensorFlow itself behind TensorFlow.js) from the user's project or albertkit's node_modules.
 * @param gpu true if TensorFlow must compute on a GPU
 * @param wanted part of the adapter's name
 * @throws AlbertkitError `environment` if the package is absent or does not load, or if `gpu` and there is no GPU
 */
export async function openTfjsNode(gpu: boolean, wanted?: string): Promise<TfjsEngine> {
  withoutTf32()
  const name = gpu ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node'
  const { tf, version } = load(name)
  const use = async (): Promise<void> => {
    await tf.setBackend('tensorflow')
    await tf.ready()
  }
  await use()
  const { isUsingGpuDevice } = tf.backend() as unknown as { readonly isUsingGpuDevice: boolean }
  if (gpu && !isUsingGpuDevice) {
    throw environment(`${name} loads, but its TensorFlow computes on the CPU`, {
      code: 'device-missing',
      hint:
        'it needs an NVIDIA GPU, its driver, and the CUDA version of its libtensorflow (11.2 with cuDNN 8.1 for ' +
        'the one that it downloads)',
    })
  }
  const adapter: Adapter | null = isUsingGpuDevice ? nvidiaAdapter() : null
  if (gpu && adapter !== null) requireAdapter('tfjs-node-gpu', adapter, wanted, CUDA_CHOICE)
  return {
    name: gpu ? 'tfjs-node-gpu' : 'tfjs-node',
    detail: `${name} ${version} (${isUsingGpuDevice ? 'GPU' : 'CPU'})`,
    adapter,
    tf,
    loadGraphModel: tf.loadGraphModel.bind(tf),
    use,
    close: () => Promise.resolve(),
  }
}

import { openOnnx, type OnnxOptions } from '../../runtime/onnx/onnxruntime.js'
import type { Runner } from '../../runtime/runner.js'
import { findGpu } from './gpu.js'

/** `runtime/onnx/onnxruntime-gpu.ts` in a browser: onnxruntime-web on WebGPU. */

/** @throws AlbertkitError `environment` if the browser gives no GPU or onnxruntime does not start on it, `malformed` */
export async function openOnnxGpu(
  file: string,
  name: string,
  values: Pick<OnnxOptions, 'marks' | 'inner' | 'outputs'>,
): Promise<Runner> {
  const provider = { id: 'webgpu', name, adapter: await findGpu(), hint: 'choose a runtime on wasm' } as const
  return openOnnx(file, { ...values, provider })
}

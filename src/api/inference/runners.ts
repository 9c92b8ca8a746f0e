import type { GraphTarget } from '../../base/artefact-layout.js'
import { usage } from '../../base/errors.js'
import type { Runner } from '../../runtime/runner.js'

/**
 * Runtimes that read text, the fastest first: in wasm TensorFlow.js is as fast as onnxruntime with a model of base size, a
 * fifth faster with a small one, and takes half of the memory (docs/benchmarks.md).
 */
export const TEXT_RUNNERS = ['onnxruntime', 'tfjs-wasm', 'onnxruntime-web'] as const
export type TextRunner = (typeof TEXT_RUNNERS)[number]

export const isTextRunner = (name: string): name is TextRunner => (TEXT_RUNNERS as readonly string[]).includes(name)

/** @throws AlbertkitError `usage` where text is not read with it */
export function textRunnerOf(name: string | undefined): TextRunner | undefined {
  if (name === undefined || isTextRunner(name)) return name
  throw usage(`the runner ${name} does not read text`, {
    code: 'name-unknown',
    hint: `runners: ${TEXT_RUNNERS.join(', ')}`,
  })
}

export const formOf = (runner: TextRunner): GraphTarget => (runner === 'tfjs-wasm' ? 'tfjs' : 'onnx')

/**
 * Opens a model's file. `onnxruntime` is onnxruntime-node, or onnxruntime-web where that is absent and `native` is false.
 * @throws AlbertkitError `environment` where the package is absent, `malformed`
 */
export async function openFile(runner: TextRunner, file: string, native = false): Promise<Runner> {
  if (runner === 'tfjs-wasm') {
    const { openEngine } = await import('../../runtime/tfjs/tfjs-backend.js')
    const { openTfjs } = await import('../../runtime/tfjs/tfjs.js')
    return openTfjs(file, await openEngine('wasm'))
  }
  const { openOnnx } = await import('../../runtime/onnx/onnxruntime.js')
  const only = runner === 'onnxruntime-web' ? runner : native ? 'onnxruntime-node' : undefined
  return openOnnx(file, only === undefined ? {} : { only })
}

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * The other programs that read what albertkit writes. Interpreters: ALBERTKIT_PYTHON_TENSORFLOW,
 * ALBERTKIT_PYTHON_TRANSFORMERS and ALBERTKIT_PYTHON_MEDIAPIPE, else ALBERTKIT_PYTHON, else python3.
 */

const ENV = {
  ...process.env,
  TF_ENABLE_ONEDNN_OPTS: '0',
  TF_CPP_MIN_LOG_LEVEL: '3',
  HF_HUB_OFFLINE: '1',
  TRANSFORMERS_VERBOSITY: 'error',
}

function python(what: 'TENSORFLOW' | 'TRANSFORMERS' | 'MEDIAPIPE', modules: readonly string[]): string | null {
  const program = process.env[`ALBERTKIT_PYTHON_${what}`] ?? process.env.ALBERTKIT_PYTHON ?? 'python3'
  const tried = spawnSync(program, ['-c', modules.map((module) => `import ${module}`).join('\n')], { env: ENV })
  if (tried.status === 0) return program
  const why = tried.error?.message ?? tried.stderr.toString().trim().split('\n').pop() ?? ''
  console.warn(
    `${program} cannot import ${modules.join(' and ')} (${why}): its tests are skipped. Set ALBERTKIT_PYTHON_${what}.`,
  )
  return null
}

export const TENSORFLOW = python('TENSORFLOW', ['tensorflow', 'numpy'])
export const TRANSFORMERS = python('TRANSFORMERS', ['torch', 'transformers'])
/** sentence-transformers, in the same Python. */
export const SENTENCE_TRANSFORMERS = python('TRANSFORMERS', ['torch', 'sentence_transformers'])
/** PEFT, in the same Python. */
export const PEFT = python('TRANSFORMERS', ['torch', 'transformers', 'peft'])
/** The hub's own client, in the same Python. */
export const HUB = python('TRANSFORMERS', ['huggingface_hub'])
/** The official package of ONNX, in the same Python. */
export const ONNX = python('TRANSFORMERS', ['onnx', 'numpy'])

/** MediaPipe and the tools for metadata of TensorFlow Lite (mediapipe, tflite-support). */
export const MEDIAPIPE = python('MEDIAPIPE', ['mediapipe', 'tflite_support'])

/** Runs one of the scripts beside this file with a JSON request, and gives its JSON answer. */
export function ask(program: string, script: string, request: object): unknown {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const { status, stdout, stderr } = spawnSync(program, [path], {
    input: JSON.stringify(request),
    env: ENV,
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`${script} ended with ${String(status)}: ${stderr.toString().slice(-4000)}`)
  return JSON.parse(stdout.toString())
}

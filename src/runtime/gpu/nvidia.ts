import { execFileSync } from 'node:child_process'
import type { Adapter } from './adapter.js'

/** Disables TF32 (10 mantissa bits) in CUDA's libraries, which read this variable when they are loaded. */
export const withoutTf32 = (): void => {
  process.env.NVIDIA_TF32_OVERRIDE ??= '0'
}

/** Hint for choosing one of several GPUs. */
export const CUDA_CHOICE = 'to use the second GPU, set CUDA_VISIBLE_DEVICES=1 in the environment'

/** First NVIDIA GPU as nvidia-smi names it. */
export function nvidiaAdapter(): Adapter {
  try {
    const query = ['--query-gpu=name,driver_version', '--format=csv,noheader']
    const text = execFileSync('nvidia-smi', query, {
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [device = 'unknown', driver = 'unknown'] = (text.split('\n')[0] ?? '').split(',').map((part) => part.trim())
    return { vendor: 'nvidia', device, driver, software: false }
  } catch {
    return { vendor: 'nvidia', device: 'unknown', driver: 'unknown (nvidia-smi is not installed)', software: false }
  }
}

import { execFileSync } from 'node:child_process'
import type { Adapter } from './adapter.js'

/** TF32 keeps ten bits of a product's mantissa: switched off for CUDA's libraries, which read this when they start. */
export const withoutTf32 = (): void => {
  process.env.NVIDIA_TF32_OVERRIDE ??= '0'
}

/** How one of several is chosen. */
export const CUDA_CHOICE = 'CUDA_VISIBLE_DEVICES=1 before the command shows it the second one alone'

/** The NVIDIA GPU that CUDA takes first, as the driver's own tool names it. */
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
    return { vendor: 'nvidia', device: 'unknown', driver: 'unknown (nvidia-smi is not here)', software: false }
  }
}

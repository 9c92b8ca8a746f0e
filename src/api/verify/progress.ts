import type { ComputeOptions } from '../reference/compute.js'
import type { VerifyOptions } from './report.js'

/** Options of the reference in a verification, which tells its layers. */
export function referenceProgress(
  { signal, onProgress }: Pick<VerifyOptions, 'signal' | 'onProgress'>,
  what = 'running the float64 reference',
): ComputeOptions {
  onProgress?.(what)
  return {
    signal,
    onLayer: (done, total) => {
      onProgress?.(`${what}: layer ${done} of ${total}`)
    },
  }
}

import { progressStep, type ProgressStage } from '../../base/abort.js'
import type { ComputeOptions } from '../reference/compute.js'
import type { VerifyOptions } from './report.js'

/** Options of the reference in a verification, which reports its layers. */
export function referenceProgress(
  { signal, onProgress }: Pick<VerifyOptions, 'signal' | 'onProgress'>,
  stage: ProgressStage = 'running the reference',
  item: string | null = null,
): ComputeOptions {
  onProgress?.(progressStep(stage, item))
  return {
    signal,
    onLayer: (done, total) => {
      onProgress?.(progressStep(stage, item === null ? 'layer' : `${item}, layer`, [done - 1, total]))
    },
  }
}

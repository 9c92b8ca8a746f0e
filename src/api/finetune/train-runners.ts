import type { TrainerOptions } from './trainer.js'

/** Runtimes that a training graph runs in. */
export const TRAIN_RUNNERS = ['onnxruntime', 'ort-webgpu', 'ort-cuda'] as const
export type TrainRunner = (typeof TRAIN_RUNNERS)[number]

/** The GPU of a runner; undefined for the CPU. */
export const gpuOf = ({
  runner = 'onnxruntime',
  allowSoftware = false,
}: {
  readonly runner?: TrainRunner
  readonly allowSoftware?: boolean
}): TrainerOptions['gpu'] => (runner === 'onnxruntime' ? undefined : { name: runner, options: { allowSoftware } })

/** Learning rate by step (BERT's optimization.py `create_optimizer`). */
export interface Schedule {
  /** Rate at the end of warm-up. */
  readonly learningRate: number
  /** Steps after which the rate is 0. */
  readonly trainSteps: number
  readonly warmupSteps: number
}

/**
 * Rate of a step, counted from 0: linear warm-up from 0, else linear decay from step 0 to 0 at `trainSteps`. In
 * float32, as TensorFlow computes it.
 */
export function rateOf(step: number, { learningRate, trainSteps, warmupSteps }: Schedule): number {
  const { fround } = Math
  const rate = fround(learningRate)
  if (step < warmupSteps) return fround(rate * fround(step / warmupSteps))
  return fround(rate * fround(1 - fround(Math.min(step, trainSteps) / trainSteps)))
}

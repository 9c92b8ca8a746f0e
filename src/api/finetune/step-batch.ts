import type { ModelInputs } from '../../model/reference/run.js'

/** Values that the logits of a batch are compared with. */
export interface Targets {
  readonly dims: readonly number[]
  readonly data: Float32Array
}

/** A batch of a training step. */
export interface StepBatch {
  readonly inputs: ModelInputs
  /** One for the logits; two for the start and the end of spans. */
  readonly targets: readonly Targets[]
  /** Terms of the loss, by whose number it is divided. */
  readonly count: number
}

/** Rows of `classes` values with a 1 at each label; a row of zeros for a label below 0, which then does not count. */
export function oneHot(labels: ArrayLike<number>, classes: number): Float32Array {
  const rows = new Float32Array(labels.length * classes)
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!
    if (label >= 0) rows[i * classes + label] = 1
  }
  return rows
}

import { padBatch } from '../../text/data/batches.js'
import { permutation } from '../../training/counted-random.js'
import { oneHot, type StepBatch, type Targets } from './step-batch.js'
import { trainTaskRow, type TrainTask } from './train-tasks.js'
import type { LabelledExample } from './labelled.js'

/** Target values of an example: class indices, one a token for tokens; -1 does not count. Or numbers of a regression. */
export type TargetValues = readonly number[]

/** Examples with their targets as numbers. */
export interface TargetSet {
  readonly task: TrainTask
  readonly examples: readonly LabelledExample[]
  readonly targets: readonly TargetValues[]
  /** Classes of the head; 1 for a regression. */
  readonly classes: number
}

/** Target values of the labels of an example. */
export function targetValues(task: TrainTask, labels: readonly (string | null)[], names: readonly string[]): number[] {
  if (task === 'regression') return labels.map(Number)
  return labels.map((label) => (label === null ? -1 : names.indexOf(label)))
}

function targetsOf(set: TargetSet, rows: readonly number[], sequence: number): { targets: Targets; count: number } {
  const { classes } = set
  const own = rows.map((row) => set.targets[row]!)
  switch (trainTaskRow(set.task).loss) {
    case 'squared': {
      return { targets: { dims: [rows.length, 1], data: Float32Array.from(own, (one) => one[0]!) }, count: rows.length }
    }
    case 'sigmoid': {
      const data = new Float32Array(rows.length * classes)
      own.forEach((indices, row) => {
        for (const index of indices) if (index >= 0) data[row * classes + index] = 1
      })
      return { targets: { dims: [rows.length, classes], data }, count: data.length }
    }
    default: {
      if (set.task !== 'token-classification') {
        const data = oneHot(
          own.map((one) => one[0]!),
          classes,
        )
        return { targets: { dims: [rows.length, classes], data }, count: rows.length }
      }
      const indices = own.flatMap((one) => [...one, ...Array<number>(sequence - one.length).fill(-1)])
      const count = indices.reduce((sum, index) => sum + (index >= 0 ? 1 : 0), 0)
      return { targets: { dims: [rows.length, sequence, classes], data: oneHot(indices, classes) }, count }
    }
  }
}

/** Batch of the examples at `rows`, padded to the longest of them. */
export function makeBatch(set: TargetSet, rows: readonly number[]): StepBatch {
  const features = rows.map((row) => set.examples[row]!.features)
  const padded = padBatch(
    features,
    rows.map((_, i) => i),
  )
  const inputs = { ...padded, batch: rows.length }
  if (set.task === 'qa') {
    const spans = rows.map((row) => set.examples[row]!.span ?? [0, 0])
    const dims = [rows.length, padded.sequence]
    const at = (end: 0 | 1): Targets => ({
      dims,
      data: oneHot(
        spans.map((span) => span[end]),
        padded.sequence,
      ),
    })
    // The mean of two losses: each counts half.
    return { inputs, targets: [at(0), at(1)], count: 2 * rows.length }
  }
  const { targets, count } = targetsOf(set, rows, padded.sequence)
  return { inputs, targets: [targets], count }
}

/** Order of the examples: a permutation for each epoch, one after another, cut into batches across their borders. */
export class BatchOrder {
  #epoch = -1
  #order = new Uint32Array(0)

  constructor(
    readonly count: number,
    readonly seed: number,
  ) {}

  /** Indices of the examples from `start` on, counted over all epochs. */
  rows(start: number, length: number): number[] {
    return Array.from({ length }, (_, i) => {
      const at = start + i
      const epoch = Math.floor(at / this.count)
      if (epoch !== this.#epoch) {
        this.#epoch = epoch
        this.#order = permutation(this.count, this.seed, epoch) as Uint32Array<ArrayBuffer>
      }
      return this.#order[at % this.count]!
    })
  }
}

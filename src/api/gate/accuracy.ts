import { answerOf } from '../../model/tasks.js'
import { argmax } from '../../text/data/numbers.js'
import type { Values } from '../../compare/compare.js'

/** Accuracy of a model on labelled lines, in float32 and in reduced precision. */
export interface GateAccuracy {
  readonly lines: number
  /** Lines that could not be used, or whose label the model does not know. */
  readonly skipped: number
  /** Accuracy in float32, 0 to 1. */
  readonly before: number
  /** Accuracy in reduced precision. */
  readonly after: number
}

/** Counts correct predictions, batch by batch. */
export class Accuracy {
  #lines = 0
  #before = 0
  #after = 0

  /** @param classes class of each row of `logits [rows, classes]` */
  add(classes: readonly number[], before: ReadonlyMap<string, Values>, after: ReadonlyMap<string, Values>): void {
    const answers = [before, after].map((outputs) => {
      const { shape, data } = outputs.get(answerOf('classify')) ?? { shape: [0, 1], data: [] }
      const width = shape.at(-1) ?? 1
      return classes.map((_, row) => argmax(Array.from({ length: width }, (__, i) => data[row * width + i] ?? NaN)))
    })
    classes.forEach((wanted, row) => {
      this.#lines++
      if (answers[0]![row] === wanted) this.#before++
      if (answers[1]![row] === wanted) this.#after++
    })
  }

  /** Report of all batches; null if no line had a label. */
  report(skipped: number): GateAccuracy | null {
    if (this.#lines === 0) return null
    return { lines: this.#lines, skipped, before: this.#before / this.#lines, after: this.#after / this.#lines }
  }
}

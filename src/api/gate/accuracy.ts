import { answerOf } from '../../model/tasks.js'
import { argmax } from '../../text/data/numbers.js'
import type { Values } from '../../compare/compare.js'

/** How many labelled lines are answered rightly by a model and by its rounded form. */
export interface GateAccuracy {
  readonly lines: number
  /** Lines that could not be used, or whose label the model does not know. */
  readonly skipped: number
  /** Part of the lines that float32 answers rightly, and that the rounded form does. */
  readonly before: number
  readonly after: number
}

/** Counts right answers, batch by batch. */
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

  /** Null where no line had a label. */
  report(skipped: number): GateAccuracy | null {
    if (this.#lines === 0) return null
    return { lines: this.#lines, skipped, before: this.#before / this.#lines, after: this.#after / this.#lines }
  }
}

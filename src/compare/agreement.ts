import { ENCODER_OUTPUTS, HEAD_OUTPUTS } from '../model/tasks.js'
import type { ModelInputs } from '../model/reference/run.js'
import type { Values } from './compare.js'

/** How far two runs of a model give the same answers. */

export interface OutputAgreement {
  readonly output: string
  /** Part of the rows (or tokens) whose largest value stands at the same place; null for outputs that are no answers. */
  readonly agreement: number | null
  readonly maxAbs: number
  readonly cosine: number
}

interface Sums {
  readonly perToken: boolean
  equal: number
  answers: number
  maxAbs: number
  dot: number
  aa: number
  bb: number
}

/** True if `name` is an output of a head: the largest value of its last axis is the answer, unless that axis has one. */
const isLogits = (name: string): boolean => (HEAD_OUTPUTS as readonly string[]).includes(name)

/** Where the largest value stands; −1 where one is no number, for then there is no answer. */
function largestAt(data: ArrayLike<number>, start: number, width: number): number {
  let best = start
  for (let i = start; i < start + width; i++) {
    if (Number.isNaN(data[i])) return -1
    if (data[i]! > data[best]!) best = i
  }
  return best - start
}

/** Sums up runs of the same inputs, one after the other. */
export class Agreement {
  readonly #sums = new Map<string, Sums>()
  #rows = 0

  get rows(): number {
    return this.#rows
  }

  /** @param actual outputs of the form in question, for the same inputs as `expected` */
  add(inputs: ModelInputs, expected: ReadonlyMap<string, Values>, actual: ReadonlyMap<string, Values>): void {
    this.#rows += inputs.batch
    for (const [name, wanted] of expected) {
      const given = actual.get(name)
      if (given === undefined) continue
      // Values of tokens that are masked mean nothing; choices and spans have no tokens to leave out.
      const width = wanted.shape[wanted.shape.length - 1] ?? 1
      const perToken = wanted.shape.length === 3 && wanted.data.length / width === inputs.attention_mask.length
      const sums = this.#sums.get(name) ?? { perToken, equal: 0, answers: 0, maxAbs: 0, dot: 0, aa: 0, bb: 0 }
      this.#sums.set(name, sums)
      for (let row = 0; row < wanted.data.length / width; row++) {
        if (perToken && inputs.attention_mask[row] === 0) continue
        this.#addRow(sums, wanted.data, given.data, row * width, width)
        if (!isLogits(name) || width === 1) continue
        sums.answers++
        const answer = largestAt(given.data, row * width, width)
        if (answer !== -1 && answer === largestAt(wanted.data, row * width, width)) sums.equal++
      }
    }
  }

  #addRow(sums: Sums, wanted: ArrayLike<number>, given: ArrayLike<number>, start: number, width: number): void {
    for (let i = start; i < start + width; i++) {
      const [a, b] = [wanted[i]!, given[i]!]
      const difference = Math.abs(a - b)
      // A value that is no number must not pass for a small difference.
      if (!(difference <= sums.maxAbs)) sums.maxAbs = Number.isNaN(difference) ? Infinity : difference
      sums.dot += a * b
      sums.aa += a * a
      sums.bb += b * b
    }
  }

  /**
   * Whether the answers differ so often already that they cannot reach `threshold`, whatever comes.
   * @param rows all that there are, and their tokens
   */
  isHopeless(threshold: number, rows: number, tokens: number): boolean {
    return [...this.#sums.values()].some(
      ({ perToken, answers, equal }) => answers - equal > (1 - threshold) * (perToken ? tokens : rows),
    )
  }

  outputs(): OutputAgreement[] {
    return [...this.#sums].map(([output, { equal, answers, maxAbs, dot, aa, bb }]) => {
      const cosine = aa === 0 && bb === 0 ? 1 : dot / Math.sqrt(aa * bb)
      return {
        output,
        agreement: answers === 0 ? null : equal / answers,
        maxAbs,
        cosine: Number.isNaN(cosine) ? 0 : cosine,
      }
    })
  }

  /** The least agreement of all answers; where there are none the cosine of the sequence output and of what a model of regression gives. */
  worst(): number {
    const outputs = this.outputs()
    const answers = outputs.flatMap(({ agreement }) => (agreement === null ? [] : [agreement]))
    if (answers.length > 0) return Math.min(...answers)
    const values = outputs.filter(({ output }) => output === ENCODER_OUTPUTS[0] || isLogits(output))
    return values.reduce((least, { cosine }) => Math.min(least, cosine), values.length === 0 ? 0 : 1)
  }

  /** 1 − cosine of the sequence output and of the answers, the largest. */
  distance(): number {
    return Math.max(...this.outputs().map(({ cosine }) => 1 - cosine))
  }
}

import { ENCODER_OUTPUTS, HEAD_OUTPUTS } from '../model/tasks.js'
import type { ModelInputs } from '../model/reference/run.js'
import type { Values } from './compare.js'

/** Agreement of the answers of two runs of a model. */

export interface OutputAgreement {
  readonly output: string
  /** Fraction of rows (or tokens) whose argmax is the same; null for outputs that are not logits. */
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
  /** Of outputs of one value a row: their number, their sum, and the sum of the squares of the differences. */
  values: number
  sum: number
  squares: number
}

const ZEROS = { dot: 0, aa: 0, bb: 0, values: 0, sum: 0, squares: 0 }

/**
 * Share of the variance of one-value answers that is kept, 1 − Σ(a − b)² / Σ(a − mean)²: values that lie close together
 * have a cosine of almost 1 however wrong they are. Of values that do not vary, the share of their size.
 */
function kept({ aa, values, sum, squares }: Sums): number {
  const variance = aa - (sum * sum) / values
  const share = 1 - squares / (variance > 1e-9 * aa ? variance : aa)
  return squares === 0 ? 1 : Math.max(0, Number.isNaN(share) ? 0 : share)
}

/** True if `name` is an output of a head: its answer is the argmax over the last axis, if that is longer than 1. */
const isLogits = (name: string): boolean => (HEAD_OUTPUTS as readonly string[]).includes(name)

/** Index of the largest value in the row; −1 if one is NaN, since there is no answer then. */
function largestAt(data: ArrayLike<number>, start: number, width: number): number {
  let best = start
  for (let i = start; i < start + width; i++) {
    if (Number.isNaN(data[i])) return -1
    if (data[i]! > data[best]!) best = i
  }
  return best - start
}

/** Accumulates the agreement of pairs of runs on the same inputs. */
export class Agreement {
  readonly #sums = new Map<string, Sums>()
  #rows = 0

  get rows(): number {
    return this.#rows
  }

  /** @param actual outputs of the artefact under test, for the same inputs as `expected` */
  add(inputs: ModelInputs, expected: ReadonlyMap<string, Values>, actual: ReadonlyMap<string, Values>): void {
    this.#rows += inputs.batch
    for (const [name, wanted] of expected) {
      const given = actual.get(name)
      if (given === undefined) continue
      // Masked tokens are left out of per-token outputs; choices and spans have none.
      const width = wanted.shape[wanted.shape.length - 1] ?? 1
      const perToken = wanted.shape.length === 3 && wanted.data.length / width === inputs.attention_mask.length
      const sums = this.#sums.get(name) ?? { perToken, equal: 0, answers: 0, maxAbs: 0, ...ZEROS }
      this.#sums.set(name, sums)
      for (let row = 0; row < wanted.data.length / width; row++) {
        if (perToken && inputs.attention_mask[row] === 0) continue
        this.#addRow(sums, wanted.data, given.data, row * width, width)
        if (!isLogits(name)) continue
        if (width === 1) {
          sums.values++
          sums.sum += wanted.data[row]!
          sums.squares += (wanted.data[row]! - given.data[row]!) ** 2
          continue
        }
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
      // NaN must not pass for a small difference.
      if (!(difference <= sums.maxAbs)) sums.maxAbs = Number.isNaN(difference) ? Infinity : difference
      sums.dot += a * b
      sums.aa += a * a
      sums.bb += b * b
    }
  }

  /**
   * True if so many answers differ already that the agreement cannot reach `threshold` with the remaining rows.
   * @param rows number of all rows
   * @param tokens number of their tokens
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

  /** Least agreement of outputs with answers, or share of the variance of values; without any, that of the vectors. */
  worst(): number {
    const answers = [...this.#sums.values()].flatMap((sums) =>
      sums.answers > 0 ? [sums.equal / sums.answers] : sums.values > 0 ? [kept(sums)] : [],
    )
    if (answers.length > 0) return Math.min(...answers)
    return this.outputs().find(({ output }) => output === ENCODER_OUTPUTS[0])?.cosine ?? 0
  }

  /** Largest cosine distance (1 − cosine) of all outputs. */
  distance(): number {
    return Math.max(...this.outputs().map(({ cosine }) => 1 - cosine))
  }
}

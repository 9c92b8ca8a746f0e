import { unravel } from '../model/tensors/view.js'

/** Comparison of one output of two runs. */

/** Numbers of any float type, row-major. */
export interface Values {
  readonly shape: readonly number[]
  readonly data: ArrayLike<number>
}

/** Rows to compare; `masked`: only those whose attention mask is all zero. */
export type RowSelection = 'masked'

export interface Comparison {
  readonly runner: string
  /** Element type of the artefact's weights; absent if float32. */
  readonly dtype?: string
  readonly output: string
  readonly shape: readonly number[]
  /** Shape of the reference; absent if `shape` is the same. */
  readonly expectedShape?: readonly number[]
  /** Rows compared; absent for those that are not fully masked. */
  readonly rows?: RowSelection
  /** Largest absolute difference; null if a value is NaN. */
  readonly maxAbs: number | null
  readonly meanAbs: number | null
  readonly cosine: number | null
  /** `maxAbs` in float32 ULP of the largest expected value: an error relative to the output as a whole. */
  readonly ulps: number | null
  /** Index of the largest difference in the output. */
  readonly where: readonly number[]
  readonly atol: number
  readonly ok: boolean
}

/** Spacing of float32 numbers around `x` (one ULP). */
const float32Step = (x: number): number => 2 ** (Math.floor(Math.log2(Math.max(x, 2 ** -126))) - 23)

const finite = (x: number): number | null => (Number.isFinite(x) ? x : null)

/** Computes statistics over the rows (first axis) that `keep` admits. */
function statistics(actual: Values, expected: Values, keep: (row: number) => boolean) {
  const rows = expected.shape[0] ?? 1
  const width = expected.data.length / rows
  let max = -1
  let at = 0
  let sum = 0
  let count = 0
  let dot = 0
  let aa = 0
  let bb = 0
  let broken = false
  for (let row = 0; row < rows; row++) {
    if (!keep(row)) continue
    for (let i = row * width; i < (row + 1) * width; i++) {
      const a = actual.data[i]!
      const b = expected.data[i]!
      const d = Math.abs(a - b)
      if (Number.isNaN(d) && !broken) {
        broken = true
        at = i
      }
      if (d > max && !broken) {
        max = d
        at = i
      }
      sum += d
      count++
      dot += a * b
      aa += a * a
      bb += b * b
    }
  }
  const cosine = aa === 0 && bb === 0 ? 1 : dot / Math.sqrt(aa * bb)
  return { max: broken ? NaN : max, mean: sum / count, cosine, at, count }
}

/** Absolute bound of a comparison: a function of the largest absolute reference value of the rows compared. */
export type Bound = (largest: number) => number

/**
 * Bound for goldens of the original code (its float32 is within 5e-6 of float64 on the fixtures).
 * @param rounding relative rounding error of the golden's element type, as a fraction of the largest value
 */
export const goldenBound =
  (rounding: number): Bound =>
  (largest) =>
    1e-5 + rounding * largest
/** Bound for fully masked rows: their scores are near −10000, where one float32 ULP is 0.001. */
export const MASKED_ATOL = 5e-3

export interface CompareOptions {
  readonly bound: Bound
  /** Overrides both bounds. */
  readonly atol?: number | undefined
  /** For each row of the batch, true if its attention mask is all zero. */
  readonly masked: readonly boolean[]
}

/**
 * Compares `actual` with `expected`: one result for the ordinary rows, one for the fully masked rows, if there are any.
 * A different shape is a failed comparison, not an error.
 */
export function compare(
  runner: string,
  output: string,
  actual: Values,
  expected: Values,
  options: CompareOptions,
): Comparison[] {
  const shape = [...expected.shape]
  if (actual.shape.length !== shape.length || actual.shape.some((d, i) => d !== shape[i])) {
    return [
      {
        runner,
        output,
        shape: [...actual.shape],
        expectedShape: shape,
        maxAbs: null,
        meanAbs: null,
        cosine: null,
        ulps: null,
        where: [],
        atol: options.atol ?? options.bound(0),
        ok: false,
      },
    ]
  }
  const results: Comparison[] = []
  const masked = maskedOf(options.masked, shape[0] ?? 1)
  for (const rows of [undefined, 'masked'] as const) {
    const keep = (row: number): boolean => (masked[row] ?? false) === (rows === 'masked')
    const s = statistics(actual, expected, keep)
    if (s.count === 0) continue
    const largest = largestOf(expected, keep)
    const usual = options.bound(largest)
    const atol = options.atol ?? (rows === 'masked' ? Math.max(MASKED_ATOL, usual) : usual)
    results.push({
      runner,
      output,
      shape,
      ...(rows === undefined ? {} : { rows }),
      maxAbs: finite(s.max),
      meanAbs: finite(s.mean),
      cosine: finite(s.cosine),
      ulps: finite(s.max / float32Step(largest)),
      where: unravel(s.at, shape),
      atol,
      ok: s.max <= atol,
    })
  }
  return results
}

/** `masked` per row of an output; an output with one row per example of several choices combines their rows. */
function maskedOf(masked: readonly boolean[], rows: number): readonly boolean[] {
  const each = masked.length / rows
  if (!Number.isInteger(each) || each <= 1) return masked
  return Array.from({ length: rows }, (_, row) => masked.slice(row * each, (row + 1) * each).some(Boolean))
}

function largestOf(values: Values, keep: (row: number) => boolean): number {
  const rows = values.shape[0] ?? 1
  const width = values.data.length / rows
  let largest = 0
  for (let i = 0; i < values.data.length; i++) {
    const size = Math.abs(values.data[i]!)
    // NaN and infinity fail the comparison anyway, and must not enter the bound.
    if (size > largest && size < Infinity && keep(Math.floor(i / width))) largest = size
  }
  return largest
}

/** Flags for the rows of a `[batch, sequence]` mask; true if all zero. */
export function maskedRows(mask: ArrayLike<number>, batch: number, sequence: number): boolean[] {
  return Array.from({ length: batch }, (_, row) => {
    for (let i = 0; i < sequence; i++) if (mask[row * sequence + i] !== 0) return false
    return true
  })
}

import type { HeadSelection } from '../../model/tasks.js'
import type { ModelInputs, Subject } from '../../model/reference/run.js'
import { compare, maskedRows, type Comparison, type RowSelection, type Values } from '../../compare/compare.js'
import { FLOAT32_ERRORS, NEARLY } from '../../compare/tolerance.js'
import { compute } from '../reference/compute.js'
import { referenceProgress } from './progress.js'
import type { VerifyOptions } from './report.js'

/** Error of float32 arithmetic in some rows of an output. */
export type Float32Error = Pick<Comparison, 'maxAbs' | 'meanAbs'>
/** Float32 error of an output, in its ordinary rows or in the rows masked everywhere. */
export type Float32Errors = (output: string, rows?: RowSelection) => Promise<Float32Error | undefined>

const keyOf = (output: string, rows?: RowSelection): string => JSON.stringify([output, rows ?? null])

/**
 * Measures the error that float32 arithmetic alone causes in the outputs of a test case. It is computed at the first
 * call, because it takes as long as the reference.
 */
export function measureFloat32Errors(
  subject: Subject,
  { inputs, expected }: { readonly inputs: ModelInputs; readonly expected: ReadonlyMap<string, Values> },
  heads: HeadSelection,
  options: Pick<VerifyOptions, 'signal' | 'onProgress'>,
): Float32Errors {
  const masked = maskedRows(inputs.attention_mask, inputs.batch, inputs.sequence)
  const measure = async (): Promise<ReadonlyMap<string, Float32Error>> => {
    const runs = { kind: 'runs', inputs: [inputs], heads, arithmetic: 'float32' } as const
    const progress = referenceProgress(options, 'measuring', 'float32 rounding error')
    const [rounded = []] = await compute(runs, subject, progress)
    const errors = new Map<string, Float32Error>()
    for (const [name, values] of rounded) {
      const exact = expected.get(name)
      if (exact === undefined) continue
      const found = compare('float32', name, values, exact, { bound: () => 0, masked })
      for (const comparison of found) errors.set(keyOf(name, comparison.rows), comparison)
    }
    return errors
  }
  let known: Promise<ReadonlyMap<string, Float32Error>> | null = null
  return async (output, rows) => (await (known ??= measure())).get(keyOf(output, rows))
}

/** True if a comparison exceeds its bound by so little that rounding may be the cause. */
export const isNearBound = ({ ok, maxAbs, atol }: Comparison): boolean =>
  !ok && maxAbs !== null && maxAbs <= NEARLY * atol

/**
 * Applies a bound from the float32 error instead, if it is wider. The mean difference has a bound too: rounding errors
 * are large in a few elements, those of a wrong operation in all.
 */
export function relaxToFloat32Error(comparison: Comparison, { maxAbs, meanAbs }: Float32Error): Comparison {
  const bound = FLOAT32_ERRORS * (maxAbs ?? 0)
  if (bound <= comparison.atol) return comparison
  const within = (comparison.meanAbs ?? Infinity) <= FLOAT32_ERRORS * (meanAbs ?? 0)
  return within ? { ...comparison, atol: bound, ok: (comparison.maxAbs ?? Infinity) <= bound } : comparison
}

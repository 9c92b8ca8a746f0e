import type { Comparison } from '../../compare/compare.js'

/** Fraction of its bound that a comparison uses; infinite for NaN. */
const use = ({ maxAbs, atol }: Comparison): number => (maxAbs === null ? Infinity : maxAbs / atol)

/** Worst comparison of each key. Masked rows, whose bound is wider, count only if they are wrong. */
export function worstBy<T extends Comparison, K>(comparisons: readonly T[], keyOf: (comparison: T) => K): Map<K, T> {
  const worst = new Map<K, T>()
  for (const c of comparisons) {
    if (c.rows === 'masked' && c.ok) continue
    const before = worst.get(keyOf(c))
    if (before === undefined || use(c) > use(before)) worst.set(keyOf(c), c)
  }
  return worst
}

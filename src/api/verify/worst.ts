import type { Comparison } from '../../compare/compare.js'

/** How much of its bound a comparison uses; a value that is no number uses more than any. */
const use = ({ maxAbs, atol }: Comparison): number => (maxAbs === null ? Infinity : maxAbs / atol)

/** The worst comparison of each key. Masked rows have a bound of their own and would hide the others: only wrong ones count. */
export function worstBy<T extends Comparison, K>(comparisons: readonly T[], keyOf: (comparison: T) => K): Map<K, T> {
  const worst = new Map<K, T>()
  for (const c of comparisons) {
    if (c.rows === 'masked' && c.ok) continue
    const before = worst.get(keyOf(c))
    if (before === undefined || use(c) > use(before)) worst.set(keyOf(c), c)
  }
  return worst
}

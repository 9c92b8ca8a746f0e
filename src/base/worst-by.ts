/** Comparison of an output with what it should be. */
interface Judged {
  readonly ok: boolean
  /** Largest difference; null for NaN. */
  readonly maxAbs: number | null
  /** Bound of the difference. */
  readonly atol: number
}

/** Fraction of its bound that a comparison uses, above 1 if it fails; Infinity for NaN. */
function use({ ok, maxAbs, atol }: Judged): number {
  if (maxAbs === null) return Infinity
  const part = maxAbs / Math.max(atol, Number.MIN_VALUE)
  return ok ? part : 1 + part
}

/** The worst comparison of each key, in the order in which keys appear; of equal ones the first. */
export function worstBy<T extends Judged, K>(comparisons: readonly T[], keyOf: (comparison: T) => K): Map<K, T> {
  const worst = new Map<K, T>()
  for (const c of comparisons) {
    const key = keyOf(c)
    const before = worst.get(key)
    if (before === undefined || use(c) > use(before)) worst.set(key, c)
  }
  return worst
}

import type { RankEstimate } from './rank.js'

/** How many directions hold `part` of a matrix's energy (its squared Frobenius norm). */
export function usedWidth({ singular }: RankEstimate, part = 0.9): number {
  const total = singular.reduce((sum, x) => sum + x * x, 0)
  let [energy, count] = [0, 0]
  for (const x of singular) {
    if (energy >= part * total) break
    energy += x * x
    count++
  }
  return count
}

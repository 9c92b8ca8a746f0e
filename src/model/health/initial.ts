import type { TensorStatistics } from './statistics.js'

/** Tests if values are still those that training starts from, by their statistics alone. */

/** Standard deviation of the truncated normal distribution that TensorFlow cuts at two, as a part of the uncut one. */
const TRUNCATED = 0.87962566
/** Kurtosis of that distribution, and of the normal one. */
const KURTOSIS = { truncated: 2.3655, normal: 3 } as const
/** Standard errors that a statistic may be off. */
const ERRORS = 4
/** Number of elements below which the statistics are not significant. */
const ENOUGH = 16

function fits({ count, mean, std }: TensorStatistics, deviation: number, kurtosis: number): boolean {
  if (mean === null || std === null) return false
  return (
    Math.abs(mean) <= (ERRORS * deviation) / Math.sqrt(count) &&
    Math.abs(std - deviation) <= ERRORS * deviation * Math.sqrt((kurtosis - 1) / (4 * count))
  )
}

/**
 * True if a kernel or table looks as it was initialised: truncated normal (BERT's and ALBERT's TensorFlow code) or
 * normal (transformers) with the configuration's `initializer_range`.
 * @param normal whether transformers may have initialised it
 */
export function looksInitial(s: TensorStatistics, range: number, normal: boolean): boolean {
  if (s.count < ENOUGH || s.nan + s.inf > 0 || s.min === null || s.max === null) return false
  const largest = Math.max(-s.min, s.max)
  if (largest <= 2 * range * 1.00001) return fits(s, TRUNCATED * range, KURTOSIS.truncated)
  if (!normal) return false
  // The largest of n normal numbers: about √(2 ln n) deviations.
  return largest <= range * (Math.sqrt(2 * Math.log(s.count)) + 2) && fits(s, range, KURTOSIS.normal)
}

/** Initial value of a parameter before training: ones, zeros, or noise. */
export const startOf = (slot: string): 'ones' | 'zeros' | 'noise' =>
  slot.endsWith('/gamma') ? 'ones' : /\/(beta|bias|output_bias|decoder_bias)$/.test(slot) ? 'zeros' : 'noise'

/** True if a parameter still has its initial value. */
export function isInitial(slot: string, s: TensorStatistics, range: number, normal: boolean): boolean {
  const start = startOf(slot)
  if (start === 'noise') return looksInitial(s, range, normal)
  const value = start === 'ones' ? 1 : 0
  return s.nan + s.inf === 0 && s.min === value && s.max === value
}

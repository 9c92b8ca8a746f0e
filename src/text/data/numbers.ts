import { largestOf } from '../../base/largest.js'

const SMALLEST_NORMAL = 2 ** -126

/**
 * Number with the fewest decimal digits that rounds to this float32. Six significant digits always survive a round trip
 * through float32 (FLT_DIG), so that a shorter number is found among those of six digits; nine digits are always
 * enough. Subnormal numbers have fewer bits, so that fewer digits may be enough.
 */
function shortest(x: number): number {
  const value = Math.fround(x)
  for (let digits = Math.abs(value) < SMALLEST_NORMAL ? 1 : 6; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits))
    if (Math.fround(rounded) === value) return rounded
  }
  return Number(value.toPrecision(9))
}

/** Formats a float32 as NumPy prints it: `0.0059892605`, `9.100546e-05`, `nan`. */
export function float32Text(x: number): string {
  if (!Number.isFinite(x)) return String(x).replace('NaN', 'nan').replace('Infinity', 'inf')
  const value = shortest(x)
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [mantissa = '', exponent = '0'] = value.toExponential().split('e')
    const sign = exponent.startsWith('-') ? '-' : '+'
    const point = mantissa.includes('.') ? mantissa : `${mantissa}.`
    return `${point}e${sign}${exponent.replace(/^[+-]/, '').padStart(2, '0')}`.replace('.e', 'e')
  }
  const text = String(value)
  return text.includes('.') ? text : `${text}.0`
}

/** Shortest number that rounds to this float32. */
export const float32Number = (x: number): number => shortest(x)

/** Probabilities of a row of logits. */
export function softmax(logits: ArrayLike<number>): number[] {
  const values = Array.from(logits)
  const max = largestOf(values)
  const powers = values.map((x) => Math.exp(x - max))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((p) => p / sum)
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** −log softmax(logits)[index]. */
export function crossEntropy(logits: ArrayLike<number>, index: number): number {
  const values = Array.from(logits)
  const max = largestOf(values)
  return max + Math.log(values.reduce((sum, x) => sum + Math.exp(x - max), 0)) - values[index]!
}

export const argmax = (values: ArrayLike<number>): number => {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}

import type { Fill } from '../tensors/derived.js'

/**
 * Reproducible noise that can be asked for from any element on: each value follows from seed, name and position alone,
 * so that a tensor of any size is made piece by piece and checked without being held.
 */

/** Steps of the quantile function; between them it is linear. */
const STEPS = 4096
/** TensorFlow's truncated normal distribution ends at two standard deviations. */
const CUT = 2

/** Density of the normal distribution, without its factor. */
const density = (x: number): number => Math.exp((-x * x) / 2)

let table: Float32Array | null = null

/** Quantiles of the normal distribution between −2 and 2, by integrating its density. */
function quantiles(): Float32Array {
  if (table !== null) return table
  const fine = 1 << 16
  const width = (2 * CUT) / fine
  const sums = new Float64Array(fine + 1)
  for (let i = 1; i <= fine; i++) sums[i] = sums[i - 1]! + density(-CUT + (i - 0.5) * width)
  const found = new Float32Array(STEPS + 1)
  for (let step = 0, i = 0; step <= STEPS; step++) {
    const wanted = (step / STEPS) * sums[fine]!
    while (i < fine && sums[i + 1]! < wanted) i++
    const [low, high] = [sums[i]!, sums[Math.min(i + 1, fine)]!]
    found[step] = -CUT + (i + (high > low ? (wanted - low) / (high - low) : 0)) * width
  }
  return (table = found)
}

/** A well mixed 32-bit number for a 32-bit number (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let x = value | 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

function keyOf(seed: number, name: string): number {
  let key = mix(seed)
  for (const byte of new TextEncoder().encode(name)) key = mix(Math.imul(key, 31) + byte)
  return key
}

/** Truncated normal noise of standard deviation `deviation` before it is cut at two of them (BERT's initializer). */
export function truncatedNormal(seed: number, name: string, deviation: number): Fill {
  const key = keyOf(seed, name)
  return (start, target) => {
    const curve = quantiles()
    const scale = STEPS / 2 ** 32
    for (let i = 0; i < target.length; i++) {
      const at = start + i
      const high = Math.floor(at / 2 ** 32)
      const x = mix(mix((at ^ key) + Math.imul(high, 0x9e3779b1)) + key) * scale
      const step = Math.floor(x)
      const low = curve[step]!
      target[i] = deviation * (low + (x - step) * (curve[step + 1]! - low))
    }
  }
}

export const ones: Fill = (_, target) => {
  target.fill(1)
}

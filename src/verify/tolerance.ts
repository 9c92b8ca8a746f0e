import type { Bound } from './compare.js'

/** How a graph computes: in float32, in float16, or in int8 with activations rounded while it runs. */
export type Arithmetic = 'float32' | 'float16' | 'int8'

/** What a runner's outputs may differ by, and why. */
export interface Tolerance {
  /** Names of runners; the first row that has a runner's name and precision counts. */
  readonly runners: RegExp
  readonly precision: Arithmetic
  /** Allowed for values up to 1; above that the bound grows with the largest value of the output. */
  readonly factor: number
  readonly reason: string
}

/** Every bound against the float64 reference, which has the weights that are in the file. A golden of the genuine code has its own (`GOLDEN_BOUND`). */
export const TOLERANCES: readonly Tolerance[] = [
  {
    runners: /webgpu$/,
    precision: 'float32',
    factor: 2e-5,
    reason:
      'WGSL lets exp be off by 3 + 2·|x| ULP, division by 2.5 and inverseSqrt by 2, and lets products and sums be contracted; a CPU rounds each correctly',
  },
  {
    runners: /^(ort-cuda|tfjs-node-gpu)$/,
    precision: 'float32',
    factor: 2e-5,
    reason: 'CUDA sums in blocks and has approximate exp and tanh; TF32, which is off by 1e-3, is switched off',
  },
  {
    runners: /./,
    precision: 'float32',
    factor: 1e-5,
    reason: 'float32 sums in another order; a wrong LayerNorm epsilon already shows at this bound',
  },
  {
    runners: /./,
    precision: 'float16',
    factor: 1e-2,
    reason: 'ten bits of mantissa (a step of 5e-4 to 1e-3), over the operations of a dozen layers',
  },
  {
    runners: /./,
    precision: 'int8',
    factor: 5e-2,
    reason: 'an activation at the edge of two of 255 steps may take the other one',
  },
]

/** The row of `TOLERANCES` for a runner. */
export function toleranceOf(runner: string, precision: Arithmetic): Tolerance {
  const found = TOLERANCES.find((row) => row.precision === precision && row.runners.test(runner))
  if (found === undefined) throw new RangeError(`no tolerance for ${runner} at ${precision}`)
  return found
}

/** The bound of a runner against the float64 reference. */
export function boundOf(runner: string, precision: Arithmetic): Bound {
  const { factor } = toleranceOf(runner, precision)
  return (largest) => factor * Math.max(1, largest)
}

import type { Bound } from './compare.js'
import type { Operation } from './stages.js'

/** How a graph computes: in float32, in float16, or in int8 with activations rounded while it runs. */
export type Arithmetic = 'float32' | 'float16' | 'int8'

/** Hardware whose arithmetic is alike; a row of `RUNNERS` names the class of its runner. */
export type ToleranceClass = 'cpu' | 'webgpu' | 'cuda'
const ALL: readonly ToleranceClass[] = ['cpu', 'webgpu', 'cuda']

/** Bound on a runner's outputs, and its reason. */
export interface Tolerance {
  readonly classes: readonly ToleranceClass[]
  readonly arithmetic: Arithmetic
  /** Allowed for values up to 1; above that the bound grows with the largest value of the output. */
  readonly factor: number
  /**
   * The same for a single operation that sums over one row at most, given the values it was computed from: LayerNorm and
   * softmax are within 3e-7 on processors, over all fixtures; a GPU's exp and inverseSqrt are several ULP off.
   */
  readonly short: number
  readonly reason: string
}

/**
 * Every bound against the float64 reference, which has the weights that are in the file. A golden of the genuine code has
 * its own (`goldenBound`).
 */
export const TOLERANCES: readonly Tolerance[] = [
  {
    classes: ['webgpu'],
    arithmetic: 'float32',
    factor: 2e-5,
    short: 5e-6,
    reason:
      'WGSL lets exp be off by 3 + 2·|x| ULP, division by 2.5 and inverseSqrt by 2, and lets products and sums be ' +
      'contracted; a CPU rounds each correctly',
  },
  {
    classes: ['cuda'],
    arithmetic: 'float32',
    factor: 2e-5,
    short: 5e-6,
    reason: 'CUDA sums in blocks and has approximate exp and tanh; TF32, which is off by 1e-3, is switched off',
  },
  {
    classes: ['cpu'],
    arithmetic: 'float32',
    factor: 1e-5,
    short: 1e-6,
    reason: 'float32 sums in another order; a wrong LayerNorm epsilon already shows at this bound',
  },
  {
    classes: ALL,
    arithmetic: 'float16',
    factor: 1e-2,
    short: 1e-2,
    reason: 'ten bits of mantissa (a step of 5e-4 to 1e-3), over the operations of a dozen layers',
  },
  {
    classes: ALL,
    arithmetic: 'int8',
    factor: 5e-2,
    short: 5e-2,
    reason: 'an activation at the edge of two of 255 steps may take the other one',
  },
]

/** The row of `TOLERANCES` for a class of runners. */
export function toleranceOf(hardware: ToleranceClass, arithmetic: Arithmetic): Tolerance {
  const found = TOLERANCES.find((row) => row.arithmetic === arithmetic && row.classes.includes(hardware))
  if (found === undefined) throw new RangeError(`no tolerance for ${hardware} in ${arithmetic}`)
  return found
}

/** The bound of a class of runners against the float64 reference. */
export function boundOf(hardware: ToleranceClass, arithmetic: Arithmetic): Bound {
  const { factor } = toleranceOf(hardware, arithmetic)
  return (largest) => factor * Math.max(1, largest)
}

/**
 * If a model is so wide or deep that float32 rounding alone exceeds a bound (an xxlarge model sums 16,384 products in a
 * row), the bound is this many times the error of `Float32ReferenceOps` on the same inputs: runtimes sum in other orders,
 * some better, some worse.
 */
export const FLOAT32_ERRORS = 3
/** A value that misses its bound by more than this is wrong, not rounded. */
export const NEARLY = 10

/** Operations that sum over one row at most, or nothing. */
const SHORT: readonly Operation[] = ['embedding', 'softmax', 'LayerNorm']
/** The bound of one operation that was given the values it was computed from. */
export function boundOfOperation(hardware: ToleranceClass, operation: Operation): Bound {
  const { factor, short } = toleranceOf(hardware, 'float32')
  const own = SHORT.includes(operation) ? short : factor
  return (largest) => own * Math.max(1, largest)
}

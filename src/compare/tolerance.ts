import type { Bound } from './compare.js'
import type { Operation } from './stages.js'

/** Arithmetic of a graph: float32, float16, or int8 with activations that are quantised at run time. */
export type Arithmetic = 'float32' | 'float16' | 'int8'

/** Class of hardware with similar arithmetic; each row of `RUNNERS` names one. */
export type ToleranceClass = 'cpu' | 'webgpu' | 'cuda'
const ALL: readonly ToleranceClass[] = ['cpu', 'webgpu', 'cuda']

/** Bound on a runner's outputs, and its reason. */
export interface Tolerance {
  readonly classes: readonly ToleranceClass[]
  readonly arithmetic: Arithmetic
  /** Absolute bound for outputs up to 1; above that it grows with the largest value of the output. */
  readonly factor: number
  /**
   * Same bound for a single operation that sums over one row at most, computed from the runtime's own values: LayerNorm
   * and softmax are within 3e-7 on CPUs, over all fixtures; a GPU's exp and inverseSqrt are several ULP off.
   */
  readonly short: number
  readonly reason: string
}

/**
 * Bounds against the float64 reference, which computes with the weights in the file. Goldens of the original code have
 * their own (`goldenBound`).
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

/** Row of `TOLERANCES` for a class of runners. */
export function toleranceOf(hardware: ToleranceClass, arithmetic: Arithmetic): Tolerance {
  const found = TOLERANCES.find((row) => row.arithmetic === arithmetic && row.classes.includes(hardware))
  if (found === undefined) throw new RangeError(`no tolerance for ${hardware} in ${arithmetic}`)
  return found
}

/** Bound of a class of runners against the float64 reference. */
export function boundOf(hardware: ToleranceClass, arithmetic: Arithmetic): Bound {
  const { factor } = toleranceOf(hardware, arithmetic)
  return (largest) => factor * Math.max(1, largest)
}

/**
 * Factor for models so wide or deep that float32 rounding alone exceeds a bound (an xxlarge model sums 16,384 products
 * in a row): the bound is then this many times the error of `Float32ReferenceOps` on the same inputs. Runtimes sum in
 * other orders, some better, some worse.
 */
export const FLOAT32_ERRORS = 3
/** Factor by which rounding may miss a bound; a value that misses it by more is wrong. */
export const NEARLY = 10

/** Operations that sum over one row at most. */
const SHORT: readonly Operation[] = ['embedding', 'softmax', 'LayerNorm']
/** Bound of one operation that is computed from the runtime's own values. */
export function boundOfOperation(hardware: ToleranceClass, operation: Operation): Bound {
  const { factor, short } = toleranceOf(hardware, 'float32')
  const own = SHORT.includes(operation) ? short : factor
  return (largest) => own * Math.max(1, largest)
}

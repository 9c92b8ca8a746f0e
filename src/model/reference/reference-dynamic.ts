import type { TensorSource } from '../../formats/core/source.js'
import type { Parameter } from '../albert.js'
import type { Processors } from './processors.js'
import { ReferenceOps, type Tensor } from './reference.js'

/** Rounds to the nearest whole number, halves to even, as ONNX does. */
function toEven(x: number): number {
  const below = Math.floor(x)
  const rest = x - below
  if (rest !== 0.5) return Math.round(x)
  return below % 2 === 0 ? below : below + 1
}

/** Applies ONNX `DynamicQuantizeLinear` (uint8, one scale a tensor) and dequantises the result. */
export function dynamicallyQuantised({ shape, data }: Tensor): Tensor {
  let [low, high] = [0, 0]
  for (const value of data) {
    if (value < low) low = value
    if (value > high) high = value
  }
  const scale = Math.fround((Math.fround(high) - Math.fround(low)) / 255)
  if (scale === 0) return { shape, data }
  const zero = Math.min(255, Math.max(0, toEven(-low / scale)))
  const quantise = (x: number): number => Math.min(255, Math.max(0, toEven(Math.fround(x) / scale) + zero))
  return { shape, data: data.map((x) => (quantise(x) - zero) * scale) }
}

/** Range of signed integers of eight bits. */
const [LEAST, MOST] = [-128, 127]

/** One row of what `quantisedByRow` gives, by the operations of XNNPACK in float32: integers may lie on a tie. */
function quantiseRow(row: Float64Array, out: Float64Array): void {
  const f = Math.fround
  let [low, high] = [0, 0]
  for (const value of row) {
    if (value < low) low = f(value)
    if (value > high) high = f(value)
  }
  if (low === high) {
    out.set(row)
    return
  }
  const perStep = f((MOST - LEAST) / f(high - low))
  const [bottom, top] = [f(low * perStep), f(high * perStep)]
  const fromLow = f(f(LEAST + bottom) + f(MOST + top)) > 0
  const zero = toEven(Math.min(MOST, Math.max(LEAST, fromLow ? f(LEAST - bottom) : f(MOST - top))))
  const step = f(1 / perStep)
  row.forEach((x, i) => {
    const q = Math.min(MOST, Math.max(LEAST, toEven(f(f(x) * perStep)) + zero))
    out[i] = (q - zero) * step
  })
}

/**
 * Quantises each row of a tensor, along the last axis, to eight bits as XNNPACK does, with a range that includes zero,
 * and dequantises the result.
 */
export function quantisedByRow({ shape, data }: Tensor): Tensor {
  const width = shape[shape.length - 1] ?? 1
  const made = data.slice()
  for (let at = 0; at < data.length; at += width)
    quantiseRow(data.subarray(at, at + width), made.subarray(at, at + width))
  return { shape, data: made }
}

/** The axis of a matrix that its products with quantised activations give: 1 for `x·kernel`, 0 for `x·weightᵀ`. */
export interface DynamicWeights {
  /** By slot. */
  readonly axes: ReadonlyMap<string, 0 | 1>
  /** Granularity of the scales of a factor: one for the tensor, or one a row. */
  readonly by: 'tensor' | 'row'
}

/** Reference of a model in which some products quantise their activations; all other arithmetic is float64. */
export class DynamicReferenceOps extends ReferenceOps {
  constructor(
    source: TensorSource,
    uses: ReadonlyMap<Parameter, number>,
    readonly dynamic: DynamicWeights,
    processors?: Processors,
  ) {
    super(source, uses, processors)
  }

  #factor(x: Tensor, slot: string, axis: 0 | 1): Tensor {
    const { axes, by } = this.dynamic
    if (axes.get(slot) !== axis) return x
    return by === 'row' ? quantisedByRow(x) : dynamicallyQuantised(x)
  }

  override linear(x: Tensor, kernel: Parameter, bias: Parameter | null): Tensor {
    return super.linear(this.#factor(x, kernel.slot, 1), kernel, bias)
  }

  override linearTransposed(x: Tensor, weight: Parameter, bias: Parameter | null): Tensor {
    return super.linearTransposed(this.#factor(x, weight.slot, 0), weight, bias)
  }
}

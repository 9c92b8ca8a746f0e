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

/** What `DynamicQuantizeLinear` of ONNX makes of a tensor, as the numbers that its integers stand for. */
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

/** The axis of a matrix that its products with quantised activations give: 1 for `x·kernel`, 0 for `x·weightᵀ`. */
export type DynamicWeights = ReadonlyMap<string, 0 | 1>

/** The reference of a model some of whose products quantise what they are given. Its other arithmetic is float64. */
export class DynamicReferenceOps extends ReferenceOps {
  constructor(
    source: TensorSource,
    uses: ReadonlyMap<Parameter, number>,
    /** By slot. */
    readonly dynamic: DynamicWeights,
    processors?: Processors,
  ) {
    super(source, uses, processors)
  }

  override linear(x: Tensor, kernel: Parameter, bias: Parameter | null): Tensor {
    return super.linear(this.dynamic.get(kernel.slot) === 1 ? dynamicallyQuantised(x) : x, kernel, bias)
  }

  override linearTransposed(x: Tensor, weight: Parameter, bias: Parameter | null): Tensor {
    return super.linearTransposed(this.dynamic.get(weight.slot) === 0 ? dynamicallyQuantised(x) : x, weight, bias)
  }
}

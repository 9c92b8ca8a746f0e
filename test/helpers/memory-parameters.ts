import { elementCount, type DType } from '../../src/formats/core/source.js'
import type { Parameter } from '../../src/model/albert.js'
import { encodeFloats } from '../../src/model/tensors/encode.js'
import { DTYPE_BYTES } from '../../src/formats/core/source.js'
import type { MemorySource } from './tiny-model.js'

/** Puts `values` into a source, in their stored order, and gives the parameter that they are. */
export function parameterIn(
  source: MemorySource,
  slot: string,
  shape: readonly number[],
  values: Iterable<number>,
  { layout = 'as_is', dtype = 'F32' }: { layout?: Parameter['layout']; dtype?: DType } = {},
): Parameter {
  const [first = 1, ...rest] = shape
  const storedShape = layout === 'as_is' ? shape : [...rest, first]
  const stored = values instanceof Float32Array ? values : Float32Array.from(values)
  const bytes = new Uint8Array(elementCount(shape) * DTYPE_BYTES[dtype])
  encodeFloats(dtype, stored, bytes)
  const variable = `of/${slot}`
  source.set(variable, dtype, storedShape, bytes)
  return { slot, variable, shape, storedShape, layout, dtype }
}

/** `count` different numbers from `first` on. */
export const counting = (count: number, first = 1): number[] => Array.from({ length: count }, (_, i) => first + i)

import type { DType } from '../../formats/core/source.js'
import { toBfloat16, toHalf } from './half.js'

/**
 * Float32 values as little-endian bytes of a floating type, rounded to nearest even; the other way round than
 * `decodeFloats`.
 * @param bytes aligned to the element size
 * @throws RangeError for a type that is not floating
 */
export function encodeFloats(dtype: DType, values: Float32Array, bytes: Uint8Array): void {
  const n = values.length
  switch (dtype) {
    case 'F32':
      new Float32Array(bytes.buffer, bytes.byteOffset, n).set(values)
      return
    case 'F64':
      new Float64Array(bytes.buffer, bytes.byteOffset, n).set(values)
      return
    case 'F16':
      toHalf(values, new Uint16Array(bytes.buffer, bytes.byteOffset, n))
      return
    case 'BF16':
      toBfloat16(values, new Uint16Array(bytes.buffer, bytes.byteOffset, n))
      return
    default:
      throw new RangeError(`${dtype} is not a floating type`)
  }
}

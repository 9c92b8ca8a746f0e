import type { DType } from '../../formats/core/source.js'

/** Little-endian bytes of the floating types to float32. F64 is rounded to nearest; the others are exact. */

let halfTable: Float32Array | null = null

/** All 65,536 halfs: a lookup is several times faster than arithmetic. */
function halfs(): Float32Array {
  if (halfTable !== null) return halfTable
  const table = new Float32Array(65536)
  for (let h = 0; h < 65536; h++) {
    const sign = h & 0x8000 ? -1 : 1
    const exponent = (h >> 10) & 31
    const fraction = h & 1023
    if (exponent === 0) table[h] = sign * fraction * 2 ** -24
    else if (exponent === 31) table[h] = fraction === 0 ? sign * Infinity : NaN
    else table[h] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
  }
  return (halfTable = table)
}

/**
 * Decodes `bytes` of `dtype` into `target`.
 * @param bytes aligned to the element size
 * @throws RangeError for a type that is not floating
 */
export function decodeFloats(dtype: DType, bytes: Uint8Array, target: Float32Array): void {
  const n = target.length
  switch (dtype) {
    case 'F32':
      target.set(new Float32Array(bytes.buffer, bytes.byteOffset, n))
      return
    case 'F64':
      target.set(new Float64Array(bytes.buffer, bytes.byteOffset, n))
      return
    case 'F16': {
      const source = new Uint16Array(bytes.buffer, bytes.byteOffset, n)
      const table = halfs()
      for (let i = 0; i < n; i++) target[i] = table[source[i]!]!
      return
    }
    case 'BF16': {
      const source = new Uint16Array(bytes.buffer, bytes.byteOffset, n)
      const bits = new Uint32Array(target.buffer, target.byteOffset, n)
      for (let i = 0; i < n; i++) bits[i] = source[i]! << 16
      return
    }
    default:
      throw new RangeError(`${dtype} is not a floating type`)
  }
}

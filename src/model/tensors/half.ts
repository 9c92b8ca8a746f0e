/** The largest finite half; what rounds beyond it becomes infinite. */
export const LARGEST_HALF = 65504

/** A float32 whose half is subnormal or zero, by its bits; rounds to nearest even. */
function subnormal(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const exponent = (bits >>> 23) & 255
  if (exponent < 102) return sign
  const mantissa = (bits & 0x7fffff) | 0x800000
  const shift = 126 - exponent
  const kept = mantissa >>> shift
  const rest = mantissa & ((1 << shift) - 1)
  const middle = 1 << (shift - 1)
  return sign | (kept + (rest > middle || (rest === middle && (kept & 1) === 1) ? 1 : 0))
}

/**
 * float32 → float16, rounded to nearest even; what is too large becomes infinite, as IEEE 754 has it.
 * @param half as long as `values`
 */
export function toHalf(values: Float32Array, half: Uint16Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i]!
    const magnitude = x & 0x7fffffff
    // Adding just below half a step, and one more if the kept part is odd, rounds to even.
    if (magnitude >= 0x38800000 && magnitude < 0x477ff000)
      half[i] = ((x >>> 16) & 0x8000) | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
    else if (magnitude < 0x38800000) half[i] = subnormal(x)
    else half[i] = ((x >>> 16) & 0x8000) | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00)
  }
}

/** float32 → bfloat16, rounded to nearest even. @param half as long as `values` */
export function toBfloat16(values: Float32Array, half: Uint16Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i]!
    half[i] = (x & 0x7fffffff) > 0x7f800000 ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16
  }
}

import { describe, expect, it } from 'vitest'
import { decodeFloats } from '../../../src/model/tensors/decode.js'
import { encodeFloats } from '../../../src/model/tensors/encode.js'
import { LARGEST_HALF, toBfloat16, toHalf } from '../../../src/model/tensors/half.js'

const half = (...values: number[]): number[] => {
  const out = new Uint16Array(values.length)
  toHalf(Float32Array.from(values), out)
  return [...out]
}
const bfloat16 = (...values: number[]): number[] => {
  const out = new Uint16Array(values.length)
  toBfloat16(Float32Array.from(values), out)
  return [...out]
}
const decoded = (dtype: 'F16' | 'BF16', words: Uint16Array): Float32Array => {
  const out = new Float32Array(words.length)
  decodeFloats(dtype, new Uint8Array(words.buffer), out)
  return out
}
const ALL = Uint16Array.from({ length: 65536 }, (_, i) => i)
const isNaNHalf = (h: number): boolean => (h & 0x7fff) > 0x7c00
const isNaNBfloat = (h: number): boolean => (h & 0x7fff) > 0x7f80

describe('float16', () => {
  // numpy: np.array(x, np.float32).astype(np.float16).view(np.uint16)
  it.each([
    ['zeros', [0, -0], [0x0000, 0x8000]],
    ['ones', [1, -1, 0.1, -0.1], [0x3c00, 0xbc00, 0x2e66, 0xae66]],
    ['the largest', [65504, 65519.996, 65520, -65520, 1e30], [0x7bff, 0x7bff, 0x7c00, 0xfc00, 0x7c00]],
    ['what is not finite', [Infinity, -Infinity], [0x7c00, 0xfc00]],
    ['ties of normal numbers', [2049, 2051, 2053, -2049, -2051], [0x6800, 0x6802, 0x6802, 0xe800, 0xe802]],
    ['the smallest normal one', [2 ** -14, 2 ** -14 * (1 - 2 ** -11), 2 ** -14 - 2 ** -24], [0x0400, 0x0400, 0x03ff]],
    ['subnormal ones', [2 ** -24, -(2 ** -24), 3 * 2 ** -24, 0.75 * 2 ** -24], [0x0001, 0x8001, 0x0003, 0x0001]],
    [
      'ties of subnormal ones',
      [2 ** -25, -(2 ** -25), 1.5 * 2 ** -24, 2.5 * 2 ** -24, 1.0000001 * 2 ** -25],
      [0x0000, 0x8000, 0x0002, 0x0002, 0x0001],
    ],
    [
      'what is too small',
      [2 ** -26, -(2 ** -30), 2 ** -33, -1.5 * 2 ** -40, 2 ** -65, 2 ** -149, 0.9999 * 2 ** -25],
      [0, 0x8000, 0, 0x8000, 0, 0, 0],
    ],
  ] as const)('rounds to the nearest, ties to even: %s', (_, values, words) => {
    expect(half(...values)).toEqual(words)
  })

  it('has a NaN for NaN', () => {
    expect(half(NaN).every(isNaNHalf)).toBe(true)
  })

  it('keeps every half as it is', () => {
    const out = new Uint16Array(65536)
    toHalf(decoded('F16', ALL), out)
    expect(ALL.every((h) => (isNaNHalf(h) ? isNaNHalf(out[h]!) : out[h] === h))).toBe(true)
  })

  it('rounds the middle of two halfs to the even one, and what is beside it to the nearer one', () => {
    const values = decoded('F16', ALL)
    const [middle, below, above] = [1, 2, 3].map(() => new Float32Array(0x7bff)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    for (let h = 0; h < 0x7bff; h++) {
      const [low, high] = [values[h]!, values[h + 1]!]
      middle[h] = (low + high) / 2
      const step = (high - low) / 64
      below[h] = middle[h]! - step
      above[h] = middle[h]! + step
    }
    const out = new Uint16Array(0x7bff)
    toHalf(middle, out)
    expect(out.every((h, i) => h === (i % 2 === 0 ? i : i + 1))).toBe(true)
    toHalf(below, out)
    expect(out.every((h, i) => h === i)).toBe(true)
    toHalf(above, out)
    expect(out.every((h, i) => h === i + 1)).toBe(true)
  })

  it('has the largest one at 65504', () => {
    expect(LARGEST_HALF).toBe(decoded('F16', Uint16Array.of(0x7bff))[0])
  })
})

describe('bfloat16', () => {
  // torch: torch.tensor(x).bfloat16().view(torch.int16)
  it('rounds to the nearest, ties to even', () => {
    expect(bfloat16(1, -2, 0.1, -0, 257, 259, 256.5, 3.4e38, -Infinity)).toEqual([
      ...[0x3f80, 0xc000, 0x3dcd, 0x8000, 0x4380, 0x4382, 0x4380, 0x7f80, 0xff80],
    ])
  })

  it('keeps every one as it is, and NaN as NaN', () => {
    const out = new Uint16Array(65536)
    toBfloat16(decoded('BF16', ALL), out)
    expect(ALL.every((h) => (isNaNBfloat(h) ? isNaNBfloat(out[h]!) : out[h] === h))).toBe(true)
    // A NaN whose bits are all in the lower half.
    const low = new Float32Array(Uint32Array.of(0x7f800001, 0xff800001).buffer)
    toBfloat16(low, out)
    expect([...out.subarray(0, 2)].every(isNaNBfloat)).toBe(true)
    expect(out[1]! >>> 15).toBe(1)
  })
})

describe('encoding and decoding', () => {
  const values = Float32Array.of(0, -1, 0.5, 2 ** -20, 65504, Infinity)
  it.each([
    ['F32', 4],
    ['F64', 8],
    ['F16', 2],
  ] as const)('are the inverse of each other: %s', (dtype, width) => {
    // Within a larger buffer, from an offset on.
    const buffer = new Uint8Array(64).fill(0xaa)
    encodeFloats(dtype, values, buffer.subarray(8, 8 + width * values.length))
    expect([...buffer.subarray(0, 8), ...buffer.subarray(8 + width * values.length)]).toEqual(
      new Array<number>(64 - width * values.length).fill(0xaa),
    )
    const found = new Float32Array(values.length)
    decodeFloats(dtype, buffer.subarray(8, 8 + width * values.length), found)
    expect(found).toEqual(values)
  })

  it('of bfloat16 drop the lower bits', () => {
    const bytes = new Uint8Array(8)
    encodeFloats('BF16', Float32Array.of(1.5, -3), bytes.subarray(2, 6))
    expect([...bytes]).toEqual([0, 0, 0xc0, 0x3f, 0x40, 0xc0, 0, 0])
    const found = new Float32Array(3).fill(7)
    decodeFloats('BF16', bytes.subarray(2, 6), found.subarray(1))
    expect([...found]).toEqual([7, 1.5, -3])
  })

  it('decode every half as IEEE 754 has it', () => {
    const found = decoded('F16', ALL)
    const view = new DataView(new ArrayBuffer(4))
    // By the bits of float32: exponent and fraction move; subnormal halfs are multiples of 2⁻²⁴.
    const meant = (h: number): number => {
      const [sign, exponent, fraction] = [h >>> 15, (h >>> 10) & 31, h & 1023]
      if (exponent === 0) return (sign === 1 ? -1 : 1) * fraction * 2 ** -24
      view.setUint32(0, (sign << 31) | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13))
      return view.getFloat32(0)
    }
    expect(ALL.every((h) => Object.is(found[h], meant(h)))).toBe(true)
  })

  it('refuse other types', () => {
    expect(() => {
      encodeFloats('I32', values, new Uint8Array(24))
    }).toThrow(new RangeError('I32 is not a floating type'))
    expect(() => {
      decodeFloats('I64', new Uint8Array(48), new Float32Array(6))
    }).toThrow(new RangeError('I64 is not a floating type'))
  })
})

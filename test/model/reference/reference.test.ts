import { describe, expect, it } from 'vitest'
import { decodeFloats } from '../../../src/model/tensors/decode.js'
import { erf } from '../../../src/model/reference/reference.js'
import { transpose } from '../../../src/model/tensors/transpose.js'

describe('erf', () => {
  // Abramowitz & Stegun, table 7.1
  it.each([
    [0, 0],
    [0.5, 0.5204998778],
    [1, 0.8427007929],
    [2, 0.995322265],
    [2.5, 0.999593048],
    [3, 0.9999779095],
    [-1, -0.8427007929],
    [7, 1],
  ])('erf(%d) = %d', (x, y) => {
    expect(erf(x)).toBeCloseTo(y, 9)
  })

  it('has no step where the two ways of computing it meet', () => {
    expect(Math.abs(erf(2.5) - erf(2.5 - 1e-9))).toBeLessThan(1e-11)
  })
})

describe('decoding', () => {
  it('half, bfloat16 and double give the float32 that they are', () => {
    const out = new Float32Array(4)
    decodeFloats('F16', new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00).buffer), out)
    expect([...out]).toEqual([1, -2, 2 ** -24, Infinity])
    decodeFloats('BF16', new Uint8Array(Uint16Array.of(0x3f80, 0xc000, 0x0000, 0x7f80).buffer), out)
    expect([...out]).toEqual([1, -2, 0, Infinity])
    decodeFloats('F64', new Uint8Array(Float64Array.of(1, -2, 0.1, 1e300).buffer), out)
    expect([...out]).toEqual([1, -2, Math.fround(0.1), Infinity])
  })
})

describe('transpose', () => {
  it('of sizes that no block divides', () => {
    for (const [rows, columns] of [
      [1, 1],
      [3, 5],
      [8, 8],
      [9, 17],
      [16, 3],
    ] as const) {
      const from = Float32Array.from({ length: rows * columns }, (_, i) => i)
      const to = new Float32Array(from.length)
      transpose(from, rows, columns, to)
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) expect(to[c * rows + r]).toBe(from[r * columns + c])
    }
  })
})

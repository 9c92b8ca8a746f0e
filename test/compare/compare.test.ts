import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compare, goldenBound, maskedRows, MASKED_ATOL } from '../../src/compare/compare.js'
import { unravel } from '../../src/model/tensors/view.js'
import { boundOf } from '../../src/compare/tolerance.js'

const values = (shape: number[], data: number[]) => ({ shape, data })

describe('compare', () => {
  const options = { bound: goldenBound(0), masked: [false, false] }

  it('finds the largest difference and its position', () => {
    const [result] = compare('r', 'o', values([2, 2], [1, 2, 3, 4.5]), values([2, 2], [1, 2, 3, 4]), options)
    expect(result).toMatchObject({ maxAbs: 0.5, meanAbs: 0.125, where: [1, 1], ok: false, atol: 1e-5 })
  })

  it('a difference equal to the bound is within it', () => {
    expect(compare('r', 'o', values([1], [1]), values([1], [1]), { ...options, atol: 0 })[0]?.ok).toBe(true)
  })

  it('NaN, in either, is never within bounds', () => {
    for (const [a, b] of [
      [NaN, 0],
      [0, NaN],
      [NaN, NaN],
    ] as const) {
      expect(
        compare('r', 'o', values([2, 1], [0, a]), values([2, 1], [0, b]), { ...options, atol: 1e9 })[0],
      ).toMatchObject({ ok: false, maxAbs: null, where: [1, 0] })
    }
  })

  it('the bound is finite for any expected value', () => {
    const bounds = [goldenBound(0), goldenBound(2 ** -11), boundOf('cpu', 'float32')]
    for (const bound of bounds)
      for (const wrong of [NaN, Infinity, -Infinity]) {
        const [result] = compare('r', 'o', values([2, 1], [3, 0]), values([2, 1], [3, wrong]), { ...options, bound })
        expect(result).toMatchObject({ ok: false, atol: bound(3) })
      }
  })

  it('infinity is not within bounds', () => {
    expect(compare('r', 'o', values([1], [Infinity]), values([1], [0]), options)[0]?.ok).toBe(false)
  })

  it('another shape is a failed comparison', () => {
    expect(compare('r', 'o', values([4], [0, 0, 0, 0]), values([2, 2], [0, 0, 0, 0]), options)).toMatchObject([
      { ok: false, shape: [4], expectedShape: [2, 2] },
    ])
  })

  it('rows that are masked everywhere are compared apart, in every check', () => {
    const actual = values([2, 2], [1, 2, 3.004, 4])
    const expected = values([2, 2], [1, 2, 3, 4])
    const results = compare('r', 'o', actual, expected, { bound: goldenBound(0), masked: [false, true] })
    expect(results.map((c) => [c.rows, c.ok, c.atol])).toEqual([
      [undefined, true, 1e-5],
      ['masked', true, MASKED_ATOL],
    ])
    expect(compare('r', 'o', actual, expected, options)).toMatchObject([{ ok: false }])
    expect(compare('r', 'o', actual, expected, { bound: goldenBound(0), masked: [true, true] })).toHaveLength(1)
  })

  it('without a golden the bound grows with the values', () => {
    expect(boundOf('cpu', 'float32')(0.5)).toBe(1e-5)
    expect(boundOf('cpu', 'float32')(30)).toBeCloseTo(3e-4)
    expect(boundOf('webgpu', 'float32')(0.5)).toBe(2e-5)
    expect(boundOf('webgpu', 'float16')(0.5)).toBe(1e-2)
  })
})

it('unravel is the inverse of flattening', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }), fc.nat(1000), (shape, n) => {
      const flat = n % shape.reduce((a, b) => a * b, 1)
      expect(unravel(flat, shape).reduce((at, i, axis) => at * shape[axis]! + i, 0)).toBe(flat)
    }),
  )
})

it('maskedRows', () => {
  expect(maskedRows([0, 0, 0, 1, 1, 1], 3, 2)).toEqual([true, false, false])
})

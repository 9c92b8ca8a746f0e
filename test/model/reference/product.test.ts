import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { matrix, multiply, transposed, type Factor, type ProductSize } from '../../../src/model/reference/product.js'
import { kernel, plainKernel, wasmKernel } from '../../../src/model/reference/product-kernel.js'
import { kernelModule } from '../../../scripts/build-kernel.js'

const folder = fileURLToPath(new URL('../../../src/model/reference/', import.meta.url))

/** `x · w` as it is defined, row-major. */
function defined(x: Factor, w: Factor, { rows, inner, outer }: ProductSize): Float64Array {
  const y = new Float64Array(rows * outer)
  const at = ({ data, start, row, column }: Factor, i: number, j: number): number => data[start + i * row + j * column]!
  for (let r = 0; r < rows; r++)
    for (let o = 0; o < outer; o++) {
      let sum = 0
      for (let k = 0; k < inner; k++) sum += at(x, r, k) * at(w, k, o)
      y[r * outer + o] = sum
    }
  return y
}

/** The bits of float64 numbers, all NaN alike. */
const bits = (values: Float64Array): BigUint64Array =>
  new BigUint64Array(Float64Array.from(values, (x) => (Number.isNaN(x) ? NaN : x)).buffer)

function computed(x: Factor, w: Factor, size: ProductSize, on = kernel()): Float64Array {
  const y = new Float64Array(size.rows * size.outer)
  multiply({ x, w, size, y: matrix(y, size.outer) }, on)
  return y
}

const values = (length: number, seed: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.sin(i * 12.9898 + seed) * 10 ** (i % 7))

describe.each([
  ['WebAssembly', wasmKernel],
  ['JavaScript', plainKernel],
])('a product in %s', (_, make) => {
  it('is the sum of the terms in their order, bit for bit', () => {
    const on = make()
    const dimension = fc.integer({ min: 1, max: 40 })
    fc.assert(
      fc.property(dimension, dimension, dimension, fc.integer(), (rows, inner, outer, seed) => {
        const size = { rows, inner, outer }
        const [x, w] = [values(rows * inner, seed), Float32Array.from(values(inner * outer, seed + 1))]
        const factors = [
          [matrix(x, inner), matrix(w, outer)],
          [matrix(x, inner), transposed(w, inner)],
          [transposed(x, rows), matrix(values(inner * outer, seed), outer)],
        ] as const
        for (const [left, right] of factors)
          expect(bits(computed(left, right, size, on))).toEqual(bits(defined(left, right, size)))
      }),
      { numRuns: 60 },
    )
  })

  // More than one block along each axis, none of them full.
  it.each([
    { rows: 300, inner: 20, outer: 9 },
    { rows: 3, inner: 600, outer: 5 },
    { rows: 6, inner: 7, outer: 530 },
    { rows: 259, inner: 261, outer: 262 },
  ])('is the same across blocks: $rows x $inner x $outer', (size) => {
    const [x, w] = [matrix(values(size.rows * size.inner, 1), size.inner), transposed(values(1e6, 2), size.inner)]
    expect(bits(computed(x, w, size, make()))).toEqual(bits(defined(x, w, size)))
  })

  it('keeps what is not a number, what is infinite and the sign of zero', () => {
    const size = { rows: 2, inner: 1, outer: 5 }
    const [x, w] = [Float64Array.of(-0, 2), Float64Array.of(1, -0, NaN, Infinity, -Infinity)]
    const found = computed(matrix(x, 1), matrix(w, 5), size, make())
    expect(bits(found)).toEqual(bits(defined(matrix(x, 1), matrix(w, 5), size)))
    expect([...found.subarray(5)]).toEqual([2, 0, NaN, Infinity, -Infinity])
  })

  it('writes rows that lie apart, and nothing between them', () => {
    const y = new Float64Array(9).fill(7)
    const x = matrix(Float64Array.of(1, 2, 3, 4), 2)
    const w = matrix(Float64Array.of(1, 0, 0, 1), 2)
    multiply({ x, w, size: { rows: 2, inner: 2, outer: 2 }, y: { data: y, start: 1, row: 5 } }, make())
    expect([...y]).toEqual([7, 1, 2, 7, 7, 7, 3, 4, 7])
  })
})

describe('the kernel', () => {
  it('is the WebAssembly of product.wat, and small', async () => {
    const written = readFileSync(`${folder}product-bytes.ts`, 'utf8')
    expect(written).toBe(await kernelModule(readFileSync(`${folder}product.wat`, 'utf8')))
    expect(written.length).toBeLessThan(10_000)
  })

  it('is JavaScript if WebAssembly cannot be compiled', async () => {
    const { Module } = WebAssembly
    WebAssembly.Module = function refuse() {
      throw new EvalError('refused')
    } as unknown as typeof Module
    try {
      expect(() => wasmKernel()).toThrow('refused')
      vi.resetModules()
      const { kernel: fresh } = await import('../../../src/model/reference/product-kernel.js')
      const [x, w, size] = [values(6, 1), values(6, 2), { rows: 2, inner: 3, outer: 2 }]
      expect(computed(matrix(x, 3), matrix(w, 2), size, fresh())).toEqual(defined(matrix(x, 3), matrix(w, 2), size))
    } finally {
      WebAssembly.Module = Module
    }
  })
})

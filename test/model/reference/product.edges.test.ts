import { describe, expect, it } from 'vitest'
import {
  cut,
  matrix,
  multiply,
  transposed,
  type Factor,
  type MatrixProduct,
  type ProductSize,
} from '../../../src/model/reference/product.js'
import { kernel, plainKernel, wasmKernel } from '../../../src/model/reference/product-kernel.js'

/** Products as they are defined; small sizes, or one large axis, so that each takes a moment (product.test.ts has more). */

const at = ({ data, start, row, column }: Factor, i: number, j: number): number => data[start + i * row + j * column]!
function defined(x: Factor, w: Factor, { rows, inner, outer }: ProductSize): number[] {
  return Array.from({ length: rows * outer }, (_, n) => {
    let sum = 0
    for (let k = 0; k < inner; k++) sum += at(x, Math.floor(n / outer), k) * at(w, k, n % outer)
    return sum
  })
}
const numbers = (length: number, seed: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => ((i * 7919 + seed * 104729) % 1009) / 97 - 5)

const SIZES: readonly ProductSize[] = [
  { rows: 1, inner: 1, outer: 1 },
  { rows: 4, inner: 3, outer: 16 },
  { rows: 5, inner: 2, outer: 17 },
  { rows: 6, inner: 5, outer: 15 },
  { rows: 7, inner: 4, outer: 33 },
  { rows: 257, inner: 2, outer: 3 },
  { rows: 2, inner: 257, outer: 3 },
  { rows: 2, inner: 513, outer: 18 },
  { rows: 2, inner: 3, outer: 257 },
  { rows: 256, inner: 1, outer: 5 },
  { rows: 3, inner: 256, outer: 256 },
]

describe.each([
  ['WebAssembly', wasmKernel],
  ['JavaScript', plainKernel],
])('products in %s', (_, make) => {
  it.each(SIZES)('are the sums of their terms in their order: $rows x $inner x $outer', (size) => {
    const { rows, inner, outer } = size
    const on = make()
    const x = numbers(rows * inner, 1)
    const w = numbers(inner * outer, 2)
    const factors: readonly (readonly [Factor, Factor])[] = [
      [matrix(x, inner), matrix(Float32Array.from(w), outer)],
      [matrix(x, inner), matrix(w, outer)],
      [matrix(Float32Array.from(x), inner), transposed(w, inner)],
      [transposed(x, rows), transposed(Float32Array.from(w), inner)],
    ]
    for (const [left, right] of factors) {
      const y = new Float64Array(rows * outer)
      multiply({ x: left, w: right, size, y: matrix(y, outer) }, on)
      expect([...y]).toEqual(defined(left, right, size))
    }
  })

  it('take parts of larger matrices, and write nothing beside their own rows', () => {
    const size = { rows: 3, inner: 2, outer: 17 }
    const x = { data: numbers(40, 3), start: 5, row: 9, column: 2 }
    for (const data of [numbers(100, 4), Float32Array.from(numbers(100, 4))]) {
      const w = { data, start: 3, row: 40, column: 1 }
      const y = new Float64Array(80).fill(7)
      multiply({ x, w, size, y: { data: y, start: 2, row: 20 } }, make())
      const wanted = new Float64Array(80).fill(7)
      defined(x, w, size).forEach((value, n) => (wanted[2 + Math.floor(n / 17) * 20 + (n % 17)] = value))
      expect([...y]).toEqual([...wanted])
    }
  })

  it('are computed one after the other if they are repeated', () => {
    const size = { rows: 2, inner: 3, outer: 2 }
    const [x, w, y] = [numbers(40, 5), numbers(40, 6), new Float64Array(20)]
    const repeat = { count: 3, x: 7, w: 6, y: 5 }
    multiply({ x: matrix(x, 3), w: matrix(w, 2), size, y: matrix(y, 2), repeat }, make())
    const wanted = new Float64Array(20)
    for (let n = 0; n < 3; n++) wanted.set(defined(matrix(x, 3, n * 7), matrix(w, 2, n * 6), size), n * 5)
    expect([...y]).toEqual([...wanted])
  })
})

it('a kernel keeps what is in its memory when it grows, and never shrinks', () => {
  for (const on of [wasmKernel(), plainKernel()]) {
    const { doubles } = on.memory(10)
    expect(doubles.length).toBeGreaterThanOrEqual(10)
    doubles.set([1, 2, 3])
    const grown = on.memory(doubles.length + 5)
    expect(grown.doubles.length).toBeGreaterThanOrEqual(doubles.length + 5)
    expect([...grown.doubles.subarray(0, 3)]).toEqual([1, 2, 3])
    expect(grown.floats.buffer).toBe(grown.doubles.buffer)
    expect(grown.floats.length).toBe(2 * grown.doubles.length)
    expect(on.memory(1).doubles.length).toBe(grown.doubles.length)
    expect(on.memory(grown.doubles.length).doubles).toBe(grown.doubles)
  }
  expect(kernel()).toBe(kernel())
})

it('weights of many rows are copied to the kernel by strips of columns', () => {
  // 2²² numbers at a time: of rows of 2¹⁴ 256 columns.
  const size = { rows: 1, inner: 2 ** 14, outer: 261 }
  const x = matrix(numbers(size.inner, 1), size.inner)
  const w = matrix(Float32Array.from(numbers(size.inner * size.outer, 2)), size.outer)
  const y = new Float64Array(size.outer)
  const on = kernel()
  multiply({ x, w, size, y: matrix(y, size.outer) }, on)
  expect(defined(x, w, size)).toEqual([...y])
  // No more of its memory is taken than the factors and sums need.
  expect(on.memory(0).doubles.length * 8).toBeLessThan(24 * 2 ** 20)
})

describe('a product that is cut', () => {
  const computed = (products: readonly MatrixProduct[], y: Float64Array): number[] => {
    for (const product of products) multiply(product)
    return [...y]
  }
  it.each([
    [1, [100]],
    [2, [64, 36]],
    [3, [48, 48, 4]],
    [4, [32, 32, 32, 4]],
    [50, [16, 16, 16, 16, 16, 16, 4]],
  ])('into %i has parts of whole lines of the cache', (parts, columns) => {
    const size = { rows: 3, inner: 2, outer: 100 }
    const [x, y] = [matrix(numbers(6, 1), 2), new Float64Array(300)]
    for (const w of [matrix(numbers(200, 2), 100), transposed(numbers(200, 2), 2)]) {
      const pieces = cut({ x, w, size, y: matrix(y, 100) }, parts)
      expect(pieces.map((piece) => piece.size)).toEqual(columns.map((outer) => ({ ...size, outer })))
      expect(computed(pieces, y.fill(0))).toEqual(defined(x, w, size))
    }
  })

  it.each([
    [1, [7]],
    [2, [4, 3]],
    [3, [3, 3, 1]],
    [7, [1, 1, 1, 1, 1, 1, 1]],
    [20, [1, 1, 1, 1, 1, 1, 1]],
  ])('into %i has parts of whole products, if there are many', (parts, counts) => {
    const size = { rows: 1, inner: 2, outer: 1 }
    const [x, w, y] = [numbers(14, 1), numbers(14, 2), new Float64Array(7)]
    const product: MatrixProduct = {
      ...{ x: matrix(x, 2), w: matrix(w, 1), size, y: matrix(y, 1) },
      repeat: { count: 7, x: 2, w: 2, y: 1 },
    }
    const pieces = cut(product, parts)
    expect(pieces.map(({ repeat }) => repeat?.count)).toEqual(counts)
    const found = computed(pieces, y)
    expect(found).toEqual(computed([product], y.fill(0)))
    expect(found).toEqual(found.map((_, n) => x[2 * n]! * w[2 * n]! + x[2 * n + 1]! * w[2 * n + 1]!))
  })
})

import { describe, expect, it } from 'vitest'
import {
  groupsLast,
  identityMatrix,
  isIdentity,
  product,
  ungrouped,
  zeros,
  type Fill,
} from '../../../src/model/tensors/derived.js'
import { counting, parameterIn } from '../../helpers/memory-parameters.js'
import { MemorySource } from '../../helpers/tiny-model.js'

/** All ranges of `wanted`: each must be filled as it is, whatever was there before. */
function expectRanges(fill: Fill, wanted: readonly number[]): void {
  for (let start = 0; start <= wanted.length; start++)
    for (let end = start; end <= wanted.length; end++) {
      const target = new Float32Array(end - start).fill(99)
      fill(start, target)
      expect([...target], `${start} to ${end}`).toEqual(wanted.slice(start, end))
    }
}

describe('computed values', () => {
  it('are zeros, or an identity matrix', () => {
    expectRanges(zeros, [0, 0, 0])
    expectRanges(identityMatrix(1), [1])
    expectRanges(identityMatrix(3), [1, 0, 0, 0, 1, 0, 0, 0, 1])
  })

  it('are a product, of which a row is computed when it is first asked for', () => {
    const source = new MemorySource()
    const left = parameterIn(source, 'left', [3, 2], [1, 2, 3, 4, 5, 6])
    // Stored transposed: [[1, 0, 2], [0, 1, 10]].
    const right = parameterIn(source, 'right', [2, 3], [1, 0, 0, 1, 2, 10], { layout: 'transposed' })
    const fill = product(source, left, right)
    expectRanges(fill, [1, 2, 22, 3, 4, 46, 5, 6, 70])
    source.reads = 0
    const again = product(source, left, right)
    again(0, new Float32Array(2))
    again(2, new Float32Array(1))
    expect(source.reads).toBe(2)
    again(3, new Float32Array(6))
    expect(source.reads).toBe(4)
  })

  it('are a product that is rounded once', () => {
    const source = new MemorySource()
    const left = parameterIn(source, 'left', [1, 3], [1e8, 1, -1e8])
    const right = parameterIn(source, 'right', [3, 1], [1, 0.1, 1])
    const target = new Float32Array(1)
    product(source, left, right)(0, target)
    // In float32 the sum would be 0.
    expect(target[0]).toBe(Math.fround(1e8 + Math.fround(0.1) - 1e8))
  })
})

describe('a kernel of groups', () => {
  const source = new MemorySource()
  // Three groups of [2, 2], the group last: element [i, o, g] is 100·g + 10·i + o.
  const stored = [0, 100, 200, 1, 101, 201, 10, 110, 210, 11, 111, 211]
  const kernel = parameterIn(source, 'kernel', [3, 2, 2], stored, { layout: 'grouped' })

  it('is a whole kernel with zeros between the groups', () => {
    expectRanges(
      ungrouped(source, kernel),
      [
        [0, 1, 0, 0, 0, 0],
        [0, 0, 100, 101, 0, 0],
        [0, 0, 0, 0, 200, 201],
        [10, 11, 0, 0, 0, 0],
        [0, 0, 110, 111, 0, 0],
        [0, 0, 0, 0, 210, 211],
      ].flat(),
    )
  })

  it('has the groups last as TensorFlow stores it', () => {
    expectRanges(groupsLast(source, kernel), stored)
    // The first edition of the code has them first.
    const first = parameterIn(source, 'first', [3, 2, 2], counting(12))
    expectRanges(groupsLast(source, first), [1, 5, 9, 2, 6, 10, 3, 7, 11, 4, 8, 12])
  })

  it('is read once', () => {
    source.reads = 0
    for (const fill of [ungrouped(source, kernel), groupsLast(source, kernel)]) {
      fill(0, new Float32Array(3))
      fill(3, new Float32Array(3))
    }
    expect(source.reads).toBe(2)
  })
})

describe('an identity', () => {
  const source = new MemorySource()
  const dense = (rows: number, columns: number, kernel: Iterable<number>, bias: readonly number[] | null) => ({
    kernel: parameterIn(source, 'kernel', [rows, columns], kernel),
    bias: bias === null ? null : parameterIn(source, 'bias', [columns], bias),
  })
  it.each([
    [true, 2, 2, [1, 0, 0, 1], [0, 0]],
    [true, 2, 2, [1, 0, 0, 1], null],
    [true, 1, 1, [1], [0]],
    [false, 2, 2, [1, 0, 0, 1], [0, 0.5]],
    [false, 2, 2, [1, 0, 0, 1], [0.5, 0]],
    [false, 2, 2, [1, 0, 0, 2], null],
    [false, 2, 2, [1, 0, 1e-30, 1], null],
    [false, 2, 2, [0, 1, 1, 0], null],
    [false, 2, 2, [1, 0, 0, NaN], null],
    [false, 2, 3, [1, 0, 0, 0, 1, 0], null],
    [false, 1, 2, [1, 0], null],
  ] as const)('%s: %i x %i of %j with bias %j', (is, rows, columns, kernel, bias) => {
    expect(isIdentity(source, dense(rows, columns, kernel, bias))).toBe(is)
  })

  it('is read by pieces of a million numbers, to the last of them', () => {
    const width = 1100
    const values = new Float32Array(width * width)
    for (let i = 0; i < width; i++) values[i * (width + 1)] = 1
    source.largestRead = 0
    expect(isIdentity(source, dense(width, width, values, null))).toBe(true)
    expect(source.largestRead).toBe(953 * width * 4)
    values[values.length - 2] = 0.5
    expect(isIdentity(source, dense(width, width, values, null))).toBe(false)
  })
})

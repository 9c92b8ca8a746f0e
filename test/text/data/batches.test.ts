import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cheapestBatches, makeBatches, type Batch } from '../../../src/text/data/batches.js'

const rowsOf = (lengths: readonly number[]) =>
  lengths.map((length, row) => ({
    input_ids: Array<number>(length).fill(row + 1),
    token_type_ids: Array<number>(length).fill(0),
  }))
/** Tokens that the batches of rows of these lengths have, padding included. */
const tokens = (batches: readonly Batch[]): number => batches.reduce((sum, batch) => sum + batch.input_ids.length, 0)
/** The batches of as many rows as possible. */
const fullBatches = (lengths: readonly number[], size: number): number => {
  const sorted = lengths.toSorted((a, b) => a - b)
  const groups = Array.from({ length: Math.ceil(sorted.length / size) }, (_, i) =>
    sorted.slice(i * size, (i + 1) * size),
  )
  return groups.reduce((sum, group) => sum + group.length * group.at(-1)! + 16, 0)
}

describe('batches of rows', () => {
  it('have every row once, no more rows than asked for, and cost no more than full ones', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 80 })
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 40 }), (given, size) => {
        const batches = cheapestBatches(rowsOf(given), size)
        expect(batches.flatMap(({ rowIndices }) => rowIndices).toSorted((a, b) => a - b)).toEqual([...given.keys()])
        for (const { rowIndices, sequence } of batches) {
          expect(rowIndices.length).toBeLessThanOrEqual(size)
          expect(sequence).toBe(Math.max(...rowIndices.map((row) => given[row]!)))
        }
        expect(tokens(batches) + 16 * batches.length).toBeLessThanOrEqual(fullBatches(given, size))
      }),
    )
  })

  it('end where the next row is much longer', () => {
    const batches = cheapestBatches(rowsOf([4, 100, 5, 90, 4, 5]), 32)
    expect(batches.map(({ rowIndices }) => rowIndices)).toEqual([
      [0, 4, 2, 5],
      [3, 1],
    ])
  })

  it('have no more tokens than asked for, unless a single row has', () => {
    const batches = cheapestBatches(rowsOf([4, 4, 4, 4, 4, 30]), 32, 12)
    expect(batches.map(({ rowIndices }) => rowIndices)).toEqual([[0, 1, 2], [3, 4], [5]])
  })

  it('have one number of rows each if none is cheapest by itself', () => {
    const batches = makeBatches(rowsOf([4, 100, 5, 90, 4]), 2)
    expect(batches.map(({ rowIndices }) => rowIndices)).toEqual([[0, 4], [2, 3], [1]])
  })

  it('pad with zeros and mask the padding', () => {
    const [batch] = cheapestBatches(rowsOf([2, 3]), 2)
    expect(batch).toEqual({
      rowIndices: [0, 1],
      sequence: 3,
      input_ids: Int32Array.of(1, 1, 0, 2, 2, 2),
      attention_mask: Int32Array.of(1, 1, 0, 1, 1, 1),
      token_type_ids: new Int32Array(6),
    })
  })
})

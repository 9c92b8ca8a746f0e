import { describe, expect, it } from 'vitest'
import { WIDEST, wordRanks } from '../../../src/model/health/rank.js'
import { parameterIn } from '../../helpers/memory-parameters.js'
import { MemorySource } from '../../helpers/tiny-model.js'

const source = new MemorySource()
const near = (...values: number[]): unknown[] => values.map((x) => expect.closeTo(x, 6) as unknown)

const word = parameterIn(source, 'word', [5, 3], [1, 2, 0, 0, 1, -1, 2, 0, 1, 1, 1, 1, -1, 0.5, 2])
const projection = [1, 0, 2, 1, 0, 1, 1, -1, 1, 1, 0, 0.5]

describe('ranks of word embeddings', () => {
  // numpy.linalg.svd in float64
  const own = {
    shape: [5, 3],
    possible: 3,
    numerical: 3,
    stable: expect.closeTo(2.055617643108215, 9) as number,
    effective: expect.closeTo(2.9526187404116833, 9) as number,
    singular: near(3.1386388455318213, 2.511237741737093, 2.023025259801236),
  }
  const product = {
    shape: [5, 4],
    possible: 3,
    numerical: 3,
    stable: expect.closeTo(1.3590493237523469, 9) as number,
    effective: expect.closeTo(2.7387758644121916, 6) as number,
    singular: near(7.931684812241085, 3.435005755058274, 3.2846782950512363),
  }

  it('are those of numpy', async () => {
    expect(await wordRanks(source, word, null)).toEqual({ word: own, product: null })
    for (const [slot, values, layout] of [
      ['as stored', projection, 'as_is'],
      ['transposed', [1, 0, 1, 0, 1, 1, 2, 1, 0, 1, -1, 0.5], 'transposed'],
    ] as const)
      expect(await wordRanks(source, word, parameterIn(source, slot, [3, 4], values, { layout }))).toEqual({
        word: own,
        product,
      })
  })

  it('do not count what float32 rounds to', async () => {
    const table = parameterIn(source, 'rank 2', [4, 3], [1, 2, 3, 2, 4, 6, 1, 1, 1, 0, 1, 2])
    const { word: found } = (await wordRanks(source, table, null))!
    expect(found).toMatchObject({ possible: 3, numerical: 2, stable: expect.closeTo(1.0110900734748252, 9) as number })
    expect(found.effective).toBeCloseTo(1.3696804185307532, 5)
    expect(found.singular).toEqual(near(8.783192030550243, 0.9249528390565099, 0))
    // Two to the power of −23 of the largest, times the larger of rows and columns.
    const least = 3 * 2 ** -23
    for (const [size, numerical] of [
      [1.01 * least, 3],
      [0.99 * least, 2],
    ] as const) {
      const diagonal = parameterIn(source, 'diagonal', [3, 3], [1, 0, 0, 0, 0.5, 0, 0, 0, size])
      expect((await wordRanks(source, diagonal, null))!.word.numerical).toBe(numerical)
    }
  })

  it('count by the larger of rows and columns', async () => {
    for (const [size, numerical] of [
      [3 * 2 ** -23, 1],
      [5 * 2 ** -23, 2],
    ] as const) {
      const tall = parameterIn(source, 'tall', [4, 2], [1, 0, 0, size, 0, 0, 0, 0])
      expect((await wordRanks(source, tall, null))!.word.numerical).toBe(numerical)
    }
  })

  it('are limited by the fewest of rows and columns', async () => {
    const wide = parameterIn(source, 'wide', [1, 3], [3, 0, 4])
    const { word: found, product } = (await wordRanks(
      source,
      wide,
      parameterIn(source, 'p', [3, 2], [1, 0, 0, 1, 1, 0]),
    ))!
    expect(found).toEqual({
      shape: [1, 3],
      possible: 1,
      numerical: 1,
      ...{ stable: near(1)[0], effective: near(1)[0], singular: [5] },
    })
    expect(product).toMatchObject({ shape: [1, 2], possible: 1, singular: near(7) })
  })

  it('of nothing but zeros are zero', async () => {
    const zeros = parameterIn(source, 'zeros', [2, 2], [0, 0, 0, 0])
    expect((await wordRanks(source, zeros, null))!.word).toEqual({
      ...{ shape: [2, 2], possible: 2, numerical: 0, stable: 0, effective: 0, singular: [0, 0] },
    })
  })

  it('are read by a thousand rows at a time', async () => {
    const rows = 2500
    const values = Array.from({ length: rows * 2 }, (_, i) => (i % 2 === 0 ? 1 : i === 2 * rows - 1 ? 3 : 0))
    const table = parameterIn(source, 'tall', [rows, 2], values)
    Object.assign(source, { reads: 0, largestRead: 0 })
    const { singular } = (await wordRanks(source, table, null))!.word
    expect([source.reads, source.largestRead]).toEqual([3, 1024 * 8])
    // AᵀA is [[2500, 3], [3, 9]].
    const [sum, root] = [2509, Math.sqrt(2491 ** 2 + 4 * 9)]
    expect(singular).toEqual(near(Math.sqrt((sum + root) / 2), Math.sqrt((sum - root) / 2)))
  })

  it('are not taken of tables that are too wide, or empty', async () => {
    const table = (shape: readonly [number, number]) => ({ ...word, shape, storedShape: shape })
    expect(await wordRanks(source, table([2, WIDEST + 1]), null)).toBeNull()
    expect(await wordRanks(source, table([0, 3]), null)).toBeNull()
    expect(await wordRanks(source, table([3, 0]), null)).toBeNull()
  })
})

import { describe, expect, it } from 'vitest'
import { newCounts, takeFrom } from '../../../src/api/inference/batch-counts.js'
import { joinParts, readPart, readWindow, Stopped, type Readable } from '../../../src/api/inference/window.js'
import type { Batch } from '../../../src/text/data/batches.js'
import type { Features } from '../../../src/text/data/features.js'

const LENGTHS = [3, 9, 1, 5, 9, 2, 7, 7, 4, 8, 6, 3]
const inputs: Features[] = LENGTHS.map((length, i) => ({
  input_ids: Array.from({ length }, (_, at) => 10 * i + at),
  token_type_ids: new Array<number>(length).fill(0),
}))
const READING = { outputs: ['logits'], reduction: 'none', batch: 3 } as const

/** A model whose two logits of a row are the sum of its ids and the length of its batch. */
function summing(): { model: Readable; lengths: number[] } {
  const lengths: number[] = []
  const run = async ({ rowIndices, sequence, input_ids }: Batch) => {
    lengths.push(sequence)
    await Promise.resolve()
    const data = new Float32Array(2 * rowIndices.length)
    for (const row of rowIndices.keys()) {
      const ids = input_ids.subarray(row * sequence, (row + 1) * sequence)
      data.set([ids.reduce((sum, id) => sum + id, 0), sequence], 2 * row)
    }
    return [{ name: 'logits', shape: [rowIndices.length, 2], data }]
  }
  const tokenizer = {} as Readable['tokenizer'] // features need none
  return { model: { tokenizer, maxLength: 16, vectors: null, run }, lengths }
}

describe('a window of texts', () => {
  it('is read the longest batch first, and gives a row for each text in order', async () => {
    const { model, lengths } = summing()
    const { offsets, values } = await readWindow(model, inputs, READING)
    expect(lengths).toEqual(lengths.toSorted((a, b) => b - a))
    expect(lengths.length).toBeGreaterThan(3)
    expect(offsets).toEqual(inputs.map((_, i) => 2 * i).concat(2 * inputs.length))
    const sums = inputs.map(({ input_ids }) => input_ids.reduce((sum, id) => sum + id, 0))
    expect(sums.map((_, i) => values[2 * i])).toEqual(sums)
  })

  it('of which two threads run the batches is the same, and each batch runs once', async () => {
    const [whole, shared] = [summing(), summing()]
    const expected = await readWindow(whole.model, inputs, READING)
    const batches = newCounts()
    const share = { take: takeFrom(batches) }
    const parts = await Promise.all([1, 2].map(() => readPart(shared.model, inputs, READING, share)))
    expect(parts.every(({ done, batches }) => done > 0 && done < batches)).toBe(true)
    expect(parts.reduce((sum, { done }) => sum + done, 0)).toBe(whole.lengths.length)
    expect(shared.lengths.toSorted()).toEqual(whole.lengths.toSorted())
    expect(joinParts(parts, inputs.length)).toEqual(expected)
    const late = await readPart(shared.model, inputs, READING, share)
    expect(late.done).toBe(0)
    expect(joinParts([late, ...parts], inputs.length)).toEqual(expected)
  })

  it('is left if nobody waits for it', async () => {
    const { model, lengths } = summing()
    await expect(readWindow(model, inputs, READING, () => lengths.length === 2)).rejects.toThrow(Stopped)
    expect(lengths).toHaveLength(2)
  })
})

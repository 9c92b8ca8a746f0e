import { describe, expect, it } from 'vitest'
import { leftOf, newCounts, setAll, takeAllOf, takeFrom } from '../../../src/api/inference/batch-counts.js'

describe('the counts of a window’s batches', () => {
  it('give each batch once, to whoever asks', () => {
    const counts = newCounts()
    const [one, other] = [takeFrom(counts), takeFrom(counts)]
    expect([one(), other(), other(), one()]).toEqual([0, 1, 2, 3])
  })

  it('tell what is left: of as many as were expected, until all are known', () => {
    const counts = newCounts()
    const take = takeFrom(counts)
    expect(leftOf(counts, 8)).toBe(8)
    take()
    expect(leftOf(counts, 8)).toBe(7)
    setAll(counts, 11)
    expect(leftOf(counts, 8)).toBe(10)
  })

  it('leave nothing of a window that nobody waits for', () => {
    const counts = newCounts()
    setAll(counts, 11)
    takeAllOf(counts, 256)
    expect(leftOf(counts, 8)).toBeLessThan(0)
    expect(takeFrom(counts)()).toBe(256)
  })

  it('are shared by threads that get the same memory', () => {
    const counts = newCounts()
    const elsewhere = new Int32Array(structuredClone(counts.buffer))
    takeFrom(elsewhere)()
    expect(leftOf(counts, 3)).toBe(2)
  })
})

import { describe, expect, it } from 'vitest'
import { Pool } from '../../../src/model/reference/pool.js'
import { THIS_THREAD } from '../../../src/model/reference/processors.js'

describe('a pool of arrays', () => {
  it('gives an array again after it was taken back, for the same length', () => {
    const pool = new Pool(THIS_THREAD)
    const [a, b] = [pool.float64(100), pool.float64(100)]
    expect(a).not.toBe(b)
    pool.takeBack()
    expect(pool.float64(50)).toHaveLength(50)
    const again = [pool.float64(100), pool.float64(100)]
    expect(again).toContain(a)
    expect(again).toContain(b)
    expect([a, b]).not.toContain(pool.float64(100))
    pool.takeBack()
    pool.takeBack()
    const third = [1, 2, 3, 4].map(() => pool.float64(100))
    expect(new Set(third).size).toBe(4)
  })

  it('never gives again what is kept, even a part of it, or what it has forgotten', () => {
    const pool = new Pool(THIS_THREAD)
    const a = pool.float64(100)
    pool.keep(a.subarray(10, 20))
    pool.takeBack()
    const b = pool.float64(100)
    expect(b).not.toBe(a)
    pool.takeBack()
    expect(pool.float64(100)).toBe(b)
    pool.clear()
    pool.takeBack()
    expect(pool.float64(100)).not.toBe(b)
    pool.keep(b)
    pool.takeBack()
    pool.clear()
    expect(pool.float64(100)).not.toBe(b)
  })

  it('computes and allocates weights as the processors below it', () => {
    const pool = new Pool(THIS_THREAD)
    expect([pool.multiply, pool.float32]).toEqual([THIS_THREAD.multiply, THIS_THREAD.float32])
  })
})

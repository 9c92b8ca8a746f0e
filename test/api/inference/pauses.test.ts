import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { PAUSE, until, withPauses } from '../../../src/api/inference/pauses.js'

async function* slowly(...steps: readonly number[]): AsyncGenerator<number> {
  for (const [i, ms] of steps.entries()) {
    if (ms > 0) await wait(ms)
    yield i
  }
}

describe('values with pauses', () => {
  it('are reported once if nothing comes for a while', async () => {
    const seen: (number | typeof PAUSE)[] = []
    for await (const value of withPauses(slowly(150, 0, 0, 250, 0, 150), 50)) seen.push(value)
    // Before the first value there is nothing to be answered.
    expect(seen).toEqual([0, 1, 2, PAUSE, 3, 4, PAUSE, 5])
  })

  it('do not delay a reader that stops', async () => {
    const start = performance.now()
    for await (const value of withPauses(slowly(0, 30_000), 20)) if (value === PAUSE) break
    expect(performance.now() - start).toBeLessThan(5000)
  })

  it('pass errors on', async () => {
    const failing = async function* (): AsyncGenerator<number> {
      yield 1
      await wait(40)
      throw new RangeError('broken')
    }
    const seen: unknown[] = []
    await expect(
      (async () => {
        for await (const value of withPauses(failing(), 10)) seen.push(value)
      })(),
    ).rejects.toThrow('broken')
    expect(seen).toEqual([1, PAUSE])
  })
})

describe('values until the reader stops', () => {
  it('are all of them if the reader does not stop', async () => {
    const seen: number[] = []
    for await (const value of until(slowly(0, 5, 0), new Promise(() => undefined))) seen.push(value)
    expect(seen).toEqual([0, 1, 2])
  })

  it('end though one is waited for', async () => {
    const start = performance.now()
    const seen: number[] = []
    for await (const value of until(slowly(0, 30_000), wait(50))) seen.push(value)
    expect([seen, performance.now() - start < 5000]).toEqual([[0], true])
  })

  it('are not remembered', async () => {
    async function* many(): AsyncGenerator<Float64Array> {
      for (let i = 0; i < 150_000; i++) yield await Promise.resolve(new Float64Array(256))
    }
    let [count, most] = [0, 0]
    for await (const value of until(many(), new Promise(() => undefined))) {
      count += value.length / 256
      if (count % 1000 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers)
    }
    // All of them are 300 MB.
    expect([count, most < 150e6]).toEqual([150_000, true])
  })
})

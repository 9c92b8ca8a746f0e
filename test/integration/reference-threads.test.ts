import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
// As built: threads do not start from TypeScript.
import * as built from '../../dist/api/reference/compute.js'
import { openModel as openBuilt } from '../../dist/api/open/open.js'
import { Threads } from '../../dist/api/reference/threads.js'
import { matrix, multiply, transposed } from '../../dist/model/reference/product.js'
import { initModel } from '../../src/api/init/init.js'
import { openModel } from '../../src/api/open/open.js'
import { drawInputs } from '../../src/compare/sample-inputs.js'
import { runAll } from '../../src/model/reference/run.js'
import { TraceMeans, traceOn } from '../../src/model/reference/trace.js'
import { ALL_HEADS } from '../../src/model/tasks.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-threads-'))
const tiny = join(folder, 'tiny')
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)

describe('the reference in threads', () => {
  it('gives the bits that one thread gives, and counts the layers', async () => {
    await initModel('albert-tiny', tiny)
    const [opened, other] = [await openModel(tiny), await openBuilt(tiny)]
    try {
      // Enough for two threads.
      const inputs = [drawInputs(opened.model, 4, 90, 1), { ...drawInputs(opened.model, 1, 500, 2), withoutMlm: true }]
      const steps: number[] = []
      const runs = { kind: 'runs', inputs, heads: ALL_HEADS } as const
      const found = await built.compute(runs, other, { onLayer: (done, total) => steps.push(done, total) })
      const expected = runAll(opened, { inputs, heads: ALL_HEADS })
      expect(found.map((values) => [...values.keys()])).toEqual(expected.map((values) => [...values.keys()]))
      expect(found[1]?.has('prediction_logits')).toBe(false)
      for (const [i, values] of expected.entries())
        for (const [name, { shape, data }] of values) {
          const actual = found[i]?.get(name)
          expect(actual?.shape).toEqual(shape)
          expect(actual?.data.buffer).toBeInstanceOf(SharedArrayBuffer)
          expect(Buffer.compare(bytesOf(actual!.data), bytesOf(data)), name).toBe(0)
        }
      expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8].flatMap((n) => [n, 8]))

      const means = new TraceMeans()
      for (const batch of inputs) traceOn(opened, batch, means)
      const traced = await built.compute({ kind: 'trace', inputs, heads: ALL_HEADS }, other)
      expect(traced).toEqual({ ...means.result(), tokens: means.tokens })
    } finally {
      opened.close()
      other.close()
    }
  }, 60_000)

  it('reports errors in a file as without threads', async () => {
    const damaged = join(folder, 'damaged')
    await initModel('albert-tiny', damaged)
    const data = join(damaged, 'model.ckpt.data-00000-of-00001')
    const bytes = readFileSync(data)
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(data, bytes)
    const opened = await openBuilt(damaged)
    try {
      const inputs = [drawInputs(opened.model, 4, 60, 1)]
      const work = built.compute({ kind: 'runs', inputs, heads: ALL_HEADS }, opened)
      await expect(work).rejects.toMatchObject({ kind: 'malformed', place: { file: data } })
    } finally {
      opened.close()
    }
  })

  it('stops when its signal is aborted', async () => {
    const opened = await openBuilt(tiny)
    try {
      const stop = new AbortController()
      const inputs = Array.from({ length: 50 }, () => drawInputs(opened.model, 4, 60, 1))
      const start = performance.now()
      const work = built.compute({ kind: 'runs', inputs, heads: ALL_HEADS }, opened, {
        signal: stop.signal,
        onLayer: () => {
          stop.abort()
        },
      })
      await expect(work).rejects.toMatchObject({ kind: 'interrupted' })
      expect(performance.now() - start).toBeLessThan(5000)
    } finally {
      opened.close()
    }
  })
})

it('threads cut one product by columns, and several by number', async () => {
  const threads = new Threads(3)
  const size = { rows: 70, inner: 90, outer: 333 }
  const fill = (array: Float64Array): Float64Array => array.map((_, i) => Math.sin(i))
  const [x, y] = [threads.float64(70 * 90 * 5), threads.float64(70 * 333 * 5)]
  x.set(fill(x))
  const w = threads.float32(90 * 333 * 5)
  w.set(fill(new Float64Array(w.length)))
  const alone = new Float64Array(y.length)
  for (const factor of [matrix(w, 333), transposed(w, 90)])
    for (const repeat of [undefined, { count: 5, x: 70 * 90, w: 90 * 333, y: 70 * 333 }]) {
      const product = { x: matrix(x, 90), w: factor, size, ...(repeat === undefined ? {} : { repeat }) }
      y.fill(0)
      alone.fill(0)
      threads.multiply({ ...product, y: matrix(y, 333) })
      multiply({ ...product, y: matrix(alone, 333) })
      expect(y.some((value) => value !== 0)).toBe(true)
      expect(Buffer.compare(bytesOf(y), bytesOf(alone))).toBe(0)
    }
  await threads.close()
})

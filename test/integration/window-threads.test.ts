import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
// As built: threads do not start from TypeScript.
import { WindowPool } from '../../dist/api/inference/pool.js'
import type { WorkerPlan } from '../../dist/api/inference/window-worker.js'
import { convertModel } from '../../src/api/convert/convert.js'
import { ZH_NEWS } from '../helpers/shared.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-windows-'))
const READING = { outputs: ['logits'], reduction: 'none', batch: 32 } as const
const texts = readFileSync(join(ZH_NEWS, 'train.tsv'), 'utf8')
  .split('\n')
  .slice(0, 200)
  .map((line) => [line.split('\t')[1] ?? '', null] as const)

/** A plan for the bundled classifier, as if it computed so much for a token. */
const planOf = (flopsPerToken: number): WorkerPlan => ({
  runner: 'onnxruntime',
  file: join(folder, 'onnx/model.onnx'),
  bytes: 2e6,
  tokenizer: { file: 'vocab.txt', contents: [['vocab.txt', readFileSync(join(ZH_NEWS, 'vocab.txt'))]] },
  lowerCase: true,
  maxLength: 32,
  vectors: null,
  flopsPerToken,
})

async function withPool<T>(flopsPerToken: number, body: (pool: WindowPool) => Promise<T>): Promise<T> {
  const pool = new WindowPool(null, planOf(flopsPerToken), 2)
  try {
    return await body(pool)
  } finally {
    await pool.close()
  }
}

beforeAll(async () => {
  await convertModel(ZH_NEWS, folder, { targets: ['onnx'], force: true, verify: false })
}, 60_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('threads of windows', () => {
  it('share a single window that takes long, and give the same bits', async () => {
    const alone = await withPool(1, async (pool) => {
      const rows = await pool.read(texts, READING)
      expect(pool.threads).toBe(1)
      return rows
    })
    const shared = await withPool(1e10, async (pool) => {
      const rows = await pool.read(texts, READING)
      expect(pool.threads).toBe(2)
      return rows
    })
    expect(shared).toEqual(alone)
  }, 60_000)

  it('go on after a window that fails, with those that wait', async () => {
    await withPool(1, async (pool) => {
      const [good, bad, after, last] = await Promise.allSettled([
        pool.read(texts, READING),
        pool.read(texts, { ...READING, outputs: ['no such output'] }),
        pool.read(texts, READING),
        pool.read(texts.slice(0, 40), READING),
      ])
      expect([good, bad, after, last].map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'fulfilled',
        'fulfilled',
      ])
      expect(after).toEqual(good)
      expect(await pool.read(texts, READING)).toEqual((good as PromiseFulfilledResult<unknown>).value)
    })
  }, 60_000)
})

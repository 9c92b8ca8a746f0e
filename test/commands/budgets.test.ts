import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { albertkit, ROOT, userEnv } from '../helpers/run.js'

// Budgets of `build` are flags of the commands that measure, too.

const MODEL = join(ROOT, 'fixtures/zh-news')
const folder = mkdtempSync(join(tmpdir(), 'albertkit-budgets-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('evaluate', () => {
  const evaluate = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    albertkit(['evaluate', MODEL, join(MODEL, 'dev.tsv'), '--max-seq-length', '64', ...args], { env: userEnv(env) })

  it('ends with exit code 1 below the least accuracy or F1, and says by how much', async () => {
    const accuracy = await evaluate(['--min-accuracy', '0.86'])
    expect([accuracy.code, accuracy.stderr]).toEqual([1, expect.stringContaining('accuracy is 0.8500, below 0.86')])
    const f1 = await evaluate(['--json'], { ALBERTKIT_EVALUATE_MIN_F1: '0.99' })
    expect([f1.code, f1.stderr]).toEqual([1, expect.stringMatching(/F1 is 0\.8\d+, below 0\.99/)])
    expect(JSON.parse(f1.stdout)).toMatchObject({ accuracy: 0.85 })
  })

  it('ends with 0 if it is reached, and refuses what is no fraction', async () => {
    expect((await evaluate(['--min-accuracy', '0.85', '--min-f1', '0.8'])).code).toBe(0)
    expect((await evaluate(['--min-accuracy', '85%'])).code).toBe(2)
  })
})

describe('bench', () => {
  beforeAll(async () => {
    await convertModel(MODEL, folder, { targets: ['tfjs'], verify: false, force: true })
  })
  const bench = (most: string) =>
    albertkit(['bench', folder, '--runner', 'tfjs-cpu', '--runs', '1', '--length', '8', '--batch', '1', '--max-p50', most]) // prettier-ignore

  it('ends with exit code 1 if the median of a run takes longer', async () => {
    const { code, stderr } = await bench('0.001')
    expect([code, stderr]).toEqual([1, expect.stringMatching(/above 0\.001/)])
    expect((await bench('1000000')).code).toBe(0)
  })
})

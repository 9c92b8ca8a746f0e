import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { initModel } from '../../src/api/init/init.js'
import { trainModel } from '../../src/api/finetune/train-model.js'
import { STATE_FILE } from '../../src/api/finetune/state.js'
import { temporary } from '../helpers/faults.js'
import { albertkit, BIN, userEnv } from '../helpers/run.js'

// Steps of a base-sized model take many seconds: the command line leaves them to a process that it can end.

const place = temporary()
const { at } = place
afterAll(() => {
  place.remove()
})
const train = at('train.tsv')
beforeAll(async () => {
  await initModel('albert-base', at('model'), { task: 'classify', verify: false })
  const text = 'ab cd ef gh'.repeat(12)
  writeFileSync(train, Array.from({ length: 40 }, (_, i) => `${i % 2}\t${text.slice(i)}\n`).join(''))
}, 60_000)

const hash = (folder: string): string =>
  createHash('sha256')
    .update(readFileSync(`${folder}/model.ckpt.data-00000-of-00001`))
    .digest('hex')

describe('fine-tuning of a base-sized model', () => {
  it('gives the same bytes from a process of its own', async () => {
    const options = { steps: 1, batchSize: 2, maxSeqLength: 48 }
    await trainModel(at('model'), { train, dev: train }, { ...options, output: at('here') })
    const flags = ['--steps', '1', '--batch-size', '2', '--max-seq-length', '48']
    const { code, stderr } = await albertkit([
      ...['finetune', at('model'), '--train', train, '--dev', train, ...flags, '-o', at('apart')],
    ])
    expect(code, stderr).toBe(0)
    expect(hash(at('apart'))).toBe(hash(at('here')))
    expect(hash(at('apart'))).not.toBe(hash(at('model')))
    expect(readFileSync(at('apart/eval_results.txt'), 'utf8')).toBe(readFileSync(at('here/eval_results.txt'), 'utf8'))
  })

  it('saves at once when it is interrupted, in the middle of a step, and goes on from there', async () => {
    const args = ['finetune', at('model'), '--train', train, '--max-seq-length', '128', '-o', at('stopped')]
    const child = spawn(process.execPath, [BIN, ...args], { env: userEnv(), stdio: ['ignore', 'ignore', 'pipe'] })
    const closed = once(child, 'close') as Promise<[number | null]>
    let stderr = ''
    child.stderr.on('data', (text) => (stderr += String(text)))
    while (!stderr.includes(' steps with ')) await wait(50)
    await wait(2000)
    const start = performance.now()
    child.kill('SIGTERM')
    const [code] = await closed
    expect(code, stderr).toBe(143)
    // A step takes more than ten seconds. Weights and moments are 140 MB.
    expect(performance.now() - start).toBeLessThan(6000)
    expect(stderr).toMatch(/saved after step 0: --resume continues it\nerror: interrupted \(SIGTERM\)/)
    expect(readdirSync(at('stopped')).sort()).toEqual(['metrics.jsonl.part', STATE_FILE])
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import * as z from 'zod'
import { SCHEMAS } from '../../src/schemas/schemas.js'
import { albertkit } from '../helpers/run.js'
import { hasShared, SHARED, ZH_NEWS } from '../helpers/shared.js'

// What `finetune` prints for machines, held against docs/schemas, and its refusals.

const folder = mkdtempSync(join(tmpdir(), 'albertkit-finetune-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
const at = (name: string): string => join(folder, name)
const news = (name: string): string => join(ZH_NEWS, name)
const TRAIN = ['finetune', ZH_NEWS, '--train', news('train.tsv'), '--dev', news('dev.tsv'), '--max-seq-length', '32']

it('prints documents as the schemas say', async () => {
  const trained = await albertkit([...TRAIN, '--steps', '3', '--learning-rate', '1e-4', '-o', at('trained'), '--json'])
  expect([trained.code, z.parse(SCHEMAS.finetune, JSON.parse(trained.stdout))]).toMatchObject([
    0,
    { totalSteps: 3, bestStep: 3, diagnoses: [], exported: null },
  ])
  const graph = await albertkit(['finetune', ZH_NEWS, '--export-graph', at('graph'), '--json'])
  expect(z.parse(SCHEMAS['finetune-graph'], JSON.parse(graph.stdout))).toMatchObject({ classes: 10 })
  writeFileSync(at('grid.json'), '{"learningRate": [1e-4]}')
  const few = [...TRAIN, '--steps', '1', '--sweep', at('grid.json'), '-o', at('sweep'), '--json']
  const shard = await albertkit([...few, '--shard', '1/1'])
  expect([shard.code, z.parse(SCHEMAS.shard, JSON.parse(shard.stdout))]).toMatchObject([0, { command: 'finetune' }])
  const sweep = await albertkit(few)
  expect(z.parse(SCHEMAS['finetune-sweep'], JSON.parse(sweep.stdout))).toMatchObject({ shards: 1, best: { trial: 1 } })
  const merged = await albertkit(['merge', at('sweep'), '--json'])
  expect(z.parse(SCHEMAS.merge, JSON.parse(merged.stdout))).toEqual(JSON.parse(sweep.stdout))
})

it.skipIf(!hasShared)('takes steps on batches that are given', async () => {
  const from = join(SHARED, 'tf/train_step_zh')
  const batches = ['--batches', join(from, 'batches.safetensors'), '--recipe', join(from, 'train.json')]
  const { stdout } = await albertkit(['finetune', join(from, 'before.ckpt'), ...batches, '--steps', '2', '--json'])
  const report = z.parse(SCHEMAS['finetune-batches'], JSON.parse(stdout))
  expect(report).toMatchObject({ ok: true, output: null })
  expect((report as { steps: unknown[] }).steps).toHaveLength(2)
})

it.each([
  [['-o', 'there'], 'option-invalid', ['--learning-rate', '-1']],
  [['-o', 'there'], 'option-invalid', ['--metric', 'f1']],
  [['-o', 'there'], 'sequence-too-long', ['--max-seq-length', '4096']],
  [[], 'option-missing', []],
])('refuses what makes no run: %j', async (output, code, more) => {
  const place = output.map((one) => (one === 'there' ? at('refused') : one))
  const args = TRAIN.slice(0, -2)
  const result = await albertkit([...args, ...place, ...more, '--json'])
  expect([result.code, JSON.parse(result.stdout)]).toMatchObject([2, { error: { code } }])
})

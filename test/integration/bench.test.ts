import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { benchModel, type BenchReport } from '../../src/api/bench/bench.js'
import { convertModel } from '../../src/api/convert/convert.js'
import { benchText } from '../../src/report/text/bench.js'
import { hasVulkan } from '../helpers/gpu.js'
import { albertkit } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { benchSchema } from '../../src/schemas/bench.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-bench-api-'))
const out = join(folder, 'out')
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

it('measures every file of a directory, in every size that was asked for', async () => {
  await convertModel(ZH_NEWS, out, { targets: ['onnx'], dtypes: ['f32', 'int8'], verify: false })
  const report = await benchModel(out, { batches: [1, 2], lengths: [8], threads: [1, 2], runs: 3 })
  benchSchema.parse(report)
  expect(report.rows).toHaveLength(2 * 2 * 2)
  expect(new Set(report.rows.map(({ file }) => file))).toEqual(new Set(['onnx/model.onnx', 'onnx/model_int8.onnx']))
  for (const { p50, p90, tokensPerSecond, batch, length, load } of report.rows) {
    expect(p50).toBeGreaterThan(0)
    expect(p90).toBeGreaterThanOrEqual(p50)
    expect(tokensPerSecond).toBeCloseTo((1000 * batch * length) / p50)
    expect(load).toBeGreaterThan(0)
  }
  expect(benchText(report)).toContain('tokens/s')
})

it('each file has a separate process, so that none profits from what another loaded', async () => {
  const bench = (directory: string) =>
    albertkit(['bench', directory, '--batch', '1', '--length', '8', '--runs', '1', '--json'])
  const { code, stdout } = await bench(out)
  const { rows } = JSON.parse(stdout) as BenchReport
  expect([code, rows.length]).toEqual([0, 2])
  // onnxruntime alone takes more than that.
  for (const { memory } of rows) expect(memory).toBeGreaterThan(10)
  const broken = join(folder, 'broken')
  mkdirSync(join(broken, 'onnx'), { recursive: true })
  writeFileSync(join(broken, 'onnx/model.onnx'), 'no model')
  const refused = await bench(broken)
  expect([refused.code, JSON.parse(refused.stdout)]).toMatchObject([3, { error: { kind: 'malformed' } }])
})

it('lengths are those that the model has', async () => {
  const asked = { batches: [1], runs: 1 }
  await expect(benchModel(out, { ...asked, lengths: [129] })).rejects.toMatchObject({
    exitCode: 2,
    message: 'the model has 128 positions, but 129 tokens were requested',
  })
  const file = join(out, 'config.json')
  const config = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, JSON.stringify({ ...config, max_position_embeddings: 24 }))
  const { rows } = await benchModel(out, asked)
  writeFileSync(file, JSON.stringify(config))
  expect(new Set(rows.map(({ length }) => length))).toEqual(new Set([24]))
})

it('a software adapter is measured if it is allowed, and threads are counted if they are used', async () => {
  const asked = { batches: [1], lengths: [4], threads: [1, 2], runs: 1, runners: ['tfjs-webgpu'] }
  await convertModel(ZH_NEWS, join(folder, 'tfjs'), { targets: ['tfjs'], verify: false })
  if (!hasVulkan) return
  await expect(benchModel(join(folder, 'tfjs'), asked)).rejects.toMatchObject({ exitCode: 6 })
  const { rows } = await benchModel(join(folder, 'tfjs'), { ...asked, allowSoftware: true })
  expect(rows.map(({ threads }) => threads)).toEqual([1])
})

it('a directory without a model, and a runner that has nothing to run', async () => {
  await expect(benchModel(folder)).rejects.toMatchObject({ exitCode: 3 })
  await expect(benchModel(out, { runners: ['tfjs-wasm'] })).rejects.toMatchObject({ exitCode: 2 })
})

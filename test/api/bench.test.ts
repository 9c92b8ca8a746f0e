import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { benchModel } from '../../src/api/bench.js'
import { convertModel } from '../../src/api/convert.js'
import { benchText } from '../../src/report/bench.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { benchSchema } from '../report/schemas.js'

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

it('a directory without a model, and a runner that has nothing to run', async () => {
  await expect(benchModel(folder)).rejects.toMatchObject({ exitCode: 3 })
  await expect(benchModel(out, { runners: ['tfjs-wasm'] })).rejects.toMatchObject({ exitCode: 2 })
})

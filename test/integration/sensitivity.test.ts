import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openModel } from '../../src/api/open/open.js'
import { verifyModel, verifyOpened } from '../../src/api/verify/verify.js'
import { exportModel } from '../../src/export/export.js'
import type { ModelConfig } from '../../src/model/config.js'
import { ZH_NEWS } from '../helpers/shared.js'

// Proof that verification can say no: models that are wrong in one thing, as converters have got them wrong.

const folder = mkdtempSync(join(tmpdir(), 'albertkit-sensitivity-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const golden = join(ZH_NEWS, 'golden.safetensors')

/** The bundled model with its typed tree changed. */
async function wrong(change: (config: ModelConfig) => Partial<ModelConfig>) {
  const opened = await openModel(ZH_NEWS)
  const config = { ...opened.config, ...change(opened.config) }
  return { ...opened, config, model: { ...opened.model, config } }
}

it.each([
  ['an epsilon of 1e-5 instead of 1e-12', () => ({ layer_norm_eps: 1e-5 })],
  ['the erf form of GELU', () => ({ hidden_act: 'gelu_erf' as const })],
  ['pre-LN instead of post-LN', () => ({ norm_position: 'pre' as const })],
  ['twice the heads', (c: ModelConfig) => ({ num_attention_heads: c.num_attention_heads * 2 })],
  ['no mask', () => ({ mask_penalty: 0 })],
])('%s differs from the golden, and is found by artefacts too', async (name, change) => {
  const source = await wrong(change)
  const fromGolden = await verifyOpened(source, null, { golden })
  expect(fromGolden.ok).toBe(false)
  expect(fromGolden.comparisons.some((c) => !c.ok && c.output === 'sequence_output')).toBe(true)

  const directory = join(folder, name.replaceAll(' ', '-'))
  await exportModel(source.model, source.source, 'onnx', directory, { task: 'auto', allOutputs: false })
  const right = await openModel(ZH_NEWS)
  const report = await verifyOpened(right, directory, { layers: true })
  expect(report.ok).toBe(false)
  expect(report.weights.every((w) => w.ok)).toBe(true)
  expect(report.firstDivergent?.layer).toBe(name.includes('epsilon') ? -1 : 0)
})

it('a configuration with the wrong depth is refused or differs', async () => {
  const directory = join(folder, 'depth')
  cpSync(ZH_NEWS, directory, { recursive: true })
  const file = join(directory, 'albert_config.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace('"num_hidden_layers": 4', '"num_hidden_layers": 5'))
  expect((await verifyModel(directory, null, { golden })).ok).toBe(false)
})

it('without artefacts and golden the source runs in TensorFlow.js itself', async () => {
  const report = await verifyModel(ZH_NEWS, null)
  expect(report.ok).toBe(true)
  expect(new Set(report.comparisons.map((c) => c.runner))).toEqual(new Set(['tfjs-cpu', 'tfjs-wasm']))
})

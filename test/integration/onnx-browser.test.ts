import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openModel, type OpenedModel } from '../../src/api/open/open.js'
import { runnable } from '../../src/api/verify/artefacts.js'
import { exportModel } from '../../src/export/export.js'
import { artefactPath } from '../../src/base/artefact-layout.js'
import type { ExportOptions } from '../../src/export/options.js'
import { openRunner, type Runnable } from '../../src/runtime/runners.js'
import { drawInputs } from '../../src/compare/sample-inputs.js'
import { CHROMIUM } from '../helpers/gpu.js'
import { writeRandomModel, SMALL } from '../helpers/random-model.js'
import { expectWithin } from '../helpers/values.js'

/**
 * onnxruntime-web in a real browser, on WebAssembly and on WebGPU, runs every kind of ONNX file that is written, and
 * gives what onnxruntime-node gives.
 */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-onnx-browser-'))
let opened: OpenedModel
beforeAll(async () => {
  const model = join(folder, 'model')
  // Small, for adapters that a processor pretends to be.
  await writeRandomModel(model, 'google', { ...SMALL, groups: 2 }, 0.2)
  opened = await openModel(model)
})
afterAll(() => {
  opened.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Form {
  readonly name: string
  readonly options: Partial<ExportOptions>
  /** Against onnxruntime-node, relative to the largest value. */
  readonly bound: number
}
const FORMS: readonly Form[] = [
  { name: 'f32', options: {}, bound: 2e-5 },
  { name: 'f16', options: { precision: 'f16', externalData: true }, bound: 2e-5 },
  { name: 'int8', options: { precision: 'int8', externalData: true, opset: 20 }, bound: 5e-2 },
  { name: 'int8, weights only', options: { precision: 'int8', precisionOptions: { weightsOnly: true } }, bound: 2e-5 },
  { name: 'int4', options: { precision: 'int4' }, bound: 2e-5 },
]
const HALF: Form = { name: 'half', options: { precision: 'f16', halfCompute: true }, bound: 1e-2 }

async function fileOf({ name, options }: Form): Promise<string> {
  const dir = mkdtempSync(join(folder, 'form-'))
  await exportModel(opened.model, opened.source, 'onnx', dir, { task: 'auto', allOutputs: false, ...options })
  expect(name).not.toBe('')
  return join(dir, artefactPath('onnx', options.precision))
}

const SOFTWARE = { allowSoftware: true }

async function runIn(name: string, what: Runnable, wanted: 'outputs' | 'inner') {
  const runner = await openRunner(name, what, SOFTWARE)
  try {
    const names = wanted === 'outputs' ? runner.outputs : [...runner.marks, ...runner.inner]
    return { runner, values: await runner.run(drawInputs(opened.model, 3, 7, 1), names) }
  } finally {
    await runner.close()
  }
}

async function sameAsInNode(name: string, what: Runnable, bound: number, wanted: 'outputs' | 'inner' = 'outputs') {
  const { runner, values } = await runIn(name, what, wanted)
  const { values: expected } = await runIn('onnxruntime', what, wanted)
  expect(runner.detail).toMatch(/^Chromium .*, onnxruntime-web \d/)
  expect(runner.adapter?.software).toBe(name.endsWith('webgpu') ? true : undefined)
  expect([...values.keys()]).toEqual([...expected.keys()])
  for (const [output, value] of values) expectWithin(value, expected.get(output)!, bound, output)
  return [...values.keys()]
}

describe.skipIf(CHROMIUM === null)('in Chromium', { timeout: 120_000 }, () => {
  describe.each(['browser-ort-wasm', 'browser-ort-webgpu'])('%s', (runner) => {
    it.each(FORMS)('$name', async (form) => {
      const names = await sameAsInNode(runner, { file: await fileOf(form) }, form.bound)
      expect(names).toEqual(['last_hidden_state', 'pooler_output', 'prediction_logits', 'sop_logits'])
    })

    it('inner values, of a file that has its weights in another one', async () => {
      const file = await fileOf({ name: 'outside', options: { externalData: true, opset: 23 }, bound: 0 })
      const what = runnable(opened, join(file, '../..'), 'onnx', 'operations')
      const names = await sameAsInNode(runner, what, 2e-5, 'inner')
      expect(names).toEqual(expect.arrayContaining(['hidden_state_0', 'encoder/layer_1/ffn/normed']))
    })
  })

  it('computes in float16 on WebAssembly; an adapter without float16 is reported', async () => {
    const file = await fileOf(HALF)
    await sameAsInNode('browser-ort-wasm', { file }, HALF.bound)
    await expect(runIn('browser-ort-webgpu', { file }, 'outputs')).rejects.toMatchObject({
      exitCode: 6,
      message: expect.stringContaining('float16') as string,
      hint: expect.stringContaining('`halfCompute`') as string,
    })
  })
})

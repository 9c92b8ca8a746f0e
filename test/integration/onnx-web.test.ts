import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openModel, type OpenedModel } from '../../src/api/open/open.js'
import { exportModel } from '../../src/export/export.js'
import { artefactPath } from '../../src/base/artefact-layout.js'
import type { ExportOptions } from '../../src/export/options.js'
import { ALL_HEADS } from '../../src/model/tasks.js'
import { runReference } from '../../src/model/reference/run.js'
import { openOnnx } from '../../src/runtime/onnx/onnxruntime.js'
import type { NamedTensor } from '../../src/runtime/runner.js'
import { drawInputs } from '../../src/compare/sample-inputs.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { expectWithin } from '../helpers/values.js'

/** onnxruntime-web (WebAssembly) runs every kind of ONNX file that is written, and gives what onnxruntime-node gives. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-onnx-web-'))
let opened: OpenedModel
beforeAll(async () => {
  opened = await openModel(ZH_NEWS)
})
afterAll(() => {
  opened.close()
  rmSync(folder, { recursive: true, force: true })
})

type Outputs = ReadonlyMap<string, NamedTensor>
const inputs = () => drawInputs(opened.model, 3, 11, 1)

async function runIn(only: 'onnxruntime-node' | 'onnxruntime-web', file: string): Promise<Outputs> {
  const runner = await openOnnx(file, { only })
  try {
    expect(runner.detail).toContain(only)
    return await runner.run(inputs())
  } finally {
    await runner.close()
  }
}

const FORMS: [name: string, options: Partial<ExportOptions>, bound: number][] = [
  ['f32, opset 23', { opset: 23 }, 2e-5],
  ['f16', { precision: 'f16' }, 2e-5],
  ['f16, opset 20', { precision: 'f16', opset: 20 }, 2e-5],
  ['f16, computed with', { precision: 'f16', halfCompute: true }, 2e-2],
  ['weights in a file of their own', { externalData: true }, 2e-5],
  ['f16 in a file of its own', { precision: 'f16', externalData: true }, 2e-5],
  ['int8', { precision: 'int8' }, 5e-2],
  ['int8, weights only', { precision: 'int8', precisionOptions: { weightsOnly: true } }, 2e-5],
  [
    'int8, embeddings kept, opset 21',
    { precision: 'int8', opset: 21, precisionOptions: { keepEmbeddings: true } },
    5e-2,
  ],
  ['int4', { precision: 'int4' }, 2e-5],
  ['int4, opset 21', { precision: 'int4', opset: 21, externalData: true }, 2e-5],
]

it('inner values of a file whose weights are in another one, wherever the process runs', async () => {
  const dir = join(folder, 'inner')
  const options = { task: 'auto', allOutputs: false, externalData: true } as const
  await exportModel(opened.model, opened.source, 'onnx', dir, options)
  const expected = runReference(opened.model, opened.source, inputs(), ALL_HEADS).get('hidden_state_1')!
  for (const only of ['onnxruntime-node', 'onnxruntime-web'] as const) {
    const runner = await openOnnx(join(dir, 'onnx/model.onnx'), { only, marks: ['hidden_state_1'] })
    const { data } = (await runner.run(inputs(), ['hidden_state_1'])).get('hidden_state_1')!
    await runner.close()
    expect(data.reduce((most, x, i) => Math.max(most, Math.abs(x - expected.data[i]!)), 0)).toBeLessThan(1e-4)
  }
})

it.each(FORMS)('%s', async (name, options, bound) => {
  const dir = join(folder, name.replaceAll(/\W+/g, '-'))
  await exportModel(opened.model, opened.source, 'onnx', dir, { task: 'pretraining', allOutputs: false, ...options })
  const file = join(dir, artefactPath('onnx', options.precision))
  const [web, node] = [await runIn('onnxruntime-web', file), await runIn('onnxruntime-node', file)]
  expect([...web.keys()]).toEqual(['last_hidden_state', 'pooler_output', 'prediction_logits', 'sop_logits'])
  for (const [output, value] of web) expectWithin(value, node.get(output)!, bound, output)
})

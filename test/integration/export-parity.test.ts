import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { exportModel } from '../../src/export/export.js'
import { resolveTask } from '../../src/model/outputs.js'
import { ALL_HEADS, headsFor, type Task } from '../../src/model/tasks.js'
import { runReference } from '../../src/model/reference/run.js'
import {
  hasLiteRt,
  readModelJson,
  runLiteRt,
  runOnnx,
  runTfjs,
  someInputs,
  type Results,
} from '../helpers/run-artefact.js'
import { tinyModel, type TinyOptions } from '../helpers/tiny-model.js'

const scratch = mkdtempSync(join(tmpdir(), 'albertkit-parity-'))
afterAll(() => {
  rmSync(scratch, { recursive: true })
})

const CASES: [name: string, options: TinyOptions, task: Task][] = [
  ['google, shared, tied decoder', { family: 'google' }, 'pretraining'],
  ['google, inner groups', { family: 'google', inner: 2 }, 'classify'],
  ['zh, post-LN', { family: 'zh' }, 'pretraining'],
  ['zh, pre-LN, nothing shared', { family: 'zh', norm: 'pre', shared: false }, 'classify'],
  ['bert, nothing shared, erf', { family: 'bert', shared: false, activation: 'gelu_erf' }, 'pretraining'],
  ['hf, kernels stored [out, in]', { family: 'hf', layout: 'transposed' }, 'pretraining'],
  [
    'hf, two inner layers, [out, in], erf',
    { family: 'hf', layout: 'transposed', activation: 'gelu_erf', inner: 2 },
    'mlm',
  ],
  ['hf, relu', { family: 'hf', layout: 'transposed', activation: 'relu' }, 'classify'],
  ['hf, swish', { family: 'hf', activation: 'swish' }, 'sop'],
  ['bfloat16 source', { family: 'hf', layout: 'transposed', dtype: 'BF16' }, 'features'],
  ['float16 source', { family: 'zh', dtype: 'F16' }, 'mlm'],
]

function expectClose(results: Results, wanted: ReturnType<typeof runReference>, atol = 1e-5): void {
  expect(results.size).toBeGreaterThan(0)
  for (const [name, { dims, data }] of results) {
    const reference = wanted.get(name)
    expect([...dims], name).toEqual(reference?.shape)
    let worst = 0
    data.forEach((x, i) => (worst = Math.max(worst, Math.abs(x - (reference?.data[i] ?? NaN)))))
    expect(worst, name).toBeLessThan(atol)
  }
}

describe.each(CASES)('%s', (name, options, task) => {
  const { model, source } = tinyModel(options)
  const dir = join(scratch, name.replaceAll(/\W+/g, '-'))
  const inputs = [someInputs(1, 7, 37), someInputs(3, 20, 37), someInputs(2, 1, 37)]
  const heads = headsFor(resolveTask(model, task))

  it('ONNX on onnxruntime', async () => {
    const written = await exportModel(model, source, 'onnx', dir, { task, allOutputs: true })
    for (const each of inputs) {
      const results = await runOnnx(dir, each)
      expect([...results.keys()]).toEqual(written.outputs)
      expectClose(results, runReference(model, source, each, heads))
    }
  })

  it('tfjs on cpu and wasm', async () => {
    const written = await exportModel(model, source, 'tfjs', dir, { task, allOutputs: true })
    for (const backend of ['cpu', 'wasm'] as const) {
      for (const each of inputs) {
        const results = await runTfjs(dir, each, backend)
        expect([...results.keys()].sort()).toEqual([...written.outputs].sort())
        expectClose(results, runReference(model, source, each, heads))
      }
    }
  })

  it.skipIf(!hasLiteRt)('TensorFlow Lite on LiteRT, of any length and of one', async () => {
    for (const sequence of ['dynamic', 20] as const) {
      const at = join(dir, String(sequence))
      const written = await exportModel(model, source, 'tflite', at, { task, allOutputs: true, sequence })
      for (const each of sequence === 'dynamic' ? inputs : [someInputs(3, 20, 37)]) {
        const results = await runLiteRt(join(at, written.files[0]!.path), each)
        expect([...results.keys()]).toEqual(written.outputs)
        expectClose(results, runReference(model, source, each, heads))
      }
    }
  })
})

it.skipIf(!hasLiteRt)('LiteRT gives rows that are shorter than the file the same outputs', async () => {
  const { model, source } = tinyModel({ family: 'zh' })
  const dir = join(scratch, 'padded')
  const inputs = someInputs(3, 9, 37)
  const options = { task: 'pretraining', allOutputs: true, sequence: 16, batch: 2 } as const
  const { files } = await exportModel(model, source, 'tflite', dir, options)
  expectClose(await runLiteRt(join(dir, files[0]!.path), inputs), runReference(model, source, inputs, ALL_HEADS))
  await expect(runLiteRt(join(dir, files[0]!.path), someInputs(1, 17, 37))).rejects.toMatchObject({
    code: 'sequence-too-long',
  })
})

it('inner values can be fetched by the name that the forward pass gave them', async () => {
  const { model, source } = tinyModel({ family: 'google' })
  const dir = join(scratch, 'inner')
  const inputs = someInputs(2, 9, 37)
  const { marks } = await exportModel(model, source, 'tfjs', dir, { task: 'features', allOutputs: false })
  expect(readModelJson(dir).userDefinedMetadata.albertkit).toMatchObject({ marks })
  const results = await runTfjs(dir, inputs, 'cpu', Object.values(marks))
  const wanted = runReference(model, source, inputs, ALL_HEADS)
  expectClose(new Map(Object.entries(marks).map(([name, node]) => [name, results.get(node)!])), wanted)
  expect(Object.keys(marks)).toEqual([
    'embedding_output',
    'embedding_hidden_mapping_in',
    'hidden_state_0',
    'hidden_state_1',
    'hidden_state_2',
  ])
})

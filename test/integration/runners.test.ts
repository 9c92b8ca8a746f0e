import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openModel, type OpenedModel } from '../../src/api/open/open.js'
import { exportModel } from '../../src/export/export.js'
import { ALL_HEADS } from '../../src/model/tasks.js'
import { runReference } from '../../src/model/reference/run.js'
import { openOnnx } from '../../src/runtime/onnx/onnxruntime.js'
import type { Importer } from '../../src/runtime/onnx/packages.js'
import { openEngine } from '../../src/runtime/tfjs/tfjs-backend.js'
import { openEager } from '../../src/runtime/tfjs/tfjs-ops.js'
import { openTfjs } from '../../src/runtime/tfjs/tfjs.js'
import { drawInputs } from '../../src/compare/sample-inputs.js'
import { ZH_NEWS } from '../helpers/shared.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-runtime-'))
let opened: OpenedModel
beforeAll(async () => {
  opened = await openModel(ZH_NEWS)
  for (const target of ['onnx', 'tfjs'] as const)
    await exportModel(opened.model, opened.source, target, folder, { task: 'pretraining', allOutputs: false })
})
afterAll(() => {
  opened.close()
  rmSync(folder, { recursive: true, force: true })
})

const onnx = join(folder, 'onnx/model.onnx')
const tfjs = join(folder, 'tfjs/model.json')
const missing = (name: string): Error =>
  Object.assign(new Error(`Cannot find package ${name}`), { code: 'ERR_MODULE_NOT_FOUND' })

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  let worst = 0
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!))
  expect(actual.length).toBe(expected.length)
  expect(worst).toBeLessThan(2e-4) // batch sizes below four have no fully masked row
}

describe('onnxruntime', () => {
  const withoutNode: Importer = (name) =>
    name === 'onnxruntime-node' ? Promise.reject(missing(name)) : import('onnxruntime-web')

  it('runs on onnxruntime-web if onnxruntime-node is absent, inner values included', async () => {
    const inputs = drawInputs(opened.model, 2, 7, 1)
    const expected = runReference(opened.model, opened.source, inputs, ALL_HEADS)
    const runner = await openOnnx(onnx, { importer: withoutNode, marks: ['hidden_state_0', 'embedding_output'] })
    expect(runner.detail).toContain('onnxruntime-web')
    const values = await runner.run(inputs, [...runner.outputs, ...runner.marks])
    for (const name of ['hidden_state_0', 'embedding_output', 'last_hidden_state', 'prediction_logits', 'sop_logits'])
      expectClose(values.get(name)!.data, expected.get(name)!.data)
    await runner.close()
  })

  it('names the package to install if both are absent', async () => {
    const none: Importer = (name) => Promise.reject(missing(name))
    await expect(openOnnx(onnx, { importer: none })).rejects.toMatchObject({
      exitCode: 6,
      hint: expect.stringContaining('npm install') as string,
    })
  })

  it('a file that is not a model is malformed input', async () => {
    const file = join(folder, 'broken.onnx')
    writeFileSync(file, 'not a model')
    await expect(openOnnx(file)).rejects.toMatchObject({ exitCode: 3, place: { file } })
  })
})

describe('TensorFlow.js', () => {
  it.each(['cpu', 'wasm'] as const)(
    'on %s: graph model and eager agree with the reference, and leak nothing',
    async (backend) => {
      const inputs = drawInputs(opened.model, 3, 5, 2)
      const expected = runReference(opened.model, opened.source, inputs, ALL_HEADS)
      const tensorsOf = async (open: () => ReturnType<typeof openTfjs>) => {
        const runner = await open()
        const before = tf.memory().numTensors
        const values = await runner.run(inputs)
        await runner.run(inputs)
        for (const name of runner.outputs) expectClose(values.get(name)!.data, expected.get(name)!.data)
        expect(runner.outputs.length).toBeGreaterThanOrEqual(4)
        const grown = tf.memory().numTensors - before
        await runner.close()
        return grown
      }
      expect(await tensorsOf(async () => openTfjs(tfjs, await openEngine(backend)))).toBe(0)
      const base = tf.memory().numTensors
      await tensorsOf(async () => openEager(opened.model, opened.source, await openEngine(backend), ALL_HEADS))
      expect(tf.memory().numTensors).toBe(base)
    },
  )

  it('two runners on two backends live side by side', async () => {
    const inputs = drawInputs(opened.model, 1, 3, 3)
    const wasm = await openTfjs(tfjs, await openEngine('wasm'))
    const cpu = await openTfjs(tfjs, await openEngine('cpu'))
    const a = await wasm.run(inputs)
    const b = await cpu.run(inputs)
    expectClose(a.get('sop_logits')!.data, b.get('sop_logits')!.data)
    await wasm.close()
    await cpu.close()
  })

  it('a file that is not a model is malformed input', async () => {
    await expect(openTfjs(join(folder, 'absent.json'), await openEngine('cpu'))).rejects.toMatchObject({ exitCode: 3 })
  })
})

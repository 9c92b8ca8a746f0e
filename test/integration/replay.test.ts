import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openModel, type OpenedModel } from '../../src/api/open/open.js'
import { runnable } from '../../src/api/verify/artefacts.js'
import { exportModel } from '../../src/export/export.js'
import { innerNames } from '../../src/model/reference/inner-names.js'
import { ALL_HEADS, headsFor } from '../../src/model/tasks.js'
import type { GraphTarget } from '../../src/base/artefact-layout.js'
import { openRunner } from '../../src/runtime/runners.js'
import { drawInputs } from '../../src/compare/sample-inputs.js'
import { replay } from '../../src/compare/replay.js'
import { OPERATIONS, stageOf } from '../../src/compare/stages.js'
import { ZH_NEWS } from '../helpers/shared.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-replay-'))
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

const CASES: readonly (readonly [runner: string, kind: GraphTarget, directory: string | null])[] = [
  ['onnxruntime', 'onnx', folder],
  ['tfjs-wasm', 'tfjs', folder],
  ['tfjs-cpu', 'tfjs', folder],
  ['tfjs-wasm', 'tfjs', null],
]

it.each(CASES)('every operation can be fetched from %s (%s, %s), and is right by itself', async (name, kind, dir) => {
  const heads = dir === null ? ALL_HEADS : headsFor('pretraining')
  const inputs = drawInputs(opened.model, 4, 5, 1)
  const runner = await openRunner(name, runnable(opened, dir, kind, 'operations'))
  try {
    expect([...runner.inner].sort()).toEqual(innerNames(opened.model, heads).sort())
    const run = await runner.run(inputs, runner.inner)
    const bound = () => (l: number) => 3e-6 * Math.max(1, l)
    const { model, source } = opened
    const steps = replay({ model, source, inputs, heads, runner: name, run, bound })
    expect(steps.filter((s) => s.rows === undefined).map((s) => s.output)).toEqual(innerNames(opened.model, heads))
    expect(steps.filter((s) => !s.ok)).toEqual([])
  } finally {
    await runner.close()
  }
})

it('every operation has a stage', () => {
  const stages = innerNames(opened.model, ALL_HEADS).map(stageOf)
  expect(new Set(stages.map((s) => s.operation))).toEqual(new Set(OPERATIONS))
  expect(stages[0]).toEqual({ layer: -1, operation: 'embedding' })
  expect(stageOf('encoder/layer_3/inner_1/ffn/normed')).toEqual({ layer: 3, operation: 'LayerNorm' })
  expect(stageOf('pooler/activation')).toEqual({ layer: null, operation: 'head' })
})

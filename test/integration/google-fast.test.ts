import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { diffModels } from '../../src/api/diff/diff.js'
import { openModel } from '../../src/api/open/open.js'
import { writeTfModel } from '../../src/export/checkpoint/tf.js'
import { elementCount } from '../../src/formats/core/source.js'
import { readStored } from '../../src/model/tensors/read.js'
import { transpose } from '../../src/model/tensors/transpose.js'
import type { PlannedTensor } from '../../src/model/rewrite/translation.js'
import { writeRandomModel, type Shape } from '../helpers/random-model.js'

/** The feed-forward kernels of google_fast have their groups last or, in the first edition of the code, first. */

const out = mkdtempSync(join(tmpdir(), 'albertkit-fast-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})
const [last, first] = [join(out, 'last'), join(out, 'first')]
// As many channels a group as there are groups: the axis of groups is not visible in the shape of a kernel.
const SHAPE: Shape = {
  layers: 2,
  groups: 2,
  inner: 1,
  hidden: 256,
  embedding: 8,
  intermediate: 256,
  sharing: 'groups',
  preNorm: false,
  act: 'gelu_tanh',
  heads: ['mlm', 'sop'],
  pooler: true,
}

/** The same model as the first edition writes it. */
async function writeGroupsFirst(): Promise<void> {
  const opened = await openModel(last)
  const { source, model } = opened
  const tensors = [...source.tensors.values()].map((info): PlannedTensor => {
    const { name } = info
    const size = elementCount(info.shape)
    const stored = new Float32Array(size)
    const layout = 'as_is'
    readStored(
      source,
      { slot: '', variable: name, shape: info.shape, storedShape: info.shape, layout, dtype: 'F32' },
      0,
      stored,
    )
    const values = new Float32Array(size)
    const isKernel = info.shape.length === 3
    if (isKernel) transpose(stored, size / 16, 16, values)
    else values.set(stored)
    const [rows = 1, columns = 1] = info.shape
    const isBias = /ffn_1\/.*dense\/bias$/.test(name)
    const shape = isKernel ? [16, rows, columns] : isBias ? [16, rows / 16] : info.shape
    const fill = (start: number, target: Float32Array): void => {
      target.set(values.subarray(start, start + target.length))
    }
    return {
      name,
      slot: name,
      logicalShape: shape,
      shape,
      transposed: false,
      dtype: 'F32',
      origin: { kind: 'computed', fill },
    }
  })
  mkdirSync(first)
  const plan = { table: opened.identification.table, config: model.config, form: null, tensors, notes: [] }
  await writeTfModel(plan, source, first, readFileSync(join(last, 'albert_config.json'), 'utf8'), {})
  opened.close()
}

beforeAll(async () => {
  await writeRandomModel(last, 'google_fast', SHAPE, 0.1)
  await writeGroupsFirst()
})

it('both are recognised, and are the same model', async () => {
  const titles = await Promise.all(
    [last, first].map(async (path) => {
      const opened = await openModel(path)
      opened.close()
      return opened.identification.table.title
    }),
  )
  expect(titles).toEqual(['brightmart albert_zh, google_fast', 'brightmart albert_zh, google_fast, groups first'])
  expect(await diffModels(last, first)).toMatchObject({
    ok: true,
    counts: { differs: 0, shape: 0, onlyA: 0, onlyB: 0 },
  })
})

describe.each([last, first])('%s', (path) => {
  it.each(['onnx', 'tfjs'] as const)('comes back from %s as the later edition writes it', async (target) => {
    const name = path === last ? 'last' : 'first'
    const artefact = join(out, `${name} ${target}`)
    const back = join(out, `${name} ${target} back`)
    expect((await convertModel(path, artefact, { targets: [target], verify: false })).ok).toBe(true)
    expect((await diffModels(path, artefact)).ok).toBe(true)
    expect((await convertModel(artefact, back, { targets: ['tf'] })).ok).toBe(true)
    const opened = await openModel(join(back, 'tf'))
    opened.close()
    expect(opened.identification.table.title).toBe('brightmart albert_zh, google_fast')
    // The artefact has the pretraining heads, which are all that there are.
    expect((await diffModels(last, join(back, 'tf'))).ok).toBe(true)
  })
})

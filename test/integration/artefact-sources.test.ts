import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { openModel } from '../../src/api/open/open.js'
import type { AlbertkitError } from '../../src/base/errors.js'
import { describeShared, SHARED, ZH_NEWS } from '../helpers/shared.js'
import { weightsOf } from '../helpers/weights.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-artefacts-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0
const options = { verify: false }

async function comesBack(source: string, target: 'onnx' | 'tfjs'): Promise<void> {
  const [there, back] = [join(folder, String(made++)), join(folder, String(made++))]
  await convertModel(source, there, { ...options, targets: [target] })
  const original = await weightsOf(source)
  const artefact = await weightsOf(there)
  expect(artefact.size).toBeGreaterThan(20)
  for (const [slot, values] of artefact) expect(values, slot).toEqual(original.get(slot))
  const report = await convertModel(there, back, { targets: ['onnx'], task: 'features' })
  expect(report.ok).toBe(true)
}

const refusal = (path: string): Promise<AlbertkitError> =>
  openModel(path).then(
    () => {
      throw new Error('not refused')
    },
    (error: unknown) => error as AlbertkitError,
  )

describe.each(['onnx', 'tfjs'] as const)('an artefact as a source: %s', (target) => {
  it('has the weights of the bundled model, bit for bit', () => comesBack(ZH_NEWS, target))

  it('of another program is refused', async () => {
    const there = join(folder, String(made++))
    await convertModel(ZH_NEWS, there, { ...options, targets: [target] })
    const file = join(there, target, target === 'onnx' ? 'model.onnx' : 'model.json')
    // The word that its metadata have for the family, in as many letters.
    const text = readFileSync(file).toString('latin1').replace('family', 'Xamily')
    writeFileSync(file, Buffer.from(text, 'latin1'))
    const error = await refusal(there)
    expect([error.exitCode, error.message]).toEqual([4, expect.stringContaining('not written by albertkit')])
  })
})

describeShared('artefacts of other families', () => {
  it.each(
    [
      'tf/google_fast',
      'tf/google_per_layer_norm_groups',
      'tf/google_3d_kernels',
      'hf/albert_pretraining_g2i2',
      'hf/bert_pretraining',
      'hf/albert_tokcls',
      'hf/albert_mc',
    ].flatMap((name) => (['onnx', 'tfjs'] as const).map((target) => [name, target] as const)),
  )('%s as %s', (name, target) => comesBack(join(SHARED, name), target))
})

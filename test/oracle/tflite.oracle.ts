import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openModel } from '../../src/api/open/open.js'
import { drawInputs } from '../../src/compare/sample-inputs.js'
import { exportModel } from '../../src/export/export.js'
import { runReference } from '../../src/model/reference/run.js'
import { headsFor } from '../../src/model/tasks.js'
import { KINDS, SMALL, writeRandomModel } from '../helpers/random-model.js'
import { ask, TENSORFLOW } from './python.js'

/** TensorFlow Lite files of every family in TensorFlow's own interpreter and in LiteRT's. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-tflite-oracle-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Ran {
  readonly delegates: number
  readonly outputs: Readonly<Record<string, readonly number[]>>
}

describe.skipIf(TENSORFLOW === null).each(KINDS)('%s', (kind) => {
  it.each(['f32', 'f16'] as const)('%s gives what the reference gives, as one part of XNNPACK', async (precision) => {
    const path = join(folder, `${kind}-${precision}`.replaceAll(/\W/g, '-'))
    await writeRandomModel(path, kind, SMALL)
    const opened = await openModel(path)
    const { model, source } = opened
    const task = 'features'
    const inputs = drawInputs(model, 1, 8, 1)
    const options = { task, allOutputs: false, sequence: 8, precision } as const
    const { files } = await exportModel(model, source, 'tflite', join(path, 'out'), options)
    const { input_ids, attention_mask, token_type_ids } = inputs
    const rows = { input_ids, attention_mask, token_type_ids }
    const ran = ask(TENSORFLOW!, 'run_tflite.py', {
      file: join(path, 'out', files[0]!.path),
      inputs: Object.fromEntries(Object.entries(rows).map(([name, values]) => [name, [[...values]]])),
    }) as Record<string, Ran>
    const wanted = runReference(model, source, inputs, headsFor(task))
    for (const [interpreter, { delegates, outputs }] of Object.entries(ran)) {
      expect(delegates, interpreter).toBe(1)
      for (const [name, values] of Object.entries(outputs)) {
        const { data } = wanted.get(name)!
        const worst = values.reduce((most, x, i) => Math.max(most, Math.abs(x - data[i]!)), 0)
        expect(worst, `${interpreter} ${name}`).toBeLessThan(precision === 'f32' ? 1e-5 : 2e-2)
      }
    }
    opened.close()
  })
})

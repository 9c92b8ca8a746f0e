import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { artefactPath } from '../../src/base/artefact-layout.js'
import { convertModel } from '../../src/api/convert/convert.js'
import type { ConvertOptions } from '../../src/api/convert/options.js'
import { inspectModel } from '../../src/api/inspect/inspect.js'
import { openModel } from '../../src/api/open/open.js'
import { openRunner } from '../../src/runtime/runners.js'
import { drawInputs } from '../../src/compare/sample-inputs.js'
import { albertkit } from '../helpers/run.js'
import { describeShared, SHARED, ZH_NEWS } from '../helpers/shared.js'
import { weightsOf } from '../helpers/weights.js'

/** Artefacts whose weights are not float32, read as models. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-rounded-'))
const at = (...parts: string[]): string => join(folder, ...parts)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0

async function written(source: string, options: Partial<ConvertOptions>): Promise<string> {
  const directory = at(String(made++))
  await convertModel(source, directory, { targets: ['onnx'], task: 'features', verify: false, ...options })
  return directory
}

const FORMS: [name: string, options: Partial<ConvertOptions>, relative: number][] = [
  ['f16', { dtypes: ['f16'] }, 2 ** -11],
  ['f16, computed with', { dtypes: ['f16'], halfCompute: true }, 2 ** -11],
  ['f16, external data', { dtypes: ['f16'], externalData: true }, 2 ** -11],
  ['int8', { dtypes: ['int8'] }, 1 / 254],
  ['int8, weights only', { dtypes: ['int8'], weightsOnly: true }, 1 / 254],
  ['int8, embeddings kept', { dtypes: ['int8'], keepEmbeddings: true }, 1 / 254],
  ['int4', { dtypes: ['int4'] }, 1 / 14],
  ['int4, embeddings kept', { dtypes: ['int4'], keepEmbeddings: true }, 1 / 14],
  ['tfjs f16', { targets: ['tfjs'], dtypes: ['f16'] }, 2 ** -11],
  ['tfjs uint8', { targets: ['tfjs'], dtypes: ['uint8'] }, 1 / 255],
]

/** Each weight is within half a step of the largest of its tensor, and the model made of it gives what the file gives. */
async function comesBack(source: string, options: Partial<ConvertOptions>, relative: number): Promise<void> {
  const directory = await written(source, options)
  const [wanted, given] = [await weightsOf(source), await weightsOf(directory)]
  expect(given.size).toBeGreaterThan(10)
  let changed = 0
  for (const [slot, values] of given) {
    const exact = wanted.get(slot)!
    // Subnormal halfs have steps of 2⁻²⁴.
    const largest = exact.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
    const bound = Math.max(largest * relative * 1.01, relative === 2 ** -11 ? 2 ** -25 : 0)
    values.forEach((value, i) => {
      if (value !== exact[i]) changed++
      if (!(Math.abs(value - exact[i]!) <= bound)) expect(value, `${slot} ${i}`).toBe(exact[i])
    })
  }
  expect(changed).toBeGreaterThan(0)
  // Widened again and run, it gives the results of the file itself, if that rounds no activations.
  if (options.targets !== undefined || (options.dtypes?.[0] === 'int8' && options.weightsOnly !== true)) return
  if (options.halfCompute === true) return
  const wide = await written(directory, {})
  const opened = await openModel(source)
  const inputs = drawInputs(opened.model, 3, 7, 1)
  opened.close()
  const name = artefactPath('onnx', options.dtypes?.[0])
  const files = [join(directory, name), join(wide, 'onnx/model.onnx')]
  const [a, b] = await Promise.all(
    files.map(async (file) => {
      const runner = await openRunner('onnxruntime', { file })
      const outputs = await runner.run(inputs)
      await runner.close()
      return outputs.get('last_hidden_state')!.data
    }),
  )
  expect(a!.length).toBeGreaterThan(0)
  a!.forEach((value, i) => {
    if (Math.abs(value - b![i]!) > 1e-4) expect(value).toBe(b![i])
  })
}

describe('the bundled model', () => {
  it.each(FORMS)('in %s', (_, options, relative) => comesBack(ZH_NEWS, options, relative))

  it('inspect and predict read a directory that has nothing but int8, and its file', async () => {
    const directory = await written(ZH_NEWS, { dtypes: ['int8'], task: 'classify' })
    const file = join(directory, 'onnx/model_int8.onnx')
    for (const path of [directory, file]) {
      const report = await inspectModel(path)
      expect(report.family).toBe('zh')
      expect(report.notes.join()).toContain('model_int8.onnx: rounded to 8 bits')
      const { code, stdout } = await albertkit(['predict', path, join(ZH_NEWS, 'test.tsv'), '--format', 'tsv'])
      expect(code).toBe(0)
      const labels = stdout
        .trim()
        .split('\n')
        .map((line) => line.split('\t')[0])
      const given = readFileSync(join(ZH_NEWS, 'test.tsv'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split('\t')[0])
      expect(labels).toHaveLength(150)
      expect(Math.abs(labels.filter((label, i) => label === given[i]).length - 132)).toBeLessThanOrEqual(1)
    }
  })

  it('the most exact file of a directory is taken', async () => {
    const directory = await written(ZH_NEWS, { dtypes: ['int8', 'f16'] })
    expect((await inspectModel(directory)).notes.join()).toContain('model_fp16.onnx: rounded to halfs')
    const all = await written(ZH_NEWS, { dtypes: ['int8', 'f32'] })
    expect((await inspectModel(all)).notes.join()).not.toContain('rounded')
  })
})

describeShared('other families', () => {
  it.each(
    ['tf/google_fast', 'tf/google_3d_kernels', 'hf/albert_pretraining_g2i2', 'hf/bert_pretraining'].flatMap((name) =>
      FORMS.filter(([form]) => form === 'f16' || form.startsWith('int')).map(
        ([form, options, relative]) => [name, form, options, relative] as const,
      ),
    ),
  )('%s in %s', (name, _, options, relative) => comesBack(join(SHARED, name), options, relative))
})

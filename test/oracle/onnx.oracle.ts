import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import type { ConvertOptions } from '../../src/api/convert/options.js'
import { openModel } from '../../src/api/open/open.js'
import { resolveTask } from '../../src/model/outputs.js'
import { headsFor, type Task } from '../../src/model/tasks.js'
import { runReference, type ModelInputs } from '../../src/model/reference/run.js'
import { drawInputs } from '../../src/compare/sample-inputs.js'
import { writeRandomModel, type Kind, type Shape, SMALL } from '../helpers/random-model.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { ask, ONNX } from './python.js'

/** Every kind of ONNX file that is written, judged by the official package. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-onnx-oracle-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0
const fresh = (): string => join(folder, String(made++))

const SHAPE: Shape = SMALL

interface Checked {
  readonly error: string | null
  readonly opset: Readonly<Record<string, number>>
  readonly inferred: Readonly<Record<string, [type: string, dims: (string | number)[]]>>
  readonly declared: Checked['inferred']
  readonly inner: number
  readonly location: readonly string[]
  readonly outputs: Readonly<Record<string, [shape: number[], values: number[]]>>
}

const OPSETS = [17, 18, 19, 20, 21, 22, 23]
const FORMS: [name: string, options: Partial<ConvertOptions>, file: string, bound: number][] = [
  ...OPSETS.map((opset): [string, Partial<ConvertOptions>, string, number] => [
    `f32, opset ${opset}`,
    { opset },
    'model.onnx',
    1e-4,
  ]),
  ['f32, all outputs', { allOutputs: true }, 'model.onnx', 1e-4],
  ['f32, external data', { externalData: true }, 'model.onnx', 1e-4],
  ['f16', { dtypes: ['f16'] }, 'model_fp16.onnx', 2e-2],
  ['f16, opset 23', { dtypes: ['f16'], opset: 23 }, 'model_fp16.onnx', 2e-2],
  ['f16, external data', { dtypes: ['f16'], externalData: true }, 'model_fp16.onnx', 2e-2],
  ['f16, computed with', { dtypes: ['f16'], halfCompute: true }, 'model_fp16.onnx', 5e-2],
  ['f16, computed with, opset 20', { dtypes: ['f16'], halfCompute: true, opset: 20 }, 'model_fp16.onnx', 5e-2],
  ['int8', { dtypes: ['int8'] }, 'model_int8.onnx', 0.3],
  ['int8, opset 21', { dtypes: ['int8'], opset: 21 }, 'model_int8.onnx', 0.3],
  ['int8, external data', { dtypes: ['int8'], externalData: true }, 'model_int8.onnx', 0.3],
  ['int8, weights only', { dtypes: ['int8'], weightsOnly: true }, 'model_int8.onnx', 0.3],
  ['int8, embeddings kept', { dtypes: ['int8'], keepEmbeddings: true }, 'model_int8.onnx', 0.3],
]

/** Some forms, for models whose heads and layouts are what is new. */
const FEW = FORMS.filter(([name]) =>
  ['f32, opset 17', 'f32, opset 23', 'f16', 'f16, computed with', 'int8', 'int8, weights only'].includes(name),
)

const MODELS: [kind: Kind | 'bundled', shape: Partial<Shape>, task: Task, forms: typeof FORMS][] = [
  ['bundled', {}, 'classify', FORMS],
  ['zh', {}, 'pretraining', FORMS],
  ['zh', { sharing: 'none', preNorm: true, act: 'relu', heads: ['mlm'] }, 'mlm', FEW],
  ['google', { groups: 2, inner: 2 }, 'sop', FEW],
  ['google', { heads: ['classifier'] }, 'classify', FEW],
  ['google', { heads: ['token-classifier'], pooler: false }, 'token-classification', FEW],
  ['google', { heads: ['multiple-choice'] }, 'multiple-choice', FEW],
  ['google', { heads: ['qa'], pooler: false }, 'qa', FEW],
  ['google_fast', {}, 'features', FEW],
  ['bert', { act: 'swish' }, 'pretraining', FEW],
  ['hf albert', { act: 'gelu_erf', heads: ['mlm'], pooler: false }, 'mlm', FORMS],
  ['hf bert', { heads: ['mlm'], untied: true, pooler: false }, 'mlm', FEW],
]

/** `[rows, columns]`, or `[examples, choices, columns]`, as nested lists. */
function nested(values: Int32Array, { sequence, choices }: ModelInputs): unknown[] {
  const chunk = (list: readonly unknown[], size: number): unknown[] =>
    Array.from({ length: list.length / size }, (_, i) => list.slice(i * size, (i + 1) * size))
  const rows = chunk([...values], sequence)
  return choices === undefined ? rows : chunk(rows, choices)
}

describe.skipIf(ONNX === null)('the official package accepts and evaluates', () => {
  it.each(MODELS)('%s %j as %s', async (kind, shape, task, forms) => {
    let source = ZH_NEWS
    if (kind !== 'bundled') await writeRandomModel((source = fresh()), kind, { ...SHAPE, ...shape }, 0.2)
    const files: Record<string, string> = {}
    for (const [name, options, file] of forms) {
      const directory = fresh()
      const report = await convertModel(source, directory, { targets: ['onnx'], task, verify: false, ...options })
      expect(report.ok).toBe(true)
      files[name] = join(directory, 'onnx', file)
    }
    const opened = await openModel(source, { task })
    const drawn = drawInputs(opened.model, 3, 8, 5)
    const inputs = task === 'multiple-choice' ? { ...drawn, choices: 3 } : drawn
    const { input_ids, attention_mask, token_type_ids } = inputs
    const feeds = Object.fromEntries(
      Object.entries({ input_ids, attention_mask, token_type_ids }).map(([name, values]) => [
        name,
        nested(values, inputs),
      ]),
    )
    const checked = ask(ONNX!, 'check_onnx.py', { files, inputs: feeds }) as Record<string, Checked>
    const reference = runReference(opened.model, opened.source, inputs, headsFor(resolveTask(opened.model, task)))
    opened.close()
    for (const [name, options, file, bound] of forms) {
      const said = checked[name]!
      expect(said.error, name).toBeNull()
      expect(said.opset, name).toEqual({ '': options.opset ?? 17 })
      expect(said.location, name).toEqual(options.externalData === true ? [`${file}_data`] : [])
      // What is written of the outputs is what follows from the graph, and nothing is written of inner values.
      expect(said.inner, name).toBe(0)
      for (const [output, [type, dims]] of Object.entries(said.declared)) {
        const [inferredType, inferred] = said.inferred[output]!
        expect([type, inferredType], output).toEqual(['FLOAT', 'FLOAT'])
        expect(inferred.length, output).toBe(dims.length)
        dims.forEach((dim, i) => {
          // Symbols that inference makes up are any size.
          if (typeof inferred[i] === 'number' && inferred[i] !== 0) expect(inferred[i], output).toBe(dim)
        })
      }
      expect(Object.keys(said.outputs).length, name).toBeGreaterThan(0)
      for (const [output, [dims, values]] of Object.entries(said.outputs)) {
        const wanted = reference.get(output)!
        expect(dims, `${name} ${output}`).toEqual(wanted.shape)
        const largest = values.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted.data[i]!)), 0)
        const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
        expect(values.every(Number.isFinite), `${name} ${output}`).toBe(true)
        expect(largest / scale, `${name} ${output}`).toBeLessThanOrEqual(bound)
      }
    }
  })

  it('and refuses a file that was damaged', async () => {
    const directory = fresh()
    await convertModel(ZH_NEWS, directory, { targets: ['onnx'], verify: false })
    const path = join(directory, 'onnx/model.onnx')
    const bytes = readFileSync(path)
    const at = bytes.indexOf('LayerNormalization')
    bytes.write('LayerNormalizatiom', at)
    writeFileSync(path, bytes)
    const inputs = { input_ids: [[1]], attention_mask: [[1]], token_type_ids: [[0]] }
    const checked = ask(ONNX!, 'check_onnx.py', { files: { damaged: path }, inputs }) as Record<string, Checked>
    expect(checked.damaged?.error).toMatch(/LayerNormalizatiom/)
  })
})

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import type { ConvertOptions } from '../../src/api/convert/options.js'
import { openModel } from '../../src/api/open/open.js'
import { readAll } from '../../src/formats/core/source.js'
import { ALL_HEADS } from '../../src/model/tasks.js'
import { runReference, type ModelInputs } from '../../src/model/reference/run.js'
import { drawInputs } from '../../src/compare/sample-inputs.js'
import { writeRandomModel, type Kind, type Shape, SMALL } from '../helpers/random-model.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { ask, TENSORFLOW, TRANSFORMERS } from './python.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-oracle-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0
const fresh = (): string => join(folder, String(made++))

const SHAPE: Shape = { ...SMALL, layers: 4, groups: 2, inner: 2 }

/** A random model of that kind, or the bundled one. */
async function makeSource(kind: Kind | 'bundled', shape: Partial<Shape>): Promise<string> {
  if (kind === 'bundled') return ZH_NEWS
  const directory = fresh()
  await writeRandomModel(directory, kind, { ...SHAPE, ...shape }, 0.2)
  return directory
}

async function convert(
  source: string,
  options: Pick<ConvertOptions, 'targets' | 'targetArchitecture' | 'dtypes'>,
): Promise<string> {
  const directory = fresh()
  // What rounding does to the answers of random models is not asked here.
  expect((await convertModel(source, directory, { minAgreement: 0, ...options })).ok).toBe(true)
  return directory
}

/** `[rows, columns]`, or `[examples, choices, columns]`, as nested lists. */
function nested(values: Int32Array, { sequence, choices }: ModelInputs): unknown[] {
  const chunk = (list: readonly unknown[], size: number): unknown[] =>
    Array.from({ length: list.length / size }, (_, i) => list.slice(i * size, (i + 1) * size))
  const rows = chunk([...values], sequence)
  return choices === undefined ? rows : chunk(rows, choices)
}

interface Answer {
  readonly outputs: Readonly<Record<string, [shape: number[], values: number[]]>>
}

/** Runs the source in the float64 reference and `script` on what was written; every output of the script is compared. */
async function compareOutputs(source: string, program: string, script: string, directory: string): Promise<Answer> {
  const opened = await openModel(source)
  try {
    const drawn = drawInputs(opened.model, 3, 8, 5)
    const inputs = opened.model.classifier?.kind === 'choice' ? { ...drawn, choices: 3 } : drawn
    const { input_ids, attention_mask, token_type_ids } = inputs
    const request = Object.fromEntries(
      Object.entries({ input_ids, attention_mask, token_type_ids }).map(([name, values]) => [
        name,
        nested(values, inputs),
      ]),
    )
    const answer = ask(program, script, { directory, inputs: request }) as Answer
    const reference = runReference(opened.model, opened.source, inputs, ALL_HEADS)
    for (const [name, [shape, values]] of Object.entries(answer.outputs)) {
      const expected = reference.get(name)
      expect(expected?.shape, name).toEqual(shape)
      const largest = values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected!.data[i]!)), 0)
      const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
      expect(largest, name).toBeLessThanOrEqual(1e-5 * scale)
    }
    return answer
  } finally {
    opened.close()
  }
}

describe.skipIf(TENSORFLOW === null)('TensorFlow reads the checkpoint that --to tf writes', () => {
  it.each<[Kind | 'bundled', Partial<Shape>]>([
    ['bundled', {}],
    ['zh', {}],
    ['zh', { sharing: 'none', act: 'relu' }],
    ['google', {}],
    ['google', { embedding: 32 }],
    ['bert', {}],
    ['hf albert', {}],
    ['hf bert', { heads: ['mlm'] }],
  ])('%s %j', async (kind, shape) => {
    const source = await makeSource(kind, shape)
    const directory = join(await convert(source, { targets: ['tf'] }), 'tf')
    const answer = (await compareOutputs(source, TENSORFLOW!, 'run_tensorflow.py', directory)) as Answer & {
      variables: Record<string, unknown>
    }
    expect(Object.keys(answer.outputs).sort()).toEqual(['last_hidden_state', 'pooler_output'])
    const written = await openModel(directory)
    const ours = [...written.source.tensors.values()].map(({ name, shape: dims }) => {
      const sha256 = createHash('sha256').update(readAll(written.source, name)).digest('hex')
      return [name, ['float32', [...dims], sha256]]
    })
    written.close()
    expect(answer.variables).toEqual(Object.fromEntries(ours))
  })
})

describe.skipIf(TENSORFLOW === null)('TensorFlow loads and runs the graph that --to tfjs writes', () => {
  it.each<[Kind | 'bundled', Partial<Shape>]>([
    ['bundled', {}],
    ['zh', {}],
    ['zh', { sharing: 'none', act: 'gelu_erf', preNorm: true }],
    ['google', {}],
    ['google', { embedding: 32, heads: ['classifier'], act: 'relu' }],
    ['google', { heads: ['multiple-choice'] }],
    ['google', { heads: ['qa'], pooler: false }],
    ['google', { heads: ['token-classifier'], pooler: false }],
    ['google_fast', {}],
    ['own norms', {}],
    ['bert', {}],
    ['hf albert', { act: 'gelu_erf' }],
    ['hf bert', {}],
    ['hf bert', { heads: ['mlm'], untied: true, pooler: false }],
  ])('%s %j', async (kind, shape) => {
    const source = await makeSource(kind, shape)
    const directory = fresh()
    const report = await convertModel(source, directory, { targets: ['tfjs'], allOutputs: true, verify: false })
    const answer = await compareOutputs(source, TENSORFLOW!, 'run_graph.py', join(directory, 'tfjs'))
    expect(Object.keys(answer.outputs).sort()).toEqual([...report.artefacts[0]!.outputs].sort())
  })
})

describe.skipIf(TRANSFORMERS === null)('transformers loads and runs what --to safetensors writes', () => {
  const outputs = {
    features: ['last_hidden_state', 'pooler_output'],
    pretraining: ['last_hidden_state', 'prediction_logits', 'sop_logits'],
    mlm: ['last_hidden_state', 'prediction_logits'],
    logits: ['last_hidden_state', 'logits'],
    qa: ['end_logits', 'last_hidden_state', 'start_logits'],
  }
  it.each<[Kind | 'bundled', Partial<Shape>, ConvertOptions['targetArchitecture'], string, string[]]>([
    ['bundled', {}, 'bert', 'BertForSequenceClassification', outputs.logits],
    ['bundled', {}, 'albert', 'AlbertForSequenceClassification', outputs.logits],
    ['zh', { sharing: 'ffn' }, 'bert', 'BertForPreTraining', outputs.pretraining],
    ['zh', { heads: [] }, 'albert', 'AlbertModel', outputs.features],
    ['google', {}, undefined, 'AlbertForPreTraining', outputs.pretraining],
    ['google', { embedding: 32, act: 'relu' }, undefined, 'AlbertForPreTraining', outputs.pretraining],
    ['google', { embedding: 32, heads: ['classifier'] }, 'bert', 'BertForSequenceClassification', outputs.logits],
    [
      'google',
      { heads: ['token-classifier'], pooler: false },
      undefined,
      'AlbertForTokenClassification',
      outputs.logits,
    ],
    ['google', { heads: ['qa'], pooler: false }, undefined, 'AlbertForQuestionAnswering', outputs.qa],
    ['google', { heads: ['multiple-choice'] }, undefined, 'AlbertForMultipleChoice', ['last_hidden_state', 'logits']],
    ['google_fast', {}, 'albert', 'AlbertForPreTraining', outputs.pretraining],
    ['google_fast', { embedding: 32 }, 'bert', 'BertForPreTraining', outputs.pretraining],
    ['google', { layers: 3 }, 'albert', 'AlbertForPreTraining', outputs.pretraining],
    ['google_fast', { layers: 3, groups: 1, inner: 1 }, 'albert', 'AlbertForPreTraining', outputs.pretraining],
    ['own norms', {}, 'albert', 'AlbertForPreTraining', outputs.pretraining],
    ['bert', {}, undefined, 'BertForPreTraining', outputs.pretraining],
    ['bert', { heads: [] }, undefined, 'BertModel', outputs.features],
    ['hf albert', { act: 'gelu_erf', heads: ['mlm'], pooler: false }, undefined, 'AlbertForMaskedLM', outputs.mlm],
    ['hf bert', { heads: ['mlm'], untied: true, pooler: false }, undefined, 'BertForMaskedLM', outputs.mlm],
  ])('%s %j --as %s', async (kind, shape, as, architecture, names) => {
    const source = await makeSource(kind, shape)
    const directory = await convert(source, {
      targets: ['safetensors'],
      ...(as === undefined ? {} : { targetArchitecture: as }),
    })
    const answer = (await compareOutputs(source, TRANSFORMERS!, 'run_transformers.py', directory)) as Answer & {
      class: string
      missing: string[]
      unexpected: string[]
    }
    expect([answer.class, answer.missing]).toEqual([architecture, []])
    // The bundled model has a masked-token head beside the classifier, which its class leaves alone.
    if (kind !== 'bundled') expect(answer.unexpected).toEqual([])
    expect(Object.keys(answer.outputs).sort()).toEqual(names)
  })
  it.each<[Kind | 'bundled', ConvertOptions['targetArchitecture'], 'f16' | 'bf16' | 'f32', string]>([
    ['bundled', 'bert', 'f16', 'torch.float16'],
    ['bundled', 'albert', 'bf16', 'torch.bfloat16'],
    ['google', undefined, 'f16', 'torch.float16'],
    ['google', undefined, 'bf16', 'torch.bfloat16'],
    ['google', undefined, 'f32', 'torch.float32'],
    ['bert', undefined, 'f16', 'torch.float16'],
  ])('%s --as %s --dtype %s', async (kind, as, dtype, name) => {
    const source = await makeSource(kind, {})
    const directory = await convert(source, {
      targets: ['safetensors'],
      dtypes: [dtype],
      ...(as === undefined ? {} : { targetArchitecture: as }),
    })
    // The reference runs with the same rounded weights.
    const answer = (await compareOutputs(directory, TRANSFORMERS!, 'run_transformers.py', directory)) as Answer & {
      dtype: string
      missing: string[]
    }
    expect([answer.dtype, answer.missing]).toEqual([name, []])
  })
})

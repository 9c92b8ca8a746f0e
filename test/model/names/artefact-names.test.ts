import { describe, expect, it } from 'vitest'
import type { Parameter } from '../../../src/model/albert.js'
import {
  artefactForm,
  fixedLengthOf,
  identifyArtefact,
  isArtefact,
  layoutsOf,
} from '../../../src/model/names/artefact-names.js'
import { identify } from '../../../src/model/names/identify.js'
import { errorOf, namedSource, tableOf, type Shapes, type SourceOptions } from '../../helpers/named-source.js'
import { parametersOf } from '../../../src/model/tensors/read.js'
import { tinyModel } from '../../helpers/tiny-model.js'

const QUERY = 'encoder/group_0/inner_group_0/attention/query/kernel'
const NORM = 'encoder/group_0/inner_group_0/ffn/LayerNorm/beta'
const POSITIONS = 'embeddings/position_embeddings'

const artefact = (format: string, shapes: Shapes, metadata?: Record<string, string>, more: SourceOptions = {}) =>
  namedSource(shapes, { ...more, format, ...(metadata === undefined ? {} : { metadata }) })

it('artefacts are the formats that albertkit writes graphs in', () => {
  const formats = ['onnx', 'tfjs', 'tflite', 'safetensors', 'constructor']
  expect(formats.filter((format) => isArtefact(artefact(format, {})))).toEqual(['onnx', 'tfjs', 'tflite'])
})

describe('the layouts in the metadata', () => {
  it('are those of slots that are not in the logical order, once for all layers', () => {
    const slots = JSON.parse(
      layoutsOf(parametersOf(tinyModel({ layout: 'transposed', shared: false }).model)),
    ) as object
    const scope = 'encoder/layer_{l}'
    expect(Object.entries(slots).sort()).toEqual(
      [
        ...[
          'attention/query',
          'attention/key',
          'attention/value',
          'attention/output',
          'ffn/intermediate',
          'ffn/output',
        ].map((name) => `${scope}/${name}/kernel`),
        'encoder/embedding_hidden_mapping_in/kernel',
        'mlm/transform/dense/kernel',
        'pooler/dense/kernel',
      ]
        .map((slot) => [slot, 'transposed'])
        .sort(),
    )
    expect(layoutsOf(parametersOf(tinyModel().model))).toBe('{}')
  })
})

describe('a fixed length', () => {
  it.each<[Record<string, string> | undefined, number | null]>([
    [{ sequence: '16' }, 16],
    [{ sequence: '15' }, null],
    [{ sequence: '16.0' }, null],
    [{}, null],
    [undefined, null],
  ])('of %j with a table of 16 rows is %s', (metadata, expected) => {
    expect(fixedLengthOf(artefact('onnx', { [POSITIONS]: [16, 4] }, metadata))).toBe(expected)
  })

  it('is none without a table', () => {
    expect(fixedLengthOf(artefact('onnx', {}, { sequence: 'undefined' }))).toBeNull()
  })
})

describe('the order of the elements', () => {
  const source = artefact(
    'onnx',
    { [POSITIONS]: [6, 4] },
    {
      sequence: '6',
      layouts: '{"pooler/dense/kernel":"transposed","encoder/layer_{l}/ffn/output/kernel":"as_is","x":"odd"}',
    },
  )
  const positions: Parameter = {
    slot: POSITIONS,
    variable: 'p',
    shape: [20, 4],
    storedShape: [20, 4],
    layout: 'as_is',
    dtype: 'F32',
  }
  const form = (from = source) => {
    const named = artefactForm(from, 'named')
    if (typeof named === 'string') throw new Error(named)
    return named
  }

  it('is stored or logical if asked', () => {
    expect([artefactForm(source, 'stored'), artefactForm(source, 'logical')]).toEqual(['stored', 'logical'])
  })

  it('is else what the metadata say', () => {
    const slots = ['pooler/dense/kernel', 'encoder/layer_3/ffn/output/kernel', 'x', 'mlm/output_bias']
    expect(slots.map((slot) => form().layoutOf(slot))).toEqual(['transposed', 'as_is', 'as_is', 'as_is'])
    const layered = artefact('onnx', {}, { layouts: '{"encoder/layer_{l}/ffn/output/kernel":"transposed"}' })
    expect(form(layered).layoutOf('encoder/layer_3/ffn/output/kernel')).toBe('transposed')
    for (const layouts of ['{', 'null', '[]', '5'])
      expect(form(artefact('onnx', {}, { layouts })).layoutOf('pooler/dense/kernel')).toBe('as_is')
    // A file with matrices in blocks, whatever its target.
    const blocks = artefactForm(artefact('onnx', {}, { blocks: '{}', layouts: '{"x":"grouped"}' }), 'stored')
    expect(typeof blocks === 'string' ? blocks : blocks.layoutOf('x')).toBe('grouped')
    expect(form(artefact('onnx', {})).layoutOf('pooler/dense/kernel')).toBe('as_is')
  })

  it('cuts the table of positions to the rows of the file', () => {
    expect(form().cut(positions)).toEqual({ ...positions, shape: [6, 4], storedShape: [6, 4] })
    const exact = { ...positions, shape: [6, 4], storedShape: [6, 4] }
    expect(form().cut(exact)).toEqual(exact)
    for (const other of [
      { ...positions, slot: 'embeddings/token_type_embeddings' },
      { ...positions, shape: [5, 4] },
      { ...positions, shape: [] },
      { ...positions, layout: 'transposed' as const },
    ])
      expect(form().cut(other)).toBe(other)
    expect(form(artefact('onnx', { [POSITIONS]: [6, 4] })).cut(positions)).toBe(positions)
  })
})

describe('the weights of an artefact', () => {
  it('are named by slots, the others are constants of the graph', () => {
    const source = artefact(
      'onnx',
      { [QUERY]: [8, 8], [NORM]: [8], 'mlm/output_bias': [11], 'shape/const': [4] },
      { family: 'google' },
      { dtypes: { 'mlm/output_bias': 'I8' } },
    )
    const found = identifyArtefact(source)
    expect([...found.mapped.keys()]).toEqual([QUERY, NORM])
    expect(found.mapped.get(QUERY)).toEqual({
      slot: QUERY,
      variable: QUERY,
      prefix: '',
      indices: { g: 0, j: 0 },
      row: {
        slot: 'encoder/group_{g}/inner_group_{j}/attention/query/kernel',
        name: 'encoder/group_{g}/inner_group_{j}/attention/query/kernel',
        dims: ['H', 'A'],
        layout: 'as_is',
        prefixed: false,
      },
    })
    expect(found.skipped).toEqual([
      { variable: 'mlm/output_bias', reason: 'I8 weight' },
      { variable: 'shape/const', reason: 'constant of the graph' },
    ])
    expect(found.unknown).toEqual([])
    expect(found.reason).toBe(
      'the file says that albertkit wrote it from google-research ALBERT; 2 weights are named by their slots',
    )
    expect(found.table).toMatchObject({ family: 'google', prefixes: [''], spellings: [], skipped: [] })
    expect(found.table).not.toHaveProperty('scoped')
    expect(identify(source)).toEqual(found)
  })

  it.each<[string, string, string, string, 'albert' | 'bert']>([
    ['onnx', 'hf', QUERY, 'ONNX of Hugging Face ALBERT', 'albert'],
    ['tflite', 'hf', 'encoder/layer_13/attention/query/kernel', 'TensorFlow Lite of Hugging Face BERT', 'bert'],
    ['tfjs', 'google', NORM, 'tfjs of google-research ALBERT', 'albert'],
    [
      'onnx',
      'google',
      'encoder/layer_3/inner_group_0/ffn/LayerNorm/beta',
      'ONNX of google-research ALBERT with a LayerNorm for every layer',
      'albert',
    ],
    ['onnx', 'google', 'sop/pooler/dense/kernel', 'ONNX of tf-models ALBERT (Keras, TF-Hub)', 'albert'],
    ['tfjs', 'bert', 'encoder/layer_3/attention/query/kernel', 'tfjs of google-research BERT', 'bert'],
    ['tfjs', 'zh', 'encoder/layer_3/attention/query/kernel', 'tfjs of brightmart albert_zh', 'albert'],
    ['onnx', 'zh', 'encoder/shared/attention/query/kernel', 'ONNX of brightmart albert_zh', 'albert'],
  ])('%s, %s with %s is %s', (format, family, variable, title, architecture) => {
    const { table, mapped } = identifyArtefact(
      artefact(format, { 'pooler/dense/bias': [8], [variable]: [8, 8] }, { family }),
    )
    expect([table.title, table.architecture]).toEqual([title, architecture])
    expect([...mapped.keys()]).toEqual(['pooler/dense/bias', variable])
  })

  it.each<[string, string | undefined, string]>([
    ['onnx', undefined, 'transposed'],
    ['onnx', '{}', 'as_is'],
    ['onnx', '{"encoder/group_{g}/inner_group_{j}/attention/query/kernel":"transposed"}', 'transposed'],
    ['onnx', '{"pooler/dense/kernel":"transposed"}', 'as_is'],
    ['onnx', '{"encoder/group_{g}/inner_group_{j}/attention/query/kernel":"sideways"}', 'as_is'],
    ['tfjs', undefined, 'as_is'],
    ['tfjs', '{"encoder/group_{g}/inner_group_{j}/attention/query/kernel":"transposed"}', 'as_is'],
    ['tflite', undefined, 'transposed'],
  ])('of transformers in %s with the layouts %s are stored %s', (format, layouts, expected) => {
    const metadata = { family: 'hf', ...(layouts === undefined ? {} : { layouts }) }
    const { mapped } = identifyArtefact(artefact(format, { [QUERY]: [8, 8] }, metadata))
    expect(mapped.get(QUERY)?.row.layout).toBe(expected)
  })

  it('of google_fast in the logical order have the groups first', () => {
    const kernel = 'encoder/group_0/inner_group_0/ffn/intermediate/kernel'
    const output = kernel.replace('intermediate', 'output')
    const rowsIn = (metadata: Record<string, string>) => {
      const { mapped } = identifyArtefact(
        artefact('onnx', { [kernel]: [16, 2, 3], [output]: [16, 3, 2] }, { family: 'google_fast', ...metadata }),
      )
      return [kernel, output].map((slot) => [mapped.get(slot)?.row.layout, mapped.get(slot)?.row.dims])
    }
    expect(rowsIn({ layouts: '{}' })).toEqual([
      ['as_is', ['16', 'H/16', 'I/16']],
      ['as_is', ['16', 'I/16', 'H/16']],
    ])
    expect(rowsIn({})).toEqual([
      ['grouped', ['H', 'I']],
      ['grouped', ['I', 'H']],
    ])
  })

  it('that do not name their parameters are of others', () => {
    const refused = (format: string, metadata?: Record<string, string>) =>
      errorOf(() => identify(artefact(format, { 'onnx::MatMul_12': [8, 8] }, metadata)))
    const expected = {
      kind: 'unsupported',
      code: 'source-foreign',
      message: 'the ONNX model was not written by albertkit: its weights do not name their parameters',
      file: 'weights',
      hint: 'convert the model that it was exported from',
    }
    expect(refused('onnx')).toEqual(expected)
    expect(refused('onnx', { family: 'other' })).toEqual(expected)
    expect(refused('tflite').message).toMatch(/^the TensorFlow Lite model/)
    const nameless = { ...artefact('onnx', {}), files: [] }
    expect(errorOf(() => identifyArtefact(nameless))).not.toHaveProperty('file')
  })

  it('have the slots of every way that a family names its layers', () => {
    const { table } = identifyArtefact(artefact('onnx', { 'pooler/dense/bias': [8] }, { family: 'google' }))
    const slots = new Set(table.rows.map(({ slot }) => slot))
    expect(slots.size).toBe(table.rows.length)
    const PER_LAYER = tableOf('google-research ALBERT with a LayerNorm for every layer')
    const KERAS = tableOf('tf-models ALBERT (Keras, TF-Hub)')
    for (const { slot } of [...PER_LAYER.rows, ...KERAS.rows]) expect(slots).toContain(slot)
  })
})

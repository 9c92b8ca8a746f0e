import { describe, expect, it } from 'vitest'
import type { DType } from '../../../src/formats/core/source.js'
import type { AlbertModel, Parameter } from '../../../src/model/albert.js'
import { parseConfig, type ModelConfig } from '../../../src/model/config.js'
import { hasLayerNorms, planModel } from '../../../src/model/load/build.js'
import { identify } from '../../../src/model/names/identify.js'
import { parametersOf } from '../../../src/model/tensors/read.js'
import { fieldsOf, modelShapes, namedSource } from '../../helpers/named-source.js'
import { plannedModel, type PlanOptions } from '../../helpers/planned-model.js'

/** The slots of a part of the tree, in its own shape. */
const slotsIn = (part: unknown): string[] => [...parametersOf(part)].map(({ slot }) => slot)

const EMBEDDINGS = [
  'embeddings/word_embeddings',
  'embeddings/position_embeddings',
  'embeddings/token_type_embeddings',
  'embeddings/LayerNorm/gamma',
  'embeddings/LayerNorm/beta',
]
const MAPPING = ['encoder/embedding_hidden_mapping_in/kernel', 'encoder/embedding_hidden_mapping_in/bias']

/** Slots of a layer in the order of the forward pass. */
const layer = (attention: string, ffn = attention, norms = { attention, ffn }): string[] => [
  ...['query', 'key', 'value', 'output'].flatMap((name) =>
    ['kernel', 'bias'].map((leaf) => `encoder/${attention}/attention/${name}/${leaf}`),
  ),
  `encoder/${norms.attention}/attention/LayerNorm/gamma`,
  `encoder/${norms.attention}/attention/LayerNorm/beta`,
  ...['intermediate', 'output'].flatMap((name) =>
    ['kernel', 'bias'].map((leaf) => `encoder/${ffn}/ffn/${name}/${leaf}`),
  ),
  `encoder/${norms.ffn}/ffn/LayerNorm/gamma`,
  `encoder/${norms.ffn}/ffn/LayerNorm/beta`,
]
/** Layers of a model: the slots of each inner layer. */
const layersOf = ({ layers }: AlbertModel): string[][][] => layers.map((inner) => inner.map((block) => slotsIn(block)))

describe('the tree of a model', () => {
  it.each<[string, PlanOptions, string[][][], string[]]>([
    ['google-research BERT', { sizes: { E: 8 } }, [[layer('layer_0')], [layer('layer_1')]], EMBEDDINGS],
    ['Hugging Face BERT', { sizes: { E: 8, layers: 1 } }, [[layer('layer_0')]], EMBEDDINGS],
    [
      'brightmart albert_zh',
      {},
      [[layer('shared')], [layer('shared')]],
      ['embeddings/word_embeddings', 'embeddings/word_embeddings_2', ...EMBEDDINGS.slice(1)],
    ],
    [
      'brightmart albert_zh',
      { apart: true },
      [[layer('layer_0')], [layer('layer_1')]],
      ['embeddings/word_embeddings', 'embeddings/word_embeddings_2', ...EMBEDDINGS.slice(1)],
    ],
    [
      'google-research ALBERT',
      { sizes: { groups: 2, inner: 2, layers: 4 } },
      [0, 0, 1, 1].map((g) => [0, 1].map((j) => layer(`group_${g}/inner_group_${j}`))),
      [...EMBEDDINGS, ...MAPPING],
    ],
    [
      'google-research ALBERT with a LayerNorm for every layer',
      { sizes: { inner: 2 } },
      [0, 1].map((l) =>
        [0, 1].map((j) => {
          const own = `layer_${l}/inner_group_${j}`
          return layer(`group_0/inner_group_${j}`, undefined, { attention: own, ffn: own })
        }),
      ),
      [...EMBEDDINGS, ...MAPPING],
    ],
  ])('%s %j', (title, given, layers, embeddings) => {
    const { model, missing, error, found } = plannedModel(title, given)
    expect([missing, error]).toEqual([[], null])
    expect(layersOf(model)).toEqual(layers)
    expect(slotsIn(model.embeddings)).toEqual(embeddings)
    expect([model.mlm, model.sop, model.classifier, model.qa]).toEqual([null, null, null, null])
    expect(slotsIn(model.pooler)).toEqual(['pooler/dense/kernel', 'pooler/dense/bias'])
    expect(hasLayerNorms(found)).toBe(title.endsWith('for every layer'))
  })

  it('shares by identity', () => {
    const { layers } = plannedModel('google-research ALBERT').model
    expect(layers[1]![0]!.query.kernel).toBe(layers[0]![0]!.query.kernel)
  })

  it('has heads in full', () => {
    const { model } = plannedModel('Hugging Face ALBERT', {
      parts: ['pooler', 'mlm', 'mlm/decoder', 'sop', 'classifier', 'qa'],
    })
    expect([model.mlm, model.sop, model.classifier, model.qa].map(slotsIn)).toEqual([
      [
        'mlm/transform/dense/kernel',
        'mlm/transform/dense/bias',
        'mlm/transform/LayerNorm/gamma',
        'mlm/transform/LayerNorm/beta',
        'mlm/output_bias',
        'mlm/decoder',
      ],
      ['sop/output_weights', 'sop/output_bias'],
      ['classifier/output_weights', 'classifier/output_bias'],
      ['qa/output_weights', 'qa/output_bias'],
    ])
    expect(model.sop?.pooler).toBeNull()
    expect(plannedModel('Hugging Face ALBERT', { parts: ['pooler', 'mlm'] }).model.mlm?.decoder).toBeNull()
  })

  it('has the poolers of the heads of tf-models, and the LayerNorm of pre-LN', () => {
    const { model } = plannedModel('tf-models ALBERT (Keras, TF-Hub)', {
      split: true,
      parts: ['sop', 'sop/pooler', 'classifier', 'classifier/pooler'],
    })
    expect(slotsIn(model.sop?.pooler)).toEqual(['sop/pooler/dense/kernel', 'sop/pooler/dense/bias'])
    expect(slotsIn(model.classifier?.pooler)).toEqual([
      'classifier/pooler/dense/kernel',
      'classifier/pooler/dense/bias',
    ])
    expect(model.classifier?.norm).toBeNull()
    const pre = plannedModel('brightmart albert_zh', { parts: ['pooler', 'classifier', 'classifier/LayerNorm'] }).model
    expect(slotsIn(pre.classifier?.norm)).toEqual(['classifier/LayerNorm/gamma', 'classifier/LayerNorm/beta'])
  })

  it('has the mapping of Google only if widths differ or the file has it', () => {
    const mapping = (title: string, E: number, without?: RegExp): string[] =>
      slotsIn(
        plannedModel(title, { sizes: { E }, ...(without === undefined ? {} : { without }) }).model.embeddings.mapping,
      )
    expect(mapping('google-research ALBERT', 8, /hidden_mapping/)).toEqual([])
    expect(mapping('google-research ALBERT', 8)).toEqual(MAPPING)
    expect(mapping('google-research ALBERT', 4)).toEqual(MAPPING)
    expect(
      plannedModel('google-research ALBERT', { without: /hidden_mapping/ }).missing.map(({ slot }) => slot),
    ).toEqual(MAPPING)
  })
})

describe('a parameter', () => {
  const parameterOf = (title: string, slot: string, given: PlanOptions = {}): Parameter =>
    [...parametersOf(plannedModel(title, given).model)].find((p) => p.slot === slot)!

  it.each<[string, PlanOptions, string, Omit<Parameter, 'slot'>]>([
    [
      'google-research BERT',
      { sizes: { E: 8 }, dtypes: { 'bert/encoder/layer_1/intermediate/dense/kernel': 'BF16' } },
      'encoder/layer_1/ffn/intermediate/kernel',
      {
        variable: 'bert/encoder/layer_1/intermediate/dense/kernel',
        shape: [8, 12],
        storedShape: [8, 12],
        layout: 'as_is',
        dtype: 'BF16',
      },
    ],
    [
      'Hugging Face BERT',
      { sizes: { E: 8 } },
      'encoder/layer_1/ffn/intermediate/kernel',
      {
        variable: 'bert.encoder.layer.1.intermediate.dense.weight',
        shape: [8, 12],
        storedShape: [12, 8],
        layout: 'transposed',
        dtype: 'F32',
      },
    ],
    [
      'brightmart albert_zh, google_fast',
      { sizes: { H: 32, I: 48 } },
      'encoder/group_0/inner_group_0/ffn/intermediate/kernel',
      {
        variable: 'bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/dense/kernel',
        shape: [16, 2, 3],
        storedShape: [2, 3, 16],
        layout: 'grouped',
        dtype: 'F32',
      },
    ],
    [
      'brightmart albert_zh, google_fast, groups first',
      { sizes: { H: 32, I: 48 } },
      'encoder/group_0/inner_group_0/ffn/intermediate/bias',
      {
        variable: 'bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/dense/bias',
        shape: [48],
        storedShape: [48],
        layout: 'as_is',
        dtype: 'F32',
      },
    ],
    [
      'tf-models ALBERT (Keras, TF-Hub)',
      { split: true },
      'encoder/group_0/inner_group_0/attention/query/kernel',
      {
        variable: 'transformer/self_attention/query/kernel',
        shape: [8, 8],
        storedShape: [8, 8],
        layout: 'as_is',
        dtype: 'F32',
      },
    ],
  ])('of %s %j: %s', (title, given, slot, expected) => {
    expect(parameterOf(title, slot, given)).toEqual({ slot, ...expected })
  })
})

describe('the kind of a classifier', () => {
  const HF = 'Hugging Face ALBERT'
  const kindOf = (given: PlanOptions, title = HF): unknown =>
    plannedModel(title, { parts: ['pooler', 'classifier'], ...given }).model.classifier?.kind
  const KERAS = 'tf-models ALBERT (Keras, TF-Hub)'

  it.each<[string, PlanOptions, string]>([
    [
      'is the one asked for',
      { kinds: { asked: 'choice', found: 'token' }, config: { classifier_kind: 'sequence' } },
      'choice',
    ],
    ['else that of the configuration', { kinds: { found: 'token' }, config: { classifier_kind: 'choice' } }, 'choice'],
    ['else the one that other files show', { kinds: { found: 'token' } }, 'token'],
    ['else of sequences, if there is a pooler', {}, 'sequence'],
    ['else of tokens', { parts: ['classifier'] }, 'token'],
  ])('%s', (_, given, expected) => {
    expect(kindOf(given)).toBe(expected)
  })

  it('is that of its name, or of its own pooler', () => {
    const source = namedSource({
      ...modelShapes(KERAS, { split: true }),
      'predictions/transform/logits/kernel': [8, 3],
      'predictions/transform/logits/bias': [3],
    })
    const found = identify(source)
    const config = parseConfig({ file: 'c.json', fields: fieldsOf() }, 'google', 'albert')
    expect(planModel(source, found, config, { found: 'sequence' }).model.classifier?.kind).toBe('token')
    expect(kindOf({ split: true, parts: ['classifier', 'classifier/pooler'] }, KERAS)).toBe('sequence')
    expect(kindOf({ split: true, parts: ['classifier'] }, KERAS)).toBe('token')
  })

  it.each<[ModelConfig['classifier_kind'], string, readonly string[], readonly string[]]>([
    ['sequence', HF, ['classifier'], ['pooler/dense/kernel', 'pooler/dense/bias']],
    ['choice', HF, ['classifier'], ['pooler/dense/kernel', 'pooler/dense/bias']],
    ['token', HF, ['classifier'], []],
    [undefined, HF, ['classifier'], []],
    ['sequence', HF, [], []],
    ['sequence', KERAS, ['classifier', 'classifier/pooler'], []],
  ])('%s of %s with %j misses the poolers %j', (kind, title, parts, expected) => {
    const config = kind === undefined ? {} : { classifier_kind: kind }
    const { missing, model } = plannedModel(title, { parts, config, split: title === KERAS })
    expect(missing.map(({ slot }) => slot)).toEqual(expected)
    expect(model.pooler === null).toBe(expected.length === 0)
  })
})

describe('a file that lacks variables', () => {
  const missingOf = (title: string, given: PlanOptions) => {
    const { missing, error } = plannedModel(title, given)
    return { missing, error: error?.toJSON() }
  }
  const MISSING = { kind: 'malformed', code: 'tensor-missing', file: 'weights' }

  it('names one, its slot and the family', () => {
    expect(missingOf('google-research ALBERT', { without: /pooler\/dense\/bias/ })).toEqual({
      missing: [{ slot: 'pooler/dense/bias', variable: 'bert/pooler/dense/bias' }],
      error: {
        ...MISSING,
        message: 'bert/pooler/dense/bias is missing',
        tensor: 'bert/pooler/dense/bias',
        hint:
          'read as google-research ALBERT: layers are named transformer/group_<g>/inner_group_<j>; ' +
          '24 variables fit google-research ALBERT',
      },
    })
  })

  it('says what the configuration says of a layer, and counts the others', () => {
    const { missing, error } = missingOf('Hugging Face BERT', {
      sizes: { E: 8 },
      scope: 'module.',
      without: /layer\.0\.attention\.self\.(key|value)\.weight/,
    })
    expect(missing.map(({ variable }) => variable)).toEqual(
      ['key', 'value'].map((name) => `module.bert.encoder.layer.0.attention.self.${name}.weight`),
    )
    expect(error).toEqual({
      ...MISSING,
      message: 'module.bert.encoder.layer.0.attention.self.key.weight is missing, and 1 more variable',
      tensor: 'module.bert.encoder.layer.0.attention.self.key.weight',
      hint:
        'config.json says num_hidden_layers 2, num_hidden_groups 1; read as Hugging Face BERT: ' +
        'layers are named encoder.layer.<l>; 37 variables fit Hugging Face BERT',
    })
    const three = missingOf('google-research ALBERT', { without: /(query|key|value)\/kernel/ }).error
    expect(three?.message).toMatch(/self\/query\/kernel is missing, and 2 more variables$/)
    expect(three?.hint).toMatch(/^config\.json says num_hidden_layers 2, num_hidden_groups 1; read as/)
  })

  it('names a head without the prefix of the body', () => {
    const { missing } = missingOf('Hugging Face BERT', {
      sizes: { E: 8 },
      parts: ['pooler', 'qa'],
      without: /qa_outputs\.bias/,
    })
    expect(missing).toEqual([{ slot: 'qa/output_bias', variable: 'qa_outputs.bias' }])
  })

  it('that has no layer at all is not said to have none in its configuration', () => {
    const all = modelShapes('Hugging Face BERT', { sizes: { E: 8 } })
    const rest = Object.entries(all).filter(([name]) => !name.includes('.layer.'))
    const source = namedSource({ ...Object.fromEntries(rest), 'bert.encoder.layer.0.odd': [1] })
    const found = identify(source)
    const config = parseConfig(
      { file: 'c.json', fields: { ...fieldsOf(), num_hidden_groups: undefined } },
      'hf',
      'bert',
    )
    expect(planModel(source, found, config).error?.code).toBe('tensor-missing')
  })

  it('has one of an element type that only its format knows', () => {
    const name = 'bert.pooler.dense.weight'
    const source = namedSource(modelShapes('Hugging Face BERT', { sizes: { E: 8 } }), { dtypes: { [name]: 'OTHER' } })
    const info = source.tensors.get(name)!
    const tensors = new Map([...source.tensors, [name, { ...info, spelling: 'F8_E4M3' }]])
    const other = { ...source, tensors }
    const config = parseConfig(
      { file: 'c.json', fields: { ...fieldsOf(), num_hidden_groups: undefined } },
      'hf',
      'bert',
    )
    expect(planModel(other, identify(other), config).error).toMatchObject({
      kind: 'unsupported',
      message: 'the tensor has element type F8_E4M3, which weights do not have',
    })
  })

  it('names what comes nearest in the file', () => {
    const shapes = modelShapes('google-research ALBERT')
    const { 'bert/pooler/dense/bias': bias, ...rest } = shapes
    const source = namedSource({ ...rest, 'my/other': [1], 'my.dense.bias': bias! })
    const found = identify(source)
    const config = parseConfig({ file: 'c.json', fields: fieldsOf() }, 'google', 'albert')
    expect(planModel(source, found, config).error?.hint).toBe('the nearest name in the file is my.dense.bias')
    const heads = modelShapes('google-research ALBERT', { parts: ['mlm'] })
    const { 'cls/predictions/transform/dense/bias': lost, ...others } = heads
    const second = namedSource({ ...others, 'x/dense/bias': lost! })
    expect(planModel(second, identify(second), config).error?.hint).toBe('the nearest name in the file is x/dense/bias')
  })

  it.each<[string, PlanOptions, string, string, number, string]>([
    [
      'Hugging Face BERT',
      { sizes: { E: 8 }, config: { num_hidden_layers: 3 } },
      'num_hidden_layers is 3',
      'num_hidden_layers',
      2,
      'bert.encoder.layer.2.attention.self.query.weight',
    ],
    [
      'Hugging Face ALBERT',
      { config: { num_hidden_groups: 2 } },
      'num_hidden_groups is 2',
      'num_hidden_groups',
      1,
      'albert.encoder.albert_layer_groups.1.albert_layers.0.attention.query.weight',
    ],
    [
      'Hugging Face ALBERT',
      { config: { inner_group_num: 2 } },
      'inner_group_num is 2',
      'inner_group_num',
      1,
      'albert.encoder.albert_layer_groups.0.albert_layers.1.attention.query.weight',
    ],
  ])('%s %j: the depth that would fit', (title, given, words, field, count, variable) => {
    const { error, missing } = missingOf(title, given)
    expect(missing).toHaveLength(16)
    expect(error).toEqual({
      kind: 'malformed',
      code: 'config-mismatch',
      message: `${words}, but the weights have ${count}: ${variable} is missing, and 15 more variables`,
      file: 'config.json',
      field,
      tensor: variable,
      hint: expect.stringMatching(
        new RegExp(`^${field} ${count} would fit the weights; read as ${title}: layers are named`),
      ) as string,
    })
  })

  it.each<[DType, 'unsupported' | 'malformed']>([
    ['I8', 'unsupported'],
    ['I64', 'unsupported'],
    ['STRING', 'malformed'],
  ])('has it as %s: %s', (dtype, kind) => {
    const name = 'bert.pooler.dense.weight'
    const { error } = missingOf('Hugging Face BERT', { sizes: { E: 8 }, dtypes: { [name]: dtype } })
    expect(error).toEqual({
      kind,
      code: 'dtype-unsupported',
      message: `the tensor has element type ${dtype}, which weights do not have`,
      file: 'weights',
      tensor: name,
      hint: 'weights are F32, F16, BF16 or F64: save what quantised ones stand for',
    })
  })
})

import { describe, expect, it, vi } from 'vitest'
import type { GraphNode, TensorSource } from '../../../src/formats/core/source.js'
import { malformed } from '../../../src/base/errors.js'
import type { RawConfig } from '../../../src/model/config.js'
import {
  resolveModel,
  type ChosenConfig,
  type ConfigOwner,
  type ResolveOptions,
} from '../../../src/model/load/resolve-config.js'
import {
  errorOf,
  fieldsOf,
  modelShapes,
  namedSource,
  SIZES,
  type ModelOptions,
  type Shapes,
} from '../../helpers/named-source.js'

/** From tensors and a configuration to a model, in memory. */

const HF = 'Hugging Face ALBERT'
const ZH = 'brightmart albert_zh'
const GOOGLE = 'google-research ALBERT'

const { num_hidden_groups: _g, inner_group_num: _i, ...UNGROUPED } = fieldsOf()

interface Given extends ModelOptions {
  readonly more?: Shapes
  readonly fields?: Record<string, unknown>
  readonly raw?: Partial<RawConfig>
  readonly graph?: NonNullable<TensorSource['graph']>
  readonly options?: ResolveOptions
  readonly metadata?: Record<string, string>
}

function resolve(title: string, { more = {}, fields, raw = {}, graph, options, metadata, ...model }: Given = {}) {
  const source = namedSource(
    { ...modelShapes(title, model), ...more },
    { ...(graph === undefined ? {} : { graph }), ...(metadata === undefined ? {} : { metadata }) },
  )
  const own =
    title === ZH || (title.includes('BERT') && !title.includes('ALBERT'))
      ? UNGROUPED
      : fieldsOf({ ...SIZES, ...model.sizes })
  const choose = (): ChosenConfig => ({
    raw: { file: 'config.json', fields: fields ?? own, ...raw },
    notes: [],
  })
  return resolveModel(source, choose, options)
}

const node = (name: string, op: string, inputs: string[] = [], numbers: number[] | null = null): GraphNode => ({
  name,
  op,
  inputs,
  numbers: () => numbers,
})
const graphOf = (...nodes: GraphNode[]) => ({ file: 'folder/model.ckpt.meta', nodes: () => nodes })

/** A graph whose classifier reads what a pooler gives. */
const graphOfPooler = () => graphOf(node('loss/MatMul', 'MatMul', ['bert/pooler/dense/Tanh', 'output_weights']))

describe('a model of which everything is known', () => {
  it('has its family, its configuration and its tree, and no remarks', () => {
    const resolved = resolve(GOOGLE)
    expect(resolved.identification.table.title).toBe(GOOGLE)
    expect(resolved.rawConfig).toEqual({ file: 'config.json', fields: fieldsOf() })
    expect(resolved.config).toEqual({
      family: 'google',
      architecture: 'albert',
      vocab_size: 11,
      embedding_size: 4,
      hidden_size: 8,
      num_hidden_layers: 2,
      num_attention_heads: 2,
      intermediate_size: 12,
      max_position_embeddings: 6,
      type_vocab_size: 5,
      num_hidden_groups: 1,
      inner_group_num: 1,
      layer_norm_eps: 1e-12,
      hidden_act: 'gelu_tanh',
      norm_position: 'post',
      mask_penalty: -10000,
      id2label: null,
      file: 'config.json',
    })
    expect(resolved.plan.missing).toEqual([])
    expect([resolved.plan.error, resolved.refusal]).toEqual([null, null])
    expect([resolved.notes, resolved.leftOut]).toEqual([[], []])
    expect(resolved.plan.model.config).toBe(resolved.config)
  })

  it('is asked for a configuration once, for the family of its weights', () => {
    const owners: ConfigOwner[] = []
    const choose = (owner: ConfigOwner): ChosenConfig => {
      owners.push(owner)
      return { raw: { file: 'c.json', fields: fieldsOf() }, notes: ['chosen of two'] }
    }
    const { notes } = resolveModel(namedSource(modelShapes(HF)), choose)
    expect(owners.map(({ family, architecture }) => [family, architecture])).toEqual([['hf', 'albert']])
    expect(notes).toEqual(['chosen of two'])
  })

  it('that no family knows is reported before any configuration is asked for', () => {
    const choose = vi.fn(() => ({ raw: null, notes: [] }))
    expect(errorOf(() => resolveModel(namedSource({ x: [1] }), choose)).code).toBe('family-unknown')
    expect(choose).not.toHaveBeenCalled()
  })
})

describe('a configuration that lacks fields', () => {
  it('is completed by the weights of keras-hub alone', () => {
    const source = namedSource(modelShapes('keras-hub ALBERT', { split: true }))
    const raw = { file: 'config.json', fields: { num_hidden_layers: 3 } }
    const resolved = resolveModel(source, () => ({ raw, notes: [] }))
    expect(resolved.rawConfig.fields).toMatchObject({ hidden_size: 8, num_attention_heads: 2, num_hidden_groups: 1 })
    expect(resolved.plan.model.layers).toHaveLength(3)
    expect(errorOf(() => resolveModel(source, () => ({ raw: null, notes: [] }))).code).toBe('config-missing')
    const other = namedSource(modelShapes(HF))
    expect(errorOf(() => resolveModel(other, () => ({ raw: null, notes: [] }))).code).toBe('config-missing')
  })

  it('counts inner layers of keras-hub by the groups of the configuration', () => {
    const source = namedSource(modelShapes('keras-hub ALBERT', { split: true, sizes: { groups: 4 } }))
    const raw = { file: 'config.json', fields: { num_hidden_layers: 4, num_hidden_groups: 2 } }
    const { plan, identification } = resolveModel(source, () => ({ raw, notes: [] }))
    expect(identification.mapped.has('encoder/group_1/inner_group_1/ffn/output/bias')).toBe(true)
    expect([plan.error, plan.model.layers.map((inner) => inner.length)]).toEqual([null, [2, 2, 2, 2]])
  })

  it('says so, for weights that tell nothing', () => {
    const { embedding_size: _e, ...fields } = UNGROUPED
    expect(errorOf(() => resolve(ZH, { fields }))).toMatchObject({ code: 'config-invalid', field: 'embedding_size' })
  })

  it('has the model_type and the epsilon of code that writes neither', () => {
    const bert4keras = resolve('bert4keras ALBERT', { fields: { ...fieldsOf(), layer_norm_eps: 0.5 } })
    expect(bert4keras.config).toMatchObject({ hidden_act: 'gelu_erf', layer_norm_eps: 1e-12 })
    const pytorch = resolve('albert_zh in PyTorch (albert_pytorch)', { fields: { ...UNGROUPED, layer_norm_eps: 0.5 } })
    expect(pytorch.config).toMatchObject({ hidden_act: 'gelu_erf', layer_norm_eps: 0.5 })
    const own = { ...fieldsOf(), model_type: 'bert' }
    expect(resolve('bert4keras ALBERT', { fields: own }).refusal).toBeNull()
  })

  it('has the penalty and the head of its code', () => {
    expect(resolve('Hugging Face ALBERT for TensorFlow').config.mask_penalty).toBe(-10000)
    expect(resolve(HF).config.mask_penalty).toBeLessThan(-1e38)
    const keras = (parts: string[]) =>
      resolve('keras-hub BERT', {
        split: true,
        sizes: { E: 8 },
        prefix: 'layers/bert_backbone/layers/',
        parts,
        fields: { hidden_act: 'gelu_new' },
      })
    expect(keras(['pooler', 'mlm']).config.mlm_head).toEqual({ hidden_act: 'gelu_erf', layer_norm_eps: 1e-5 })
    expect(keras(['pooler']).config).not.toHaveProperty('mlm_head')
  })

  it('has the epsilon that the user gives', () => {
    expect(resolve(HF, { options: { layerNormEpsilon: 1e-3 } }).config.layer_norm_eps).toBe(1e-3)
  })
})

describe('a graph beside the weights', () => {
  const at = 'bert/encoder/layer_shared/attention'
  const MEAN = node(`${at}/output/LayerNorm/moments/mean`, 'Mean', ['bert/encoder/Reshape_1'])
  const HEADS = node(`${at}/self/Reshape/shape/2`, 'Const', [], [4])

  it('completes a configuration and is compared with it', () => {
    const { config, notes } = resolve(ZH, { graph: graphOf(MEAN, HEADS) })
    expect(config.norm_position).toBe('pre')
    expect(notes).toEqual([
      'the configuration has no ln_type; the graph is pre-LN, so the model is',
      'num_attention_heads is 2, but the graph in model.ckpt.meta has 4: if the graph is right, outputs will be wrong',
    ])
    const given = { ...UNGROUPED, ln_type: 'preln', num_attention_heads: 4 }
    expect(resolve(ZH, { fields: given, graph: graphOf(MEAN, HEADS) }).notes).toEqual([
      'the graph in model.ckpt.meta agrees with the configuration: num_attention_heads 4, norm_position pre',
    ])
  })

  it('that is damaged is left out with a note; that is wrong code is not', () => {
    const damaged = (error: Error) => ({
      file: 'folder/model.ckpt.meta',
      nodes: () => {
        throw error
      },
    })
    const { notes, config } = resolve(ZH, { graph: damaged(malformed('cut off', { code: 'file-damaged' as never })) })
    expect(notes).toEqual(['the graph in model.ckpt.meta is left out: cut off'])
    expect(config.norm_position).toBe('post')
    expect(() => resolve(ZH, { graph: damaged(new TypeError('ours')) })).toThrow(TypeError)
  })

  it('tells what the classifier reads, unless the user says', () => {
    const graph = graphOf(
      node('bert/encoder/layer_shared/add', 'Add'),
      node('loss/MatMul', 'MatMul', ['bert/encoder/layer_shared/add', 'output_weights']),
    )
    const kindOf = (options: ResolveOptions = {}) =>
      resolve(ZH, { graph, parts: ['pooler', 'classifier'], options }).plan.model.classifier?.kind
    expect(kindOf()).toBe('token')
    expect(kindOf({ task: 'classify' })).toBe('sequence')
    expect(kindOf({ task: 'auto' })).toBe('token')
  })
})

describe('names of classes that are tags of spans', () => {
  const TAGS = ['O', 'B-PER', 'I-PER']
  const NOTE =
    'the classes are tags of spans (B-, I-), so the classifier is read as one of tokens: token-classification; ' +
    '`task: classify` reads it as one of texts'
  const of = (options: ResolveOptions, fields: Record<string, unknown> = {}) => {
    const { plan, notes } = resolve(HF, {
      parts: ['pooler', 'classifier'],
      fields: { ...fieldsOf(), ...fields },
      options,
    })
    return { kind: plan.model.classifier?.kind, notes }
  }
  const id2label = Object.fromEntries(TAGS.map((tag, i) => [i, tag]))

  it.each<[string, ResolveOptions, Record<string, unknown>, string, string[]]>([
    ['of a file', { classNames: () => TAGS }, {}, 'token', [NOTE]],
    ['of the configuration', {}, { id2label }, 'token', [NOTE]],
    ['of the configuration, without a file', { classNames: () => null }, { id2label }, 'token', [NOTE]],
    [
      'of the file before those of the configuration',
      { classNames: () => ['a', 'b', 'c'] },
      { id2label },
      'sequence',
      [],
    ],
    [
      'if the configuration says nothing else',
      { classNames: () => TAGS },
      { architectures: ['AlbertForSequenceClassification'] },
      'sequence',
      [],
    ],
    [
      'if it says the same',
      { classNames: () => TAGS },
      { architectures: ['AlbertForTokenClassification'] },
      'token',
      [],
    ],
    ['if the user says nothing else', { classNames: () => TAGS, task: 'classify' }, {}, 'sequence', []],
    ['or the same', { classNames: () => TAGS, task: 'token-classification' }, {}, 'token', []],
    ['and no others', { classNames: () => ['a', 'b', 'c'] }, {}, 'sequence', []],
    ['none', {}, {}, 'sequence', []],
  ])('mean a classifier of tokens: %s', (_, options, fields, kind, notes) => {
    expect(of(options, fields)).toEqual({ kind, notes })
  })

  it('count after what the graph shows', () => {
    const pooled = graphOfPooler()
    const { plan, notes } = resolve(ZH, {
      graph: pooled,
      parts: ['pooler', 'classifier'],
      options: { classNames: () => TAGS },
    })
    expect([plan.model.classifier?.kind, notes]).toEqual(['sequence', []])
  })

  it('are not read for a model without a classifier', () => {
    const classNames = vi.fn(() => TAGS)
    resolve(HF, { options: { classNames } })
    expect(classNames).not.toHaveBeenCalled()
  })
})

describe('a classifier of one class', () => {
  const problem = (title: string, given: Given = {}): unknown =>
    resolve(title, { parts: ['pooler', 'classifier'], sizes: { N: 1 }, ...given }).config.problem_type

  it('solves a regression in the code of Google, a sigmoid in transformers', () => {
    expect(problem(GOOGLE)).toBe('regression')
    expect(problem(ZH)).toBe('regression')
    expect(problem(HF)).toBe('multi_label_classification')
    expect(problem('albert_zh in PyTorch (albert_pytorch)', { fields: UNGROUPED })).toBe('multi_label_classification')
  })

  it('solves what the configuration says; others have no such problem', () => {
    expect(problem(HF, { fields: { ...fieldsOf(), problem_type: 'regression' } })).toBe('regression')
    expect(problem(GOOGLE, { sizes: { N: 2 } })).toBeUndefined()
    expect(problem(GOOGLE, { parts: ['pooler'] })).toBeUndefined()
    expect(problem(HF, { options: { task: 'token-classification' } })).toBeUndefined()
    expect(problem(HF, { options: { task: 'multiple-choice' } })).toBeUndefined()
  })
})

describe('variables that the model does not use', () => {
  it('outside the encoder are noted, with the heads that could be taken', () => {
    const { leftOut, refusal } = resolve(HF, { more: { 'fc.weight': [3, 8], 'fc.bias': [3] } })
    expect(refusal).toBeNull()
    expect(leftOut).toEqual([
      'left out, for they are no variables of the model: fc.weight, fc.bias; as the classifier of the model: `head` fc',
    ])
  })

  it('are taken as the head that the user names', () => {
    const { plan, notes, leftOut } = resolve(HF, {
      more: { 'fc.weight': [3, 8], 'fc.bias': [3] },
      options: { head: 'fc' },
    })
    expect(plan.model.classifier?.weight.variable).toBe('fc.weight')
    expect(notes).toEqual(['fc.weight and fc.bias are taken as the classifier, as asked'])
    expect(leftOut).toEqual([])
  })

  it('inside are a reason not to compute, unless they are to be ignored', () => {
    const more = { 'albert.encoder.gate': [1] }
    expect(resolve(HF, { more }).refusal?.toJSON()).toMatchObject({
      code: 'tensor-unknown',
      tensor: 'albert.encoder.gate',
    })
    const ignored = resolve(HF, { more, options: { ignore: ['albert.encoder.gate'] } })
    expect([ignored.refusal, ignored.leftOut]).toEqual([null, []])
  })

  it('inside count too if only the finished model leaves them out', () => {
    // A LayerNorm of each layer beside the shared ones of Google.
    const unused = { 'bert/encoder/layer_7/inner_group_0/x': [1] }
    expect(resolve(GOOGLE, { more: unused }).refusal?.code).toBe('tensor-unknown')
    const apart = modelShapes(ZH, { apart: true })
    const both = resolve(ZH, { more: apart })
    expect(both.refusal?.toJSON()).toMatchObject({
      code: 'tensor-unknown',
      tensor: expect.stringContaining('layer_0/') as string,
    })
    expect(both.plan.error).toBeNull()
  })

  it('are reported as missing if something else is', () => {
    const { plan, refusal } = resolve(ZH, {
      more: modelShapes(ZH, { apart: true }),
      fields: UNGROUPED,
      parts: ['mlm/output_bias'],
    })
    expect(plan.error?.code).toBe('tensor-missing')
    expect(refusal).toBeNull()
  })

  it('of a tied decoder are left out', () => {
    const { identification, plan } = resolve(HF, { parts: ['pooler', 'mlm'] })
    expect([identification.skipped, plan.model.mlm?.decoder]).toEqual([[], null])
  })
})

describe('a model of another architecture', () => {
  it('is refused by its model_type, with its tree where there is one', () => {
    const { refusal, plan } = resolve('brightmart albert_zh', { fields: UNGROUPED })
    expect([refusal, plan.error]).toEqual([null, null])
    expect(errorOf(() => resolve(HF, { fields: { ...fieldsOf(), model_type: 'electra' } }))).toMatchObject({
      code: 'architecture-unsupported',
      message: 'model_type is "electra" (ELECTRA): albertkit runs albert and bert',
    })
  })

  it('is refused by its names, though the rest fits', () => {
    const { refusal, plan } = resolve('Hugging Face BERT', { prefix: 'electra.', sizes: { E: 8 } })
    expect([refusal?.message, plan.error]).toEqual([
      'the names are those of ELECTRA: albertkit runs ALBERT and BERT',
      null,
    ])
  })

  it('is refused for that before anything else that fails', () => {
    const given: Given = { prefix: 'electra.', sizes: { E: 8 }, fields: { ...UNGROUPED, vocab_size: -1 } }
    expect(errorOf(() => resolve('Hugging Face BERT', given)).code).toBe('architecture-unsupported')
    expect(errorOf(() => resolve('Hugging Face BERT', { ...given, prefix: 'bert.' })).code).toBe('config-invalid')
  })
})

describe('a configuration that is missing', () => {
  const missing = malformed('there is none', { code: 'config-missing' })
  const choose = (error: Error) => (): ChosenConfig => {
    throw error
  }
  const strange = namedSource({
    ...modelShapes('Hugging Face BERT'),
    'bert.encoder.layer.0.attention.self.query_global.weight': [1],
  })

  it('is no matter for names of another architecture', () => {
    expect(errorOf(() => resolveModel(strange, choose(missing))).message).toMatch(/^the names are those of Longformer/)
    expect(errorOf(() => resolveModel(namedSource(modelShapes(HF)), choose(missing)))).toMatchObject({
      code: 'config-missing',
    })
  })

  it('is one, if it is of another kind', () => {
    const other = malformed('broken', { code: 'config-invalid' })
    expect(errorOf(() => resolveModel(strange, choose(other))).code).toBe('config-invalid')
    expect(() => resolveModel(strange, choose(new TypeError('ours')))).toThrow(TypeError)
  })
})

it('a head without a bias has zeros, in the source of the model', () => {
  const { source, plan, notes } = resolve(HF, { more: { 'fc.weight': [3, 8] }, options: { head: 'fc' } })
  expect(plan.model.classifier?.bias).toMatchObject({ variable: 'fc.bias', shape: [3] })
  expect(source.tensors.get('fc.bias')?.shape).toEqual([3])
  expect(notes).toEqual([
    'fc.weight is taken as the classifier, as asked',
    'fc.weight has no bias: fc.bias is taken as zeros',
  ])
})

describe('an error of a configuration that has words of its own', () => {
  const words = { vocab_size: 'vocabulary_size', num_hidden_layers: 'num_layers' }

  it('names the field by both', () => {
    expect(errorOf(() => resolve(HF, { fields: { ...fieldsOf(), vocab_size: -1 }, raw: { words } })).hint).toBe(
      'vocab_size must be a whole number from 1 to 2147483647; the configuration calls vocab_size vocabulary_size',
    )
    expect(errorOf(() => resolve(HF, { fields: { ...fieldsOf(), hidden_size: -1 }, raw: { words } })).hint).toBe(
      'hidden_size must be a whole number from 1 to 2147483647',
    )
    expect(
      errorOf(() =>
        resolve(HF, { fields: { ...fieldsOf(), pruned_heads: { 0: [1] } }, raw: { words: { pruned_heads: 'cut' } } }),
      ).hint,
    ).toBe('the configuration calls pruned_heads cut')
  })

  it('of the plan too', () => {
    const { plan } = resolve('Hugging Face BERT', {
      sizes: { E: 8 },
      fields: { ...UNGROUPED, num_hidden_layers: 3 },
      raw: { words },
    })
    expect(plan.error?.hint).toMatch(/; the configuration calls num_hidden_layers num_layers$/)
  })
})

it('classes of the configuration that are others than those of the weights are an error', () => {
  const given = { parts: ['pooler', 'classifier'], fields: { ...fieldsOf(), id2label: { 0: 'a', 1: 'b' } } }
  expect(errorOf(() => resolve(HF, given)).code).toBe('labels-mismatch')
  const { notes, config } = resolve(HF, {
    ...given,
    fields: { ...fieldsOf(), id2label: { 0: 'LABEL_0', 1: 'LABEL_1' } },
  })
  expect([notes, config.id2label]).toEqual([
    ['id2label has 2 labels without names, but the classifier has 3 classes: they are left out'],
    null,
  ])
})

it('notes come in the order in which the model was read', () => {
  const { notes } = resolve(ZH, {
    parts: ['pooler', 'classifier', 'classifier/LayerNorm'],
    more: { 'fc/kernel': [8, 3], 'fc/bias': [3] },
    options: { head: 'fc' },
    raw: { computesIn: 'float16' },
  })
  expect(notes).toEqual([
    'the configuration has no ln_type; loss/LayerNorm/gamma is a name that only pre-LN models have, so the model is one',
    'fc/kernel and fc/bias are taken as the classifier, as asked',
    'the configuration says float16, in which keras-hub computes; albertkit computes in float32',
  ])
})

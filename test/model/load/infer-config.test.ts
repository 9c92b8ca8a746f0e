import { describe, expect, it } from 'vitest'
import { completeFromWeights, highestIndex, sizesOf } from '../../../src/model/load/infer-config.js'
import { identify } from '../../../src/model/names/identify.js'
import { errorOf, modelShapes, namedSource, type ModelOptions } from '../../helpers/named-source.js'

function read(title: string, options: ModelOptions = {}, metadata: Record<string, string> = {}) {
  const source = namedSource(modelShapes(title, options), { metadata })
  return { source, found: identify(source) }
}

const SIZES = {
  vocab_size: 11,
  embedding_size: 4,
  hidden_size: 8,
  intermediate_size: 12,
  max_position_embeddings: 6,
  type_vocab_size: 5,
}
const { embedding_size: _, ...BERT_SIZES } = SIZES

describe('sizes that shapes tell', () => {
  it.each<[string, ModelOptions, object]>([
    ['google-research ALBERT', {}, SIZES],
    ['brightmart albert_zh', {}, SIZES],
    ['brightmart albert_zh', { split: true }, SIZES],
    // BERT's tables have the letter E for a width that is the hidden one.
    ['google-research BERT', { sizes: { E: 8 } }, { ...SIZES, embedding_size: 8 }],
    ['Hugging Face ALBERT', {}, SIZES],
    ['Hugging Face BERT', { sizes: { E: 8 } }, { ...SIZES, embedding_size: 8 }],
    ['keras-hub ALBERT', { split: true }, { ...SIZES, num_attention_heads: 2 }],
    [
      'keras-hub BERT',
      { split: true, sizes: { E: 8, heads: 4 } },
      { ...SIZES, embedding_size: 8, num_attention_heads: 4 },
    ],
    ['tf-models ALBERT (Keras, TF-Hub)', { split: true }, { ...SIZES, num_attention_heads: 2 }],
  ])('%s %j', (title, options, expected) => {
    const { source, found } = read(title, options)
    const split = options.split === true ? { num_attention_heads: options.sizes?.heads ?? 2 } : {}
    expect(sizesOf(source, found)).toEqual({ ...expected, ...split })
  })

  it('are those of variables that have the rank of their row', () => {
    const odd = namedSource({ ...modelShapes('google-research ALBERT'), 'bert/embeddings/word_embeddings': [44] })
    const { vocab_size: _v, ...others } = SIZES
    expect(sizesOf(odd, identify(odd))).toEqual(others)
  })
})

it('counts layers, groups and inner layers by the highest index of a name', () => {
  const counts = (title: string, options: ModelOptions = {}): number[] => {
    const { found } = read(title, options)
    return (['l', 'g', 'j'] as const).map((key) => highestIndex(found, key))
  }
  expect(counts('Hugging Face BERT', { sizes: { layers: 3 } })).toEqual([3, 0, 0])
  expect(counts('Hugging Face ALBERT', { sizes: { groups: 2, inner: 3, layers: 4 } })).toEqual([0, 2, 3])
  expect(counts('brightmart albert_zh')).toEqual([0, 0, 0])
})

describe('a configuration completed by the weights of keras-hub', () => {
  const FIXED = { hidden_act: 'gelu_new', layer_norm_eps: 1e-12 }
  const complete = (
    title: 'keras-hub ALBERT' | 'keras-hub BERT',
    given: Record<string, unknown> | null,
    options: ModelOptions = {},
    metadata: Record<string, string> = {},
  ) => {
    const { source, found } = read(title, { split: true, ...options }, metadata)
    return completeFromWeights(source, found, given === null ? null : { file: 'config.json', fields: given })
  }

  it('BERT needs none', () => {
    expect(complete('keras-hub BERT', null, { sizes: { E: 8, layers: 3 } })).toEqual({
      file: 'weights',
      fields: {
        model_type: 'bert',
        ...FIXED,
        ...BERT_SIZES,
        embedding_size: 8,
        num_attention_heads: 2,
        num_hidden_layers: 3,
      },
    })
  })

  const ALBERT = { model_type: 'albert', ...FIXED, ...SIZES, num_attention_heads: 2 }
  it.each<[string, Record<string, unknown>, ModelOptions, Record<string, string>, Record<string, unknown>]>([
    ['one layer is one group', {}, {}, {}, { num_hidden_groups: 1, inner_group_num: 1 }],
    [
      'groups that are given',
      { num_hidden_groups: 2 },
      { sizes: { groups: 4 } },
      {},
      { inner_group_num: 2, num_hidden_groups: 2 },
    ],
    [
      'inner layers that are given',
      { inner_group_num: 2 },
      { sizes: { groups: 6 } },
      {},
      { inner_group_num: 2, num_hidden_groups: 3 },
    ],
    [
      'names that Keras kept',
      {},
      { sizes: { groups: 4 } },
      { a: 'group_0_inner_layer_1', b: 'group_1_inner_layer_0', c: 'x' },
      { num_hidden_groups: 2, inner_group_num: 2 },
    ],
    [
      'names that do not fit are not taken',
      { num_hidden_groups: 1 },
      { sizes: { groups: 4 } },
      { a: 'group_2_inner_layer_0', b: 'my_group_7_inner_layer_7', c: 'group_7_inner_layer_7_2' },
      { num_hidden_groups: 1, inner_group_num: 4 },
    ],
    [
      'what is given counts',
      { num_hidden_groups: 1, vocab_size: 99, hidden_act: 'relu' },
      {},
      {},
      { num_hidden_groups: 1, inner_group_num: 1, vocab_size: 99, hidden_act: 'relu' },
    ],
  ])('ALBERT needs its depth: %s', (_name, given, options, metadata, expected) => {
    const fields = { num_hidden_layers: 12, ...given }
    expect(complete('keras-hub ALBERT', fields, options, metadata)).toEqual({
      file: 'config.json',
      fields: { ...ALBERT, num_hidden_layers: 12, ...expected },
    })
  })

  it('takes the numbers of Keras at the start and end of a name alone', () => {
    const names = {
      a: 'group_0_inner_layer_10',
      b: 'group_10_inner_layer_0',
      c: 'my_group_99_inner_layer_0',
      d: 'group_0_inner_layer_99_1',
    }
    const fields = { num_hidden_layers: 12 }
    const { fields: completed } = complete('keras-hub ALBERT', fields, { sizes: { groups: 121 } }, names)
    expect([completed.num_hidden_groups, completed.inner_group_num]).toEqual([11, 11])
  })

  it('counts layers by groups and inner layers', () => {
    const source = namedSource(modelShapes('keras-hub ALBERT', { split: true, sizes: { groups: 4 } }))
    const given = { file: 'c.json', fields: { num_hidden_layers: 4, inner_group_num: 2 } }
    expect(completeFromWeights(source, identify(source, given), given).fields).toMatchObject({
      num_hidden_groups: 2,
      inner_group_num: 2,
    })
  })

  it('keeps what else a configuration came with', () => {
    const { source, found } = read('keras-hub ALBERT', { split: true })
    const given = { file: 'c.json', fields: { num_hidden_layers: 2 }, words: { a: 'b' }, computesIn: 'float16' }
    expect(completeFromWeights(source, found, given)).toMatchObject({
      file: 'c.json',
      words: { a: 'b' },
      computesIn: 'float16',
    })
  })

  const TOLD = 'hidden_size 8, intermediate_size 12, max_position_embeddings 6, type_vocab_size 5'
  it.each<[string, Record<string, unknown> | null, ModelOptions, Record<string, unknown>]>([
    [
      'the depth, without a configuration',
      null,
      {},
      {
        code: 'config-missing',
        message: 'there is no configuration beside the weights, and they do not tell num_layers',
        file: 'weights',
        field: 'num_hidden_layers',
        hint:
          'give `config` with {"num_layers": …}; the weights tell the rest: vocab_size 11, embedding_size 4, ' +
          `${TOLD}, num_attention_heads 2, num_hidden_groups 1, inner_group_num 1`,
      },
    ],
    [
      'the groups of several layers',
      { num_hidden_layers: 4 },
      { sizes: { groups: 4 } },
      {
        code: 'config-invalid',
        message: 'the configuration and the weights do not tell num_groups',
        file: 'config.json',
        field: 'num_hidden_groups',
        hint:
          'give `config` with {"num_groups": …}; the weights tell the rest: vocab_size 11, embedding_size 4, ' +
          `${TOLD}, num_attention_heads 2, num_hidden_layers 4`,
      },
    ],
    [
      'the heads of kernels without that axis',
      { num_hidden_layers: 4 },
      { split: false },
      {
        code: 'config-invalid',
        message: 'the configuration and the weights do not tell num_heads',
        file: 'config.json',
        field: 'num_attention_heads',
        hint:
          'give `config` with {"num_heads": …}; the weights tell the rest: vocab_size 11, embedding_size 4, ' +
          `${TOLD}, num_hidden_groups 1, inner_group_num 1, num_hidden_layers 4`,
      },
    ],
  ])('says what neither tells: %s', (_name, given, options, expected) => {
    const error = errorOf(() => complete('keras-hub ALBERT', given, options))
    expect({ ...error, hint: String(error.hint).split(', ').sort() }).toEqual({
      kind: 'malformed',
      ...expected,
      hint: String(expected.hint).split(', ').sort(),
    })
  })

  it.each([
    ['a number that does not divide the layers', { num_hidden_groups: 3 }, 'inner_group_num'],
    ['inner layers that do not', { inner_group_num: 3 }, 'num_hidden_groups'],
    ['a number that is a text', { num_hidden_groups: '2' }, 'inner_group_num'],
    ['inner layers that are one', { inner_group_num: '2' }, 'num_hidden_groups'],
  ] as const)('takes no depth from %s', (_name, given, field) => {
    const error = errorOf(() =>
      complete('keras-hub ALBERT', { num_hidden_layers: 4, ...given }, { sizes: { groups: 4 } }),
    )
    expect(error.field).toBe(field)
  })
})

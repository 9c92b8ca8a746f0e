import { describe, expect, it } from 'vitest'
import { parseConfig, type ConfigNumbers, type ModelConfig } from '../../../src/model/config.js'
import { checkDepth, checkDimensions, expectedShape, mergeHeads, sizeOf } from '../../../src/model/load/dimensions.js'
import { identify } from '../../../src/model/names/identify.js'
import type { Dim } from '../../../src/model/names/row.js'
import { errorOf, fieldsOf, modelShapes, namedSource, SIZES, type ModelOptions } from '../../helpers/named-source.js'

const HEADS = ['pooler', 'classifier', 'mlm', 'sop', 'qa', 'sop/pooler']
/** Families and ways to store that the tables have. */
const MODELS: readonly (readonly [title: string, options: ModelOptions])[] = [
  ['google-research ALBERT', { sizes: { groups: 2 } }],
  ['google-research ALBERT with a LayerNorm for every layer', {}],
  ['brightmart albert_zh', {}],
  ['brightmart albert_zh', { apart: true }],
  ['brightmart albert_zh, google_fast', { sizes: { H: 32, I: 48 } }],
  ['brightmart albert_zh, google_fast, groups first', { sizes: { H: 32, I: 48 } }],
  ['google-research BERT', { sizes: { E: 8 } }],
  ['Hugging Face ALBERT', {}],
  ['Hugging Face BERT', { sizes: { E: 8 } }],
  ['Hugging Face ALBERT for TensorFlow', {}],
  ['Hugging Face BERT for TensorFlow', { sizes: { E: 8 } }],
  ['tf-models ALBERT (Keras, TF-Hub)', { split: true }],
  ['tf-models BERT (Keras, TF-Hub)', { split: true, sizes: { E: 8 } }],
  ['keras-hub ALBERT', { split: true }],
  ['bert4keras BERT', { sizes: { E: 8 } }],
  ['albert_zh in PyTorch (albert_pytorch)', {}],
]

function read(title: string, options: ModelOptions, changes: Readonly<Record<string, readonly number[]>> = {}) {
  const sizes = { ...SIZES, ...options.sizes }
  const source = namedSource({ ...modelShapes(title, { parts: HEADS, ...options }), ...changes })
  const found = identify(source)
  const { family, architecture } = found.table
  const { num_hidden_groups: _g, inner_group_num: _i, ...ungrouped } = fieldsOf(sizes)
  const fields = family === 'zh' || architecture === 'bert' ? ungrouped : fieldsOf(sizes)
  return { source, found, config: parseConfig({ file: 'config.json', fields }, family, architecture) }
}

describe.each(MODELS)('%s %j', (title, options) => {
  const { source, found, config } = read(title, options)

  it('has the shapes that its configuration asks for', () => {
    expect(found.unknown).toEqual([])
    expect(() => {
      checkDimensions(source, found, config)
    }).not.toThrow()
    for (const mapped of found.mapped.values()) {
      const { shape } = source.tensors.get(mapped.variable)!
      const expected = expectedShape(mapped, config, shape.length)
      // The number of classes is free, and SIZES has no other 3 than that.
      const isClassifier = mapped.slot.startsWith('classifier/output_')
      expect(expected).toEqual(shape.map((size) => (isClassifier && size === SIZES.N ? null : size)))
    }
  })

  const sized = { ...SIZES, ...options.sizes }
  const isBert = config.architecture === 'bert'
  it.each<[keyof ConfigNumbers, number]>([
    ['vocab_size', sized.V],
    ['max_position_embeddings', sized.P],
    ['type_vocab_size', sized.T],
    ['intermediate_size', sized.I],
    ['hidden_size', sized.H],
    ...(isBert ? [] : [['embedding_size', sized.E] as [keyof ConfigNumbers, number]]),
  ])('names %s if the configuration has another', (field, right) => {
    // The size of a head is that of the configuration: the hidden size stays a multiple.
    const wrong = {
      ...config,
      [field]: 2 * right,
      ...(field === 'hidden_size' && isBert ? { embedding_size: 2 * right } : {}),
    }
    const error = errorOf(() => {
      checkDimensions(source, found, wrong)
    })
    expect(error).toMatchObject({ kind: 'malformed', code: 'config-mismatch', file: 'config.json', field })
    const { tensor } = error as { tensor: string }
    const [, count] = /^\w+ is \d+, but (\d+) variables? of the weights says? \d+$/.exec(String(error.message)) ?? []
    expect(Number(count)).toBeGreaterThan(0)
    expect(error.message).toBe(
      `${field} is ${2 * right}, but ${count!} variable${count === '1' ? '' : 's'} of the weights ` +
        `say${count === '1' ? 's' : ''} ${right}`,
    )
    expect(error.hint).toBe(
      `${tensor} has shape [${source.tensors.get(tensor)!.shape.join(', ')}]; ${field} ${right} would fit`,
    )
  })
})

it('counts the variables that say so', () => {
  const { source, found, config } = read('google-research ALBERT', {})
  const messageOf = (change: Partial<ModelConfig>): unknown =>
    errorOf(() => {
      checkDimensions(source, found, { ...config, ...change })
    }).message
  expect(messageOf({ type_vocab_size: 2 })).toBe('type_vocab_size is 2, but 1 variable of the weights says 5')
  // The table, and the bias of the masked-token head.
  expect(messageOf({ vocab_size: 9 })).toBe('vocab_size is 9, but 2 variables of the weights say 11')
})

describe('one variable that differs from the others', () => {
  it.each<[string, ModelOptions, string, number[], string, string]>([
    ['google-research ALBERT', {}, 'bert/embeddings/LayerNorm/beta', [5], '[5] where [4]', '[embedding_size]'],
    [
      'google-research ALBERT',
      {},
      'bert/pooler/dense/kernel',
      [8, 9],
      '[8, 9] where [8, 8]',
      '[hidden_size, hidden_size]',
    ],
    ['google-research ALBERT', {}, 'output_weights', [3, 7], '[3, 7] where [n, 8]', '[N, hidden_size]'],
    ['google-research ALBERT', {}, 'cls/seq_relationship/output_bias', [3], '[3] where [2]', '[2]'],
    ['google-research ALBERT', {}, 'bert/pooler/dense/bias', [8, 1], '[8, 1] where [8]', '[hidden_size]'],
    [
      'Hugging Face BERT',
      { sizes: { E: 8 } },
      'bert.encoder.layer.1.output.dense.weight',
      [9, 12],
      '[9, 12] where [8, 12]',
      '[hidden_size, intermediate_size]',
    ],
    [
      'tf-models ALBERT (Keras, TF-Hub)',
      { split: true },
      'transformer/self_attention/query/kernel',
      [8, 4, 2],
      '[8, 4, 2] where [8, 2, 4]',
      '[hidden_size, num_attention_heads, hidden_size / num_attention_heads]',
    ],
    [
      'brightmart albert_zh, google_fast',
      { sizes: { H: 32, I: 48 } },
      'bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/dense/kernel',
      [2, 4, 16],
      '[2, 4, 16] where [2, 3, 16]',
      '[hidden_size / 16, intermediate_size / 16, 16]',
    ],
    [
      'brightmart albert_zh, google_fast, groups first',
      { sizes: { H: 32, I: 48 } },
      'bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/dense/bias',
      [16, 4],
      '[16, 4] where [16, 3]',
      '[16, intermediate_size / 16]',
    ],
  ])('%s %j: %s of %j', (title, options, variable, shape, words, labels) => {
    const { source, found, config } = read(title, options, { [variable]: shape })
    expect(
      errorOf(() => {
        checkDimensions(source, found, config)
      }),
    ).toEqual({
      kind: 'malformed',
      code: 'shape-mismatch',
      message: `shape ${words} is expected`,
      file: 'weights',
      tensor: variable,
      hint: `the configuration config.json and the other weights give ${labels}`,
    })
  })
})

it('names the number of heads if axes of their own have another', () => {
  const { source, found, config } = read('tf-models ALBERT (Keras, TF-Hub)', { split: true })
  expect(
    errorOf(() => {
      checkDimensions(source, found, { ...config, num_attention_heads: 4 })
    }),
  ).toMatchObject({
    field: 'num_attention_heads',
    message: 'num_attention_heads is 4, but 7 variables of the weights say 2',
  })
})

describe('weights with more layers or groups than the configuration', () => {
  it.each<[string, ModelOptions, Partial<ModelConfig>, string, number, number, string]>([
    [
      'Hugging Face BERT',
      { sizes: { E: 8, layers: 3 } },
      { num_hidden_layers: 2 },
      'num_hidden_layers',
      2,
      2,
      'bert.encoder.layer.2.attention.self.query.weight',
    ],
    [
      'Hugging Face ALBERT',
      { sizes: { groups: 2 } },
      { num_hidden_groups: 1 },
      'num_hidden_groups',
      1,
      1,
      'albert.encoder.albert_layer_groups.1.albert_layers.0.attention.query.weight',
    ],
    [
      'Hugging Face ALBERT',
      { sizes: { inner: 3 } },
      { inner_group_num: 1 },
      'inner_group_num',
      1,
      2,
      'albert.encoder.albert_layer_groups.0.albert_layers.2.attention.query.weight',
    ],
  ])('%s %j', (title, options, change, field, given, last, variable) => {
    const { found, config } = read(title, options)
    expect(() => {
      checkDepth(found, config)
    }).not.toThrow()
    expect(
      errorOf(() => {
        checkDepth(found, { ...config, ...change })
      }),
    ).toEqual({
      kind: 'malformed',
      code: 'config-mismatch',
      message: `${field} is ${given}, but the weights go up to number ${last}`,
      file: 'config.json',
      field,
      tensor: variable,
      hint: `${field} ${last + 1} would fit ${variable}`,
    })
  })
})

it('gives each letter the size of its field', () => {
  const { config } = read('google-research ALBERT', {})
  const letters = ['V', 'E', 'H', 'A', 'I', 'P', 'T', 'N', '2', '16'] as const satisfies readonly Dim[]
  expect(letters.map((dim) => sizeOf(dim, config))).toEqual([11, 4, 8, 8, 12, 6, 5, null, 2, 16])
  const bert: ModelConfig = { ...config, architecture: 'bert', embedding_size: 3 }
  expect(sizeOf('E', bert)).toBe(8)
})

it('takes the axes of heads, and of a bias in groups, as one', () => {
  const row = { slot: 'x', name: 'x', layout: 'as_is', prefixed: true } as const
  expect(mergeHeads({ ...row, dims: ['H', 'A'] }, [8, 2, 4])).toEqual([8, 8])
  expect(mergeHeads({ ...row, dims: ['A', 'H'] }, [2, 4, 8])).toEqual([8, 8])
  expect(mergeHeads({ ...row, dims: ['A'] }, [2, 4])).toEqual([8])
  expect(mergeHeads({ ...row, dims: ['A'] }, [8])).toEqual([8])
  expect(mergeHeads({ ...row, dims: ['16', 'I/16'] }, [16, 3])).toEqual([48])
  expect(mergeHeads({ ...row, dims: ['16', 'H/16', 'I/16'] }, [16, 2, 3])).toEqual([16, 2, 3])
  expect(mergeHeads({ ...row, dims: ['H', 'I'] }, [8, 2, 4])).toEqual([8, 2, 4])
})

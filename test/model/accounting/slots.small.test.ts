import { describe, expect, it } from 'vitest'
import { accountOf, lineOf } from '../../../src/model/accounting/account.js'
import { evaluate, polynomial, showFormula } from '../../../src/model/accounting/formula.js'
import { findPreset, presetHint, PRESETS } from '../../../src/model/accounting/presets.js'
import {
  nativeSharing,
  slotDifferences,
  slotOptionsOf,
  slotsIn,
  slotsOf,
  tableOf,
  type Slot,
  type SlotOptions,
} from '../../../src/model/accounting/slots.js'
import type { ModelConfig } from '../../../src/model/config.js'
import { plannedModel, type PlanOptions } from '../../helpers/planned-model.js'

/** Slots of small models from configurations, and from names and shapes. */

const [V, E, H, I, P, T] = [11, 4, 8, 12, 6, 5]
const base: ModelConfig = {
  ...findPreset('albert-base')!.config,
  vocab_size: V,
  embedding_size: E,
  hidden_size: H,
  intermediate_size: I,
  max_position_embeddings: P,
  type_vocab_size: T,
  num_attention_heads: 2,
  num_hidden_layers: 4,
}
const zh: ModelConfig = { ...base, family: 'zh' }
const hf: ModelConfig = { ...base, family: 'hf' }
const bert: ModelConfig = { ...base, family: 'bert', architecture: 'bert', embedding_size: H }

/** `slot: shape, uses` of the slots that fit, in short. */
const listed = (config: ModelConfig, options: SlotOptions, pattern: RegExp): string[] =>
  slotsOf(config, options)
    .filter(({ slot }) => pattern.test(slot))
    .map(({ slot, shape, uses, tokenwise }) => `${slot} [${shape.join()}] ${uses}${tokenwise ? ' tokenwise' : ''}`)

describe('the slots of a configuration', () => {
  const EMBEDDINGS = (width: number): string[] => [
    `embeddings/position_embeddings [6,${width}] 1`,
    `embeddings/token_type_embeddings [5,${width}] 1`,
    `embeddings/LayerNorm/gamma [${width}] 1`,
    `embeddings/LayerNorm/beta [${width}] 1`,
  ]
  it.each<[string, ModelConfig, SlotOptions, RegExp, string[]]>([
    [
      'google: embeddings, mapping, pooler',
      base,
      {},
      /^(?!encoder\/group)/,
      [
        'embeddings/word_embeddings [11,4] 1',
        ...EMBEDDINGS(E),
        'encoder/embedding_hidden_mapping_in/kernel [4,8] 1',
        'encoder/embedding_hidden_mapping_in/bias [8] 1',
        'pooler/dense/kernel [8,8] 1',
        'pooler/dense/bias [8] 1',
      ],
    ],
    [
      'zh: the factor, and no mapping',
      zh,
      { pooler: false },
      /^(?!encoder\/shared)/,
      ['embeddings/word_embeddings [11,4] 1', 'embeddings/word_embeddings_2 [4,8] 1', ...EMBEDDINGS(H)],
    ],
    ['bert', bert, { pooler: false }, /^(?!encoder\/layer)/, ['embeddings/word_embeddings [11,8] 1', ...EMBEDDINGS(H)]],
    ['google without a mapping', { ...base, embedding_size: H }, {}, /mapping/, []],
    [
      'hf with one all the same',
      { ...hf, embedding_size: H },
      {},
      /mapping.*kernel/,
      ['encoder/embedding_hidden_mapping_in/kernel [8,8] 1'],
    ],
    [
      'a layer',
      base,
      {},
      /^encoder\/group/,
      [
        ...['query', 'key', 'value', 'output'].flatMap((name) => [
          `encoder/group_0/inner_group_0/attention/${name}/kernel [8,8] 4`,
          `encoder/group_0/inner_group_0/attention/${name}/bias [8] 4`,
        ]),
        'encoder/group_0/inner_group_0/attention/LayerNorm/gamma [8] 4',
        'encoder/group_0/inner_group_0/attention/LayerNorm/beta [8] 4',
        'encoder/group_0/inner_group_0/ffn/intermediate/kernel [8,12] 4',
        'encoder/group_0/inner_group_0/ffn/intermediate/bias [12] 4',
        'encoder/group_0/inner_group_0/ffn/output/kernel [12,8] 4',
        'encoder/group_0/inner_group_0/ffn/output/bias [8] 4',
        'encoder/group_0/inner_group_0/ffn/LayerNorm/gamma [8] 4',
        'encoder/group_0/inner_group_0/ffn/LayerNorm/beta [8] 4',
      ],
    ],
    [
      'groups and inner layers',
      { ...base, num_hidden_groups: 2, inner_group_num: 2 },
      {},
      /query\/bias/,
      [
        'encoder/group_0/inner_group_0/attention/query/bias [8] 2',
        'encoder/group_0/inner_group_1/attention/query/bias [8] 2',
        'encoder/group_1/inner_group_0/attention/query/bias [8] 2',
        'encoder/group_1/inner_group_1/attention/query/bias [8] 2',
      ],
    ],
    [
      'attention shared alone',
      { ...zh, num_hidden_layers: 2 },
      { sharing: 'attention' },
      /(query|output)\/bias|Norm\/beta/,
      [
        'embeddings/LayerNorm/beta [8] 1',
        'encoder/shared/attention/query/bias [8] 2',
        'encoder/shared/attention/output/bias [8] 2',
        'encoder/shared/attention/LayerNorm/beta [8] 2',
        'encoder/layer_0/ffn/output/bias [8] 1',
        'encoder/layer_0/ffn/LayerNorm/beta [8] 1',
        'encoder/layer_1/ffn/output/bias [8] 1',
        'encoder/layer_1/ffn/LayerNorm/beta [8] 1',
      ],
    ],
    [
      'the feed-forward layer shared alone',
      { ...zh, num_hidden_layers: 2 },
      { sharing: 'ffn' },
      /(query|intermediate)\/bias/,
      [
        'encoder/layer_0/attention/query/bias [8] 1',
        'encoder/shared/ffn/intermediate/bias [12] 2',
        'encoder/layer_1/attention/query/bias [8] 1',
      ],
    ],
    [
      'inner layers, not shared',
      { ...base, num_hidden_layers: 1, inner_group_num: 2 },
      { sharing: 'none' },
      /query\/bias/,
      [
        'encoder/layer_0/inner_group_0/attention/query/bias [8] 1',
        'encoder/layer_0/inner_group_1/attention/query/bias [8] 1',
      ],
    ],
    [
      'LayerNorms of each layer',
      { ...base, num_hidden_layers: 2 },
      { ownNorms: true },
      /query\/bias|^encoder.*gamma/,
      [
        'encoder/group_0/inner_group_0/attention/query/bias [8] 2',
        ...[0, 1].flatMap((l) =>
          ['attention', 'ffn'].map((part) => `encoder/layer_${l}/inner_group_0/${part}/LayerNorm/gamma [8] 1`),
        ),
      ],
    ],
    [
      'kernels in sixteen groups',
      { ...base, family: 'google_fast', hidden_size: 32, intermediate_size: 48 },
      {},
      /ffn\/\w+\/(kernel|bias)/,
      [
        'encoder/group_0/inner_group_0/ffn/intermediate/kernel [16,2,3] 4',
        'encoder/group_0/inner_group_0/ffn/intermediate/bias [48] 4',
        'encoder/group_0/inner_group_0/ffn/output/kernel [16,3,2] 4',
        'encoder/group_0/inner_group_0/ffn/output/bias [32] 4',
      ],
    ],
    [
      'heads',
      base,
      { heads: ['mlm', 'sop', 'classifier', 'qa'], labels: 3, pooler: false },
      /^(mlm|sop|classifier|qa|pooler)/,
      [
        'mlm/transform/dense/kernel [8,4] 1 tokenwise',
        'mlm/transform/dense/bias [4] 1 tokenwise',
        'mlm/transform/LayerNorm/gamma [4] 1 tokenwise',
        'mlm/transform/LayerNorm/beta [4] 1 tokenwise',
        'mlm/output_bias [11] 1 tokenwise',
        'sop/output_weights [2,8] 1',
        'sop/output_bias [2] 1',
        'qa/output_weights [2,8] 1 tokenwise',
        'qa/output_bias [2] 1 tokenwise',
        'classifier/output_weights [3,8] 1',
        'classifier/output_bias [3] 1',
      ],
    ],
    [
      'a classifier of tokens, of two classes unless told',
      base,
      { heads: ['token-classifier'] },
      /^classifier/,
      ['classifier/output_weights [2,8] 1 tokenwise', 'classifier/output_bias [2] 1 tokenwise'],
    ],
    [
      'a decoder of its own',
      hf,
      { heads: ['mlm'], untied: true },
      /^mlm\/(decoder|output)/,
      ['mlm/output_bias [11] 1 tokenwise', 'mlm/decoder [11,4] 1 tokenwise'],
    ],
    ['a tied one', hf, { heads: ['mlm'] }, /^mlm\/(decoder|output)/, ['mlm/output_bias [11] 1 tokenwise']],
    [
      'poolers of heads',
      base,
      { heads: ['sop', 'classifier'], orderPooler: true, classifierPooler: true },
      /^(sop|classifier)\/pooler/,
      [
        'sop/pooler/dense/kernel [8,8] 1',
        'sop/pooler/dense/bias [8] 1',
        'classifier/pooler/dense/kernel [8,8] 1',
        'classifier/pooler/dense/bias [8] 1',
      ],
    ],
    [
      'the LayerNorm of a pre-LN classifier',
      { ...zh, norm_position: 'pre' },
      { heads: ['classifier'] },
      /^classifier\/Layer/,
      ['classifier/LayerNorm/gamma [8] 1', 'classifier/LayerNorm/beta [8] 1'],
    ],
    ['no such LayerNorm post-LN', zh, { heads: ['classifier'] }, /^classifier\/Layer/, []],
    ['nor without a classifier', { ...zh, norm_position: 'pre' }, { heads: ['sop'] }, /^classifier/, []],
  ])('%s', (_, config, options, pattern, expected) => {
    expect(listed(config, options, pattern).sort()).toEqual([...expected].sort())
  })

  it('are shared as the code of the family does', () => {
    expect([zh, base, hf, bert, { ...hf, architecture: 'bert' as const }].map(nativeSharing)).toEqual([
      'all',
      'groups',
      'groups',
      'none',
      'none',
    ])
  })

  it('have the names of the family and architecture', () => {
    expect([zh, base, hf, bert, { ...hf, architecture: 'bert' as const }].map((c) => tableOf(c).title)).toEqual([
      'brightmart albert_zh',
      'google-research ALBERT',
      'Hugging Face ALBERT',
      'google-research BERT',
      'Hugging Face BERT',
    ])
  })
})

describe('the slots of a model that was read', () => {
  const NONE = {
    heads: [],
    pooler: true,
    labels: 2,
    ownNorms: false,
    untied: false,
    orderPooler: false,
    classifierPooler: false,
  }
  it.each<[string, PlanOptions, Required<SlotOptions>]>([
    ['google-research ALBERT', {}, { ...NONE, sharing: 'groups' }],
    ['google-research ALBERT with a LayerNorm for every layer', {}, { ...NONE, sharing: 'groups', ownNorms: true }],
    ['brightmart albert_zh', {}, { ...NONE, sharing: 'all' }],
    ['brightmart albert_zh, google_fast', { sizes: { H: 32, I: 48 } }, { ...NONE, sharing: 'groups' }],
    ['brightmart albert_zh', { apart: true, parts: [] }, { ...NONE, sharing: 'none', pooler: false }],
    ['google-research BERT', { sizes: { E: 8 } }, { ...NONE, sharing: 'none' }],
    [
      'Hugging Face ALBERT',
      { parts: ['pooler', 'mlm', 'sop', 'classifier'] },
      { ...NONE, sharing: 'groups', heads: ['mlm', 'sop', 'classifier'], labels: 3 },
    ],
    [
      'Hugging Face ALBERT',
      { parts: ['mlm', 'mlm/decoder', 'qa'] },
      { ...NONE, sharing: 'groups', heads: ['mlm', 'qa'], pooler: false, untied: true },
    ],
    [
      'tf-models ALBERT (Keras, TF-Hub)',
      { split: true, parts: ['sop', 'sop/pooler', 'classifier', 'classifier/pooler'] },
      {
        ...NONE,
        sharing: 'groups',
        heads: ['sop', 'classifier'],
        labels: 3,
        pooler: false,
        orderPooler: true,
        classifierPooler: true,
      },
    ],
    [
      'tf-models ALBERT (Keras, TF-Hub)',
      { split: true, parts: ['pooler', 'sop'] },
      { ...NONE, sharing: 'groups', heads: ['sop'] },
    ],
  ])('%s %j: its choices, and no difference from its configuration', (title, options, expected) => {
    const { model } = plannedModel(title, options)
    expect(slotOptionsOf(model)).toEqual(expected)
    expect(slotDifferences(model)).toEqual([])
    const sorted = (all: readonly Slot[]) => [...all].sort((a, b) => (a.slot < b.slot ? -1 : 1))
    expect(sorted(slotsIn(model))).toEqual(sorted(slotsOf(model.config, expected)))
  })

  it.each(['attention', 'ffn'] as const)('of albert_zh that shares %s alone', (part) => {
    const shared = plannedModel('brightmart albert_zh').model
    const apart = plannedModel('brightmart albert_zh', { apart: true }).model
    const layers = apart.layers.map(([own], l) => {
      const common = shared.layers[l]![0]!
      const [a, f] = part === 'attention' ? [common, own!] : [own!, common]
      const { intermediate, output, outputNorm } = f
      return [{ ...a, intermediate, output, outputNorm }]
    })
    expect(slotOptionsOf({ ...apart, layers }).sharing).toBe(part)
    expect(slotDifferences({ ...apart, layers })).toEqual([])
  })

  it('differ from a configuration by name, shape and use', () => {
    const { model } = plannedModel('Hugging Face ALBERT', { parts: ['pooler', 'mlm'] })
    const changed = (config: Partial<ModelConfig>): string[] =>
      slotDifferences({ ...model, config: { ...model.config, ...config } })
    expect(changed({ vocab_size: 12 })).toEqual([
      'embeddings/word_embeddings is [11, 4] in the file and [12, 4] by configuration',
      'mlm/output_bias is [11] in the file and [12] by configuration',
    ])
    const deeper = changed({ num_hidden_layers: 3 })
    expect(deeper).toHaveLength(16)
    expect(deeper[0]).toBe('encoder/group_0/inner_group_0/attention/query/kernel is used 2 times, 3 by configuration')
    const grouped = changed({ num_hidden_groups: 2 })
    expect(grouped).toHaveLength(32)
    expect(grouped.slice(16, 17)).toEqual([
      'encoder/group_1/inner_group_0/attention/query/kernel is in the configuration and not in the file',
    ])
    const zhModel = plannedModel('brightmart albert_zh').model
    expect(slotDifferences({ ...zhModel, config: { ...zhModel.config, family: 'google' } })[0]).toBe(
      'embeddings/word_embeddings_2 is in the file and not in the configuration',
    )
  })

  it('of none that a table has stand alone', () => {
    const { model } = plannedModel('brightmart albert_zh')
    const foreign = { ...model.embeddings.word, slot: 'extra/odd' }
    const odd = { ...model, embeddings: { ...model.embeddings, word: foreign } }
    expect(slotsIn(odd)[0]).toEqual({
      slot: 'extra/odd',
      dims: [],
      groups: 1,
      shape: [V, E],
      uses: 1,
      tokenwise: false,
    })
  })
})

describe('the account', () => {
  it.each([
    ['embeddings/word_embeddings', 'embeddings/word'],
    ['embeddings/word_embeddings_2', 'embeddings/projection'],
    ['encoder/embedding_hidden_mapping_in/kernel', 'embeddings/projection'],
    ['embeddings/token_type_embeddings', 'embeddings/token type'],
    ['embeddings/LayerNorm/beta', 'embeddings/LayerNorm'],
    ['encoder/layer_1/attention/value/bias', 'attention/value'],
    ['encoder/shared/ffn/output/kernel', 'ffn/output'],
    ['encoder/group_0/inner_group_0/ffn/LayerNorm/gamma', 'ffn/LayerNorm'],
    ['classifier/LayerNorm/gamma', 'classifier'],
    ['mlm/output_bias', 'mlm'],
    ['alone', 'alone'],
  ])('has %s in %s', (slot, line) => {
    expect(lineOf(slot)).toBe(line)
  })

  it('has a line for each part in the order of the data, with copies and uses', () => {
    const account = accountOf(slotsOf({ ...base, num_hidden_groups: 2 }, { heads: ['sop'] }).reverse())
    const ATTENTION = H * H + H
    const lines = account.lines.map(({ key, part, formula, copies, stored, used }) => [
      key,
      part,
      formula,
      copies,
      stored,
      used,
    ])
    expect(lines).toEqual([
      ['embeddings/word', 'embeddings', 'V·E', 1, V * E, V * E],
      ['embeddings/projection', 'embeddings', 'E·H + H', 1, E * H + H, E * H + H],
      ['embeddings/position', 'embeddings', 'P·E', 1, P * E, P * E],
      ['embeddings/token type', 'embeddings', 'T·E', 1, T * E, T * E],
      ['embeddings/LayerNorm', 'norms', '2·E', 1, 2 * E, 2 * E],
      ...['query', 'key', 'value', 'output'].map((name) => [
        `attention/${name}`,
        'attention',
        'H² + H',
        2,
        2 * ATTENTION,
        4 * ATTENTION,
      ]),
      ['attention/LayerNorm', 'norms', '2·H', 2, 4 * H, 8 * H],
      ['ffn/intermediate', 'ffn', 'H·I + I', 2, 2 * (H * I + I), 4 * (H * I + I)],
      ['ffn/output', 'ffn', 'H·I + H', 2, 2 * (H * I + H), 4 * (H * I + H)],
      ['ffn/LayerNorm', 'norms', '2·H', 2, 4 * H, 8 * H],
      ['pooler', 'pooler', 'H² + H', 1, H * H + H, H * H + H],
      ['sop', 'heads', '2·H + 2', 1, 2 * H + 2, 2 * H + 2],
    ])
    expect(account.stored).toBe(account.lines.reduce((sum, line) => sum + line.stored, 0))
    expect(account.used).toBe(account.lines.reduce((sum, line) => sum + line.used, 0))
    expect(Object.values(account.parts).reduce((a, b) => a + b, 0)).toBe(account.stored)
  })
})

describe('formulas', () => {
  const of = (...products: string[]): string =>
    showFormula(polynomial(products.map((dims) => ({ dims: dims.split(' ') as never, groups: 1 }))))

  it('sort letters and terms, and gather what is alike', () => {
    expect(of('H', 'I', 'E H', 'V E', 'P E', 'T E', 'H H H', 'H H H H', 'N H', 'N')).toBe(
      'H⁴ + H³ + V·E + P·E + T·E + N·H + E·H + N + H + I',
    )
    expect(of('H A', 'A', 'A', '2 H', '2 2')).toBe('H² + 4·H + 4')
    expect(of('H H H H H')).toBe('H^5')
  })

  it('leave out what is zero', () => {
    expect(
      showFormula(
        new Map([
          ['H', 0],
          ['V E', 1],
          ['', 0],
        ]),
      ),
    ).toBe('V·E')
    expect(showFormula(new Map())).toBe('0')
  })

  it('have a value', () => {
    const sum = polynomial([
      { dims: ['V', 'E'], groups: 1 },
      { dims: ['N', 'A'], groups: 1 },
      { dims: ['H', 'I'], groups: 16 },
      { dims: ['2'], groups: 1 },
    ])
    expect(evaluate(sum, base, 3)).toBe(V * E + 3 * H + (H * I) / 16 + 2)
    expect(evaluate(sum, base)).toBe(V * E + 2 * H + (H * I) / 16 + 2)
  })
})

describe('presets', () => {
  it('are found by their name in any spelling', () => {
    expect(findPreset('  ALBERT_Base_V2 ')?.name).toBe('albert-base-v2')
    expect(findPreset('albert-base-v3')).toBeNull()
  })

  it('are proposed if a name is nearly right, else all are listed', () => {
    expect(presetHint('albert-bsae')).toBe('did you mean albert-base?')
    expect(presetHint('xyz')).toBe(`presets: ${PRESETS.map(({ name }) => name).join(', ')}`)
  })
})

import { describe, expect, it } from 'vitest'
import {
  groupOfLayer,
  parseConfig,
  type ConfigOptions,
  type Family,
  type ModelConfig,
  type RawConfig,
} from '../../src/model/config.js'
import { errorOf } from '../helpers/named-source.js'

/** Whole configurations, and whole errors. */

type Fields = Record<string, unknown>
const SIZES = {
  vocab_size: 10,
  embedding_size: 4,
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 16,
}
const raw = (fields: Fields): RawConfig => ({ file: 'config.json', fields })
const parse = (
  fields: Fields,
  family: Family = 'zh',
  architecture: 'albert' | 'bert' = family === 'bert' ? 'bert' : 'albert',
  options: ConfigOptions = {},
): ModelConfig => parseConfig(raw(fields), family, architecture, options)

const TF = {
  layer_norm_eps: 1e-12,
  hidden_act: 'gelu_tanh',
  norm_position: 'post',
  mask_penalty: -10000,
  id2label: null,
  file: 'config.json',
  num_hidden_groups: 1,
  inner_group_num: 1,
  max_position_embeddings: 512,
} as const

describe('a whole configuration', () => {
  it.each<[string, Fields, Family, 'albert' | 'bert', object]>([
    ['albert_zh', SIZES, 'zh', 'albert', { ...TF, ...SIZES, type_vocab_size: 16 }],
    [
      'of Google, with groups',
      { ...SIZES, num_hidden_groups: 2, inner_group_num: 3, type_vocab_size: 2, layer_norm_eps: 0.5, extra: 'x' },
      'google',
      'albert',
      { ...TF, ...SIZES, num_hidden_groups: 2, inner_group_num: 3, type_vocab_size: 2 },
    ],
    [
      'of Google, which says little',
      { vocab_size: 3 },
      'google',
      'albert',
      {
        ...TF,
        vocab_size: 3,
        embedding_size: 128,
        hidden_size: 4096,
        num_hidden_layers: 12,
        num_attention_heads: 64,
        intermediate_size: 16384,
        type_vocab_size: 2,
      },
    ],
    [
      'BERT, of which the embeddings are as wide as the rest',
      { ...SIZES, embedding_size: 3 },
      'bert',
      'bert',
      { ...TF, ...SIZES, embedding_size: 8, type_vocab_size: 16 },
    ],
    [
      'BERT, without sizes',
      { vocab_size: 5 },
      'bert',
      'bert',
      {
        ...TF,
        vocab_size: 5,
        embedding_size: 768,
        hidden_size: 768,
        num_hidden_layers: 12,
        num_attention_heads: 12,
        intermediate_size: 3072,
        type_vocab_size: 16,
      },
    ],
    [
      'transformers',
      { ...SIZES, model_type: 'albert', layer_norm_eps: 1e-5, hidden_act: 'gelu' },
      'hf',
      'albert',
      {
        ...TF,
        ...SIZES,
        type_vocab_size: 2,
        layer_norm_eps: 1e-5,
        hidden_act: 'gelu_erf',
        mask_penalty: -3.4028234663852886e38,
      },
    ],
    [
      'transformers, of BERT, which says nothing',
      {},
      'hf',
      'bert',
      {
        ...TF,
        vocab_size: 30522,
        embedding_size: 768,
        hidden_size: 768,
        num_hidden_layers: 12,
        num_attention_heads: 12,
        intermediate_size: 3072,
        type_vocab_size: 2,
        hidden_act: 'gelu_erf',
        mask_penalty: -3.4028234663852886e38,
      },
    ],
    [
      'transformers, of ALBERT, which says nothing',
      {},
      'hf',
      'albert',
      {
        ...TF,
        vocab_size: 30000,
        embedding_size: 128,
        hidden_size: 4096,
        num_hidden_layers: 12,
        num_attention_heads: 64,
        intermediate_size: 16384,
        type_vocab_size: 2,
        mask_penalty: -3.4028234663852886e38,
      },
    ],
    [
      'TensorFlow weights beside a config.json',
      { ...SIZES, model_type: 'albert', layer_norm_eps: 1e-6 },
      'google',
      'albert',
      { ...TF, ...SIZES, type_vocab_size: 2, layer_norm_eps: 1e-6 },
    ],
    [
      'all that a classifier may have',
      {
        ...SIZES,
        ln_type: 'preln',
        id2label: { 0: 'a', 1: 'b' },
        architectures: ['AlbertForTokenClassification'],
        problem_type: 'regression',
      },
      'zh',
      'albert',
      {
        ...TF,
        ...SIZES,
        type_vocab_size: 16,
        norm_position: 'pre',
        id2label: { 0: 'a', 1: 'b' },
        classifier_kind: 'token',
        problem_type: 'regression',
      },
    ],
    [
      'of albertkit itself, in the words of transformers',
      {
        ...SIZES,
        model_type: 'albert',
        num_hidden_groups: 1,
        inner_group_num: 1,
        albertkit: {
          family: 'zh',
          norm_position: 'pre',
          task: 'classify',
          mlm_head: { hidden_act: 'relu', layer_norm_eps: 0.1 },
        },
      },
      'zh',
      'albert',
      {
        ...TF,
        ...SIZES,
        type_vocab_size: 16,
        norm_position: 'pre',
        classifier_kind: 'sequence',
        mlm_head: { hidden_act: 'relu', layer_norm_eps: 0.1 },
      },
    ],
  ])('%s', (_, fields, family, architecture, expected) => {
    expect(parse(fields, family, architecture)).toEqual({ family, architecture, ...expected })
  })
})

describe('settings from elsewhere', () => {
  it('override the configuration', () => {
    const { layer_norm_eps, mask_penalty } = parse({ ...SIZES, layer_norm_eps: 0.1 }, 'hf', 'albert', {
      layerNormEpsilon: 1e-3,
      maskPenalty: -10000,
    })
    expect([layer_norm_eps, mask_penalty]).toEqual([1e-3, -10000])
    expect(parse(SIZES, 'zh', 'albert', { layerNormEpsilon: 1e-3 }).layer_norm_eps).toBe(1e-3)
  })

  it.each<[string, ConfigOptions, Fields, unknown]>([
    ['as the layers', { mlmHead: { hidden_act: 'gelu_tanh', layer_norm_eps: 1e-12 } }, {}, undefined],
    [
      'another epsilon',
      { mlmHead: { hidden_act: 'gelu_tanh', layer_norm_eps: 1e-5 } },
      {},
      { hidden_act: 'gelu_tanh', layer_norm_eps: 1e-5 },
    ],
    [
      'another activation',
      { mlmHead: { hidden_act: 'relu', layer_norm_eps: 1e-12 } },
      {},
      { hidden_act: 'relu', layer_norm_eps: 1e-12 },
    ],
    [
      'the epsilon that the user gives, for the head too',
      { layerNormEpsilon: 1e-3, mlmHead: { hidden_act: 'relu', layer_norm_eps: 1e-5 } },
      {},
      { hidden_act: 'relu', layer_norm_eps: 1e-3 },
    ],
    [
      'which makes it that of the layers',
      { layerNormEpsilon: 1e-3, mlmHead: { hidden_act: 'gelu_tanh', layer_norm_eps: 1e-5 } },
      {},
      undefined,
    ],
    [
      'the configuration before the code',
      { mlmHead: { hidden_act: 'relu', layer_norm_eps: 1e-5 } },
      { albertkit: { mlm_head: { hidden_act: 'swish', layer_norm_eps: 0.5 } } },
      { hidden_act: 'swish', layer_norm_eps: 0.5 },
    ],
    [
      'none that is out of range',
      {},
      { albertkit: { mlm_head: { hidden_act: 'relu', layer_norm_eps: 2 } } },
      undefined,
    ],
    [
      'none of an unknown function',
      {},
      { albertkit: { mlm_head: { hidden_act: 'x', layer_norm_eps: 0.1 } } },
      undefined,
    ],
  ])('a masked-token head has %s', (_, options, fields, expected) => {
    expect(parse({ ...SIZES, ...fields }, 'zh', 'albert', options).mlm_head).toEqual(expected)
  })

  it('of albertkit are read whole or not at all, and ln_type counts before them', () => {
    const position = (albertkit: unknown, more: Fields = {}) => parse({ ...SIZES, albertkit, ...more }).norm_position
    expect(position({ norm_position: 'pre' })).toBe('pre')
    expect(position({ norm_position: 'pre' }, { ln_type: 'postln' })).toBe('post')
    expect(position({ norm_position: 'pre', task: 5 })).toBe('post')
    expect(position({ norm_position: 'sideways' })).toBe('post')
    expect(parse({ ...SIZES, ln_type: 'preln' }, 'google').norm_position).toBe('post')
  })
})

describe('the kind of a classifier', () => {
  it.each<[unknown, unknown, string | undefined]>([
    [['BertForSequenceClassification'], undefined, 'sequence'],
    [['AlbertForMultipleChoice'], undefined, 'choice'],
    [['AlbertForMaskedLM'], undefined, undefined],
    [['X', 'BertForTokenClassification'], undefined, 'token'],
    [['ForTokenClassificationX'], undefined, undefined],
    ['AlbertForTokenClassification', undefined, undefined],
    [[5, null], undefined, undefined],
    [undefined, 'token-classification', 'token'],
    [undefined, 'multiple-choice', 'choice'],
    [undefined, 'mlm', undefined],
    [undefined, 'token', undefined],
  ])('of the architectures %j and the task %j is %s', (architectures, task, kind) => {
    const own = task === undefined ? {} : { albertkit: { task } }
    expect(parse({ ...SIZES, architectures, ...own }).classifier_kind).toBe(kind)
  })
})

describe('labels', () => {
  it.each<[unknown, Record<string, string> | null]>([
    [
      { 0: 'a', 1: 'b' },
      { 0: 'a', 1: 'b' },
    ],
    [{}, null],
    [{ 0: 5 }, null],
    ['none', null],
    [['a'], null],
    [null, null],
  ])('%j are %j', (id2label, expected) => {
    expect(parse({ ...SIZES, id2label }).id2label).toEqual(expected)
  })

  it.each<[Record<string, string>, string]>([
    [{ 1: 'a', 2: 'b' }, 'id2label has 2 labels, but none for class 0'],
    [{ 0: 'a', 2: 'b', 3: 'c' }, 'id2label has 3 labels, but none for class 1'],
    [{ 0: 'a', b: 'b' }, 'id2label has 2 labels, but none for class 1'],
  ])('%j have a gap', (id2label, message) => {
    expect(errorOf(() => parse({ ...SIZES, id2label }))).toEqual({
      kind: 'malformed',
      code: 'config-invalid',
      message,
      file: 'config.json',
      field: 'id2label',
      hint: 'classes are numbered from 0 without a gap',
    })
  })
})

describe('activations', () => {
  it.each<[unknown, Family, string]>([
    ['GELU', 'zh', 'gelu_tanh'],
    ['ReLU', 'google', 'relu'],
    ['swish', 'google_fast', 'swish'],
    ['linear', 'zh', 'linear'],
    ['tanh', 'bert', 'tanh'],
    ['silu', 'hf', 'swish'],
    ['gelu_fast', 'hf', 'gelu_tanh'],
    [undefined, 'google_fast', 'gelu_tanh'],
  ])('%j of %s is %s', (hidden_act, family, expected) => {
    const wide = { ...SIZES, hidden_size: 16 }
    expect(parse({ ...wide, hidden_act }, family).hidden_act).toBe(expected)
  })

  const TF_KNOWN = 'known are gelu, relu, tanh, linear'
  const HF_KNOWN =
    'known are gelu, gelu_python, gelu_new, gelu_fast, gelu_accurate, gelu_pytorch_tanh, gelu_python_tanh, relu, silu, ' +
    'swish, tanh, linear'
  it.each<[unknown, Family, 'malformed' | 'unsupported', string, string]>([
    ['swish', 'zh', 'malformed', 'which no zh model uses', TF_KNOWN],
    ['mish', 'bert', 'malformed', 'which no bert model uses', TF_KNOWN],
    ['mish', 'google_fast', 'malformed', 'which no google_fast model uses', `${TF_KNOWN}, swish`],
    [5, 'google', 'malformed', 'which no google model uses', TF_KNOWN],
    [['gelu'], 'hf', 'malformed', 'which no hf model uses', HF_KNOWN],
    ['GELU', 'hf', 'malformed', 'which no hf model uses', HF_KNOWN],
    [null, 'hf', 'malformed', 'which no hf model uses', HF_KNOWN],
    ['', 'hf', 'malformed', 'which no hf model uses', HF_KNOWN],
    ...['gelu_10', 'laplace', 'leaky_relu', 'mish', 'prelu', 'quick_gelu', 'relu2', 'relu6', 'sigmoid', 'xielu'].map(
      (name): [unknown, Family, 'unsupported', string, string] => [
        name,
        'hf',
        'unsupported',
        'a function that albertkit does not have',
        HF_KNOWN,
      ],
    ),
  ])('%j of %s is %s', (hidden_act, family, kind, words, hint) => {
    expect(errorOf(() => parse({ ...SIZES, hidden_act }, family))).toEqual({
      kind,
      code: kind === 'malformed' ? 'config-invalid' : 'architecture-unsupported',
      message: `hidden_act is ${JSON.stringify(hidden_act)}, ${words}`,
      file: 'config.json',
      field: 'hidden_act',
      hint,
    })
  })
})

describe('a configuration that is refused', () => {
  const WHOLE = (name: string, most = 2147483647): string => `${name} must be a whole number from 1 to ${most}`
  const invalid = { kind: 'malformed', code: 'config-invalid' }
  const other = { kind: 'unsupported', code: 'architecture-unsupported' }
  const own = 'give the configuration that belongs to these weights with `config`'
  const PAPERS = 'albertkit runs ALBERT and BERT as their papers have them'

  it.each<[Fields, Family, 'albert' | 'bert', Record<string, unknown>]>([
    [{ vocab_size: 0 }, 'zh', 'albert', { ...invalid, message: 'vocab_size is 0', hint: WHOLE('vocab_size') }],
    [
      { vocab_size: 2147483648 },
      'zh',
      'albert',
      { ...invalid, message: 'vocab_size is 2147483648', hint: WHOLE('vocab_size') },
    ],
    [
      { vocab_size: undefined },
      'zh',
      'albert',
      { ...invalid, message: 'vocab_size is missing', hint: WHOLE('vocab_size') },
    ],
    [
      { num_hidden_layers: 1025 },
      'zh',
      'albert',
      { ...invalid, message: 'num_hidden_layers is 1025', hint: WHOLE('num_hidden_layers', 1024) },
    ],
    [
      { num_hidden_groups: 0 },
      'google',
      'albert',
      { ...invalid, message: 'num_hidden_groups is 0', hint: WHOLE('num_hidden_groups', 1024) },
    ],
    [
      { inner_group_num: '1' },
      'google',
      'albert',
      { ...invalid, message: 'inner_group_num is "1"', hint: WHOLE('inner_group_num', 1024) },
    ],
    [
      { layer_norm_eps: 2 },
      'hf',
      'albert',
      { ...invalid, message: 'layer_norm_eps is 2', hint: 'layer_norm_eps must be a number between 0 and 1' },
    ],
    [
      { layer_norm_eps: 0 },
      'hf',
      'albert',
      { ...invalid, message: 'layer_norm_eps is 0', hint: 'layer_norm_eps must be a number between 0 and 1' },
    ],
    [
      { num_attention_heads: 3 },
      'zh',
      'albert',
      {
        ...invalid,
        message: 'num_attention_heads is 3, which does not divide hidden_size 8',
        hint: '1, 2, 4, 8 would fit',
      },
    ],
    [
      { num_attention_heads: 7, hidden_size: 720 },
      'zh',
      'albert',
      {
        ...invalid,
        message: 'num_attention_heads is 7, which does not divide hidden_size 720',
        hint: '1, 2, 3, 4, 5, 6, 8, 9, 10, 12 … would fit',
      },
    ],
    [
      { num_attention_heads: 5, hidden_size: 36 },
      'zh',
      'albert',
      {
        ...invalid,
        message: 'num_attention_heads is 5, which does not divide hidden_size 36',
        hint: '1, 2, 3, 4, 6, 9, 12, 18, 36 would fit',
      },
    ],
    [
      { num_attention_heads: 5, hidden_size: 48 },
      'zh',
      'albert',
      {
        ...invalid,
        message: 'num_attention_heads is 5, which does not divide hidden_size 48',
        hint: '1, 2, 3, 4, 6, 8, 12, 16, 24, 48 would fit',
      },
    ],
    [
      { hidden_size: 24 },
      'google_fast',
      'albert',
      {
        ...invalid,
        field: 'hidden_size',
        message: 'hidden_size is 24, which 16 groups of a feed-forward layer do not divide',
        hint: 'hidden_size must be a multiple of 16 for weights of google_fast',
      },
    ],
    [
      { hidden_size: 32, intermediate_size: 40 },
      'google_fast',
      'albert',
      {
        ...invalid,
        field: 'intermediate_size',
        message: 'intermediate_size is 40, which 16 groups of a feed-forward layer do not divide',
        hint: 'intermediate_size must be a multiple of 16 for weights of google_fast',
      },
    ],
    [
      { ln_type: 'sideways' },
      'zh',
      'albert',
      {
        ...invalid,
        message: 'ln_type is "sideways"',
        hint: 'use "postln" or "preln"; albert_zh takes anything else as pre-LN without saying so',
      },
    ],
    [
      { model_type: 'bert' },
      'hf',
      'albert',
      {
        kind: 'malformed',
        code: 'config-mismatch',
        message: 'model_type is "bert", but the weights have the names of albert',
        hint: `${own}; model_type "albert" would fit`,
      },
    ],
    ...(['is_decoder', 'add_cross_attention', 'is_encoder_decoder'] as const).map(
      (field): [Fields, Family, 'bert', Record<string, unknown>] => [
        { [field]: true },
        'hf',
        'bert',
        {
          ...other,
          message: `${field} is true: the model is a decoder, whose tokens see only those before them`,
          hint: 'albertkit runs encoders; if the model was trained as one, give a configuration that says so with `config`',
        },
      ],
    ),
    [
      { use_relative_position: true },
      'bert',
      'bert',
      { ...other, message: 'use_relative_position is true: positions are relative, as in NEZHA', hint: PAPERS },
    ],
    [
      { relative_attention: 1 },
      'bert',
      'bert',
      { ...other, message: 'relative_attention is 1: positions are relative, as in DeBERTa', hint: PAPERS },
    ],
    [
      { use_task_id: true },
      'bert',
      'bert',
      {
        ...other,
        message: 'use_task_id is true: task type embeddings are added to every token, as in ERNIE',
        hint: PAPERS,
      },
    ],
    [
      { rotary_value: 'x'.repeat(99) },
      'bert',
      'bert',
      { ...other, message: `rotary_value is "${'x'.repeat(58)}…: positions are rotary, as in RoFormer`, hint: PAPERS },
    ],
    [
      { pre_seq_len: 8 },
      'bert',
      'bert',
      {
        ...other,
        message: 'pre_seq_len is 8: a trained prefix stands before every text, as in P-Tuning v2',
        hint: PAPERS,
      },
    ],
    [
      { num_hidden_groups: 1 },
      'zh',
      'albert',
      {
        kind: 'malformed',
        code: 'config-mismatch',
        message: "num_hidden_groups belongs to Google's ALBERT, but the weights are albert_zh's",
        hint: own,
      },
    ],
    [
      { num_hidden_groups: 1 },
      'bert',
      'bert',
      {
        kind: 'malformed',
        code: 'config-mismatch',
        message: "num_hidden_groups belongs to Google's ALBERT, but the weights are BERT's",
        hint: own,
      },
    ],
    [
      { position_embedding_type: 'relative_key' },
      'hf',
      'bert',
      {
        ...other,
        message: 'position_embedding_type is "relative_key"',
        hint: 'albertkit runs absolute position embeddings',
      },
    ],
    [{ pruned_heads: { 0: [1] } }, 'hf', 'bert', { ...other, message: 'the model has pruned attention heads' }],
    [
      { model_type: 'mpnet' },
      'google',
      'albert',
      {
        ...other,
        message: 'model_type is "mpnet" (MPNet): albertkit runs albert and bert',
        hint: 'MPNet computes something else with weights that are named alike: convert it with the tools of its own code',
      },
    ],
  ])('%j of %s %s', (fields, family, architecture, expected) => {
    const field = Object.hasOwn(expected, 'field') ? {} : { field: Object.keys(fields)[0] }
    expect(errorOf(() => parse({ ...SIZES, ...fields }, family, architecture))).toEqual({
      file: 'config.json',
      ...field,
      ...expected,
    })
  })

  it.each<[Fields, Family, 'albert' | 'bert']>([
    [{ is_decoder: true }, 'hf', 'albert'],
    [{ is_decoder: false, add_cross_attention: null }, 'hf', 'bert'],
    [{ use_relative_position: false, relative_attention: null }, 'bert', 'bert'],
    [{ position_embedding_type: null }, 'hf', 'bert'],
    [{ position_embedding_type: 'absolute', pruned_heads: {} }, 'hf', 'bert'],
    [{ pruned_heads: null }, 'hf', 'bert'],
    [{ model_type: 'bert' }, 'google', 'albert'],
    [{ num_hidden_groups: 1, albertkit: {} }, 'zh', 'albert'],
    [{ num_hidden_groups: 0, inner_group_num: -1, albertkit: {} }, 'zh', 'albert'],
    [{ num_hidden_groups: 7, inner_group_num: -1 }, 'hf', 'bert'],
    [{ vocab_size: 1, num_hidden_layers: 1024, layer_norm_eps: 1 }, 'hf', 'albert'],
    [{ vocab_size: 2147483647 }, 'zh', 'albert'],
  ])('is not one of %j of %s %s', (fields, family, architecture) => {
    const { num_hidden_groups, inner_group_num } = parse({ ...SIZES, ...fields }, family, architecture)
    expect([num_hidden_groups, inner_group_num]).toEqual([1, 1])
  })
})

it('takes layers in equal shares into the groups', () => {
  const config = { ...parse(SIZES), num_hidden_layers: 6, num_hidden_groups: 3 }
  for (const family of ['google', 'hf'] as const)
    expect([0, 1, 2, 3, 4, 5].map((layer) => groupOfLayer({ ...config, family }, layer))).toEqual([0, 0, 1, 1, 2, 2])
})

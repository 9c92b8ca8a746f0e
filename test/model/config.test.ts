import { describe, expect, it } from 'vitest'
import { AlbertkitError } from '../../src/base/errors.js'
import { groupOfLayer, parseConfig } from '../../src/model/config.js'

const zh = {
  vocab_size: 10,
  embedding_size: 4,
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 16,
  hidden_act: 'gelu',
}
const parse = (
  fields: object,
  family: 'zh' | 'google' | 'bert' | 'hf' = 'zh',
  architecture: 'albert' | 'bert' = 'albert',
) => parseConfig({ file: 'config.json', fields: fields as Record<string, unknown> }, family, architecture)

describe('defaults are those of the genuine code', () => {
  it('albert_zh', () => {
    expect(parse(zh)).toMatchObject({
      type_vocab_size: 16,
      max_position_embeddings: 512,
      norm_position: 'post',
      layer_norm_eps: 1e-12,
      mask_penalty: -10000,
    })
  })
  it("Google's are xxlarge's", () => {
    expect(parse({ vocab_size: 30000 }, 'google')).toMatchObject({
      embedding_size: 128,
      hidden_size: 4096,
      num_attention_heads: 64,
      intermediate_size: 16384,
      num_hidden_groups: 1,
      inner_group_num: 1,
      type_vocab_size: 2,
    })
  })
  it('BERT has no separate embedding size', () => {
    expect(parse({ ...zh, embedding_size: 3 }, 'bert', 'bert').embedding_size).toBe(8)
  })
})

describe('gelu', () => {
  it('is the tanh form in TensorFlow, the erf form in transformers', () => {
    expect(parse(zh).hidden_act).toBe('gelu_tanh')
    expect(parse(zh, 'hf').hidden_act).toBe('gelu_erf')
    expect(parse({ ...zh, hidden_act: 'gelu_new' }, 'hf').hidden_act).toBe('gelu_tanh')
    expect(parse({ ...zh, model_type: 'albert', hidden_act: 'gelu_new' }, 'google').hidden_act).toBe('gelu_tanh')
  })
  it.each([
    ['gelu_accurate', 'gelu_tanh'],
    ['gelu_python_tanh', 'gelu_tanh'],
    ['gelu_pytorch_tanh', 'gelu_tanh'],
    ['gelu_python', 'gelu_erf'],
  ])('of transformers by another name, %s, is %s', (hidden_act, expected) => {
    expect(parse({ ...zh, hidden_act }, 'hf').hidden_act).toBe(expected)
  })
})

describe('hidden_act', () => {
  const { hidden_act: _, ...without } = zh
  it.each([
    ['zh', 'albert', 'gelu_tanh'],
    ['bert', 'bert', 'gelu_tanh'],
    ['hf', 'albert', 'gelu_tanh'],
    ['hf', 'bert', 'gelu_erf'],
  ] as const)('that is missing is the default of the code of %s %s', (family, architecture, expected) => {
    expect(parse(without, family, architecture).hidden_act).toBe(expected)
  })
  it.each([null, ''])("%j means no function in TensorFlow's code", (hidden_act) => {
    expect(parse({ ...zh, hidden_act }).hidden_act).toBe('linear')
  })
})

describe('ln_type', () => {
  it.each([
    [undefined, 'post'],
    [null, 'post'],
    ['postln', 'post'],
    ['preln', 'pre'],
  ])('%s is %s-LN', (ln_type, expected) => {
    expect(parse({ ...zh, ln_type }).norm_position).toBe(expected)
  })
})

describe('an error names the field', () => {
  it.each([
    [{ ...zh, hidden_size: '8' }, 'hidden_size'],
    [{ ...zh, hidden_size: 8.5 }, 'hidden_size'],
    [{ ...zh, hidden_size: -8 }, 'hidden_size'],
    [{ ...zh, embedding_size: undefined }, 'embedding_size'],
    [{ ...zh, num_hidden_layers: 1e9 }, 'num_hidden_layers'],
    [{ ...zh, num_attention_heads: 3 }, 'num_attention_heads'],
    [{ ...zh, hidden_act: 'gelu_sideways' }, 'hidden_act'],
    [{ ...zh, hidden_act: 'constructor' }, 'hidden_act'],
    [{ ...zh, ln_type: 'sideways' }, 'ln_type'],
    [{ ...zh, num_hidden_groups: 1 }, 'num_hidden_groups'],
    [{ ...zh, position_embedding_type: 'relative_key' }, 'position_embedding_type'],
    [{ ...zh, pruned_heads: { 0: [1] } }, 'pruned_heads'],
  ])('%j: %s', (fields, field) => {
    let error: unknown
    try {
      parse(fields)
    } catch (e) {
      error = e
    }
    expect(error).toBeInstanceOf(AlbertkitError)
    expect((error as AlbertkitError).place).toEqual({ file: 'config.json', field })
  })
})

describe('the group of a layer', () => {
  const config = (family: 'google' | 'hf', L: number, G: number) => ({
    ...parse({ ...zh, num_hidden_layers: L }, 'google'),
    family,
    num_hidden_groups: G,
  })
  it("is Google's formula in double precision", () => {
    expect(groupOfLayer(config('google', 22, 22), 15)).toBe(14)
    expect([0, 1, 2, 3].map((l) => groupOfLayer(config('google', 4, 2), l))).toEqual([0, 0, 1, 1])
  })
  it("is transformers' for its own files", () => {
    expect(groupOfLayer(config('hf', 22, 22), 15)).toBe(15)
    expect([0, 1, 2, 3, 4].map((l) => groupOfLayer(config('hf', 5, 2), l))).toEqual([0, 0, 0, 1, 1])
  })
})

import { describe, expect, it } from 'vitest'
import type { GraphNode } from '../../../src/formats/core/source.js'
import { draftConfig } from '../../../src/model/load/draft-config.js'
import { identify } from '../../../src/model/names/identify.js'
import { modelShapes, namedSource, type ModelOptions, type SourceOptions } from '../../helpers/named-source.js'

function draft(title: string, options: ModelOptions = {}, more: SourceOptions = {}) {
  const source = namedSource(modelShapes(title, options), more)
  return draftConfig(source, identify(source))
}

const node = (name: string, op: string, numbers: number[] | null = null, inputs: string[] = []): GraphNode => ({
  name,
  op,
  inputs,
  numbers: () => numbers,
})

/** A graph of albert_zh that shows heads, depth and position of the LayerNorms. */
const graph = (input: string) => ({
  file: 'model.meta',
  nodes: () => [
    node('bert/encoder/layer_shared/attention/self/Reshape/shape/2', 'Const', [4]),
    node('bert/encoder/layer_shared_6/attention/self/Softmax', 'Softmax'),
    node('bert/encoder/layer_shared/attention/output/LayerNorm/moments/mean', 'Mean', null, [input]),
    node('bert/encoder/layer_shared/attention/output/LayerNorm/batchnorm/add/y', 'Const', [1e-5]),
  ],
})

const COMMON = { vocab_size: 11, hidden_size: 8, intermediate_size: 12, max_position_embeddings: 6, type_vocab_size: 5 }

describe('the draft of a configuration', () => {
  it.each<[string, ModelOptions, SourceOptions, object]>([
    [
      'google-research ALBERT',
      { sizes: { groups: 2, layers: 4 } },
      {},
      {
        file: 'albert_config.json',
        fields: {
          ...COMMON,
          embedding_size: 4,
          num_hidden_layers: null,
          num_hidden_groups: 2,
          inner_group_num: 1,
          num_attention_heads: null,
          hidden_act: 'gelu',
        },
        unknown: ['num_hidden_layers', 'num_attention_heads'],
        assumed: ['hidden_act'],
      },
    ],
    [
      'google-research BERT',
      { sizes: { E: 8, layers: 3 } },
      {},
      {
        file: 'bert_config.json',
        fields: { ...COMMON, num_hidden_layers: 3, num_attention_heads: null, hidden_act: 'gelu' },
        unknown: ['num_attention_heads'],
        assumed: ['hidden_act'],
      },
    ],
    [
      'brightmart albert_zh',
      {},
      {},
      {
        file: 'albert_config.json',
        fields: {
          ...COMMON,
          embedding_size: 4,
          num_hidden_layers: null,
          num_attention_heads: null,
          hidden_act: 'gelu',
          ln_type: 'postln',
        },
        unknown: ['num_hidden_layers', 'num_attention_heads'],
        assumed: ['hidden_act', 'ln_type'],
      },
    ],
    [
      'brightmart albert_zh',
      { apart: true },
      {},
      {
        file: 'albert_config.json',
        fields: {
          ...COMMON,
          embedding_size: 4,
          num_hidden_layers: 2,
          num_attention_heads: null,
          hidden_act: 'gelu',
          ln_type: 'postln',
        },
        unknown: ['num_attention_heads'],
        assumed: ['hidden_act', 'ln_type'],
      },
    ],
    [
      'brightmart albert_zh',
      { parts: ['pooler', 'classifier', 'classifier/LayerNorm'] },
      {},
      {
        file: 'albert_config.json',
        fields: {
          ...COMMON,
          embedding_size: 4,
          num_hidden_layers: null,
          num_attention_heads: null,
          hidden_act: 'gelu',
          ln_type: 'preln',
        },
        unknown: ['num_hidden_layers', 'num_attention_heads'],
        assumed: ['hidden_act'],
      },
    ],
    [
      'brightmart albert_zh',
      {},
      { graph: graph('bert/encoder/Reshape_1') },
      {
        file: 'albert_config.json',
        fields: {
          ...COMMON,
          embedding_size: 4,
          num_hidden_layers: 7,
          num_attention_heads: 4,
          hidden_act: 'gelu',
          ln_type: 'preln',
        },
        unknown: [],
        assumed: ['hidden_act'],
      },
    ],
    [
      'brightmart albert_zh',
      {},
      { graph: graph('bert/encoder/layer_shared/attention/output/add') },
      {
        file: 'albert_config.json',
        fields: {
          ...COMMON,
          embedding_size: 4,
          num_hidden_layers: 7,
          num_attention_heads: 4,
          hidden_act: 'gelu',
          ln_type: 'postln',
        },
        unknown: [],
        assumed: ['hidden_act'],
      },
    ],
    [
      'google-research ALBERT with a LayerNorm for every layer',
      { sizes: { layers: 3 } },
      {},
      {
        file: 'albert_config.json',
        fields: {
          ...COMMON,
          embedding_size: 4,
          num_hidden_layers: 3,
          num_hidden_groups: 1,
          inner_group_num: 1,
          num_attention_heads: null,
          hidden_act: 'gelu',
        },
        unknown: ['num_attention_heads'],
        assumed: ['hidden_act'],
      },
    ],
    [
      'Hugging Face ALBERT',
      { sizes: { inner: 2 } },
      {},
      {
        file: 'config.json',
        fields: {
          ...COMMON,
          model_type: 'albert',
          embedding_size: 4,
          num_hidden_layers: null,
          num_hidden_groups: 1,
          inner_group_num: 2,
          num_attention_heads: null,
          hidden_act: 'gelu_new',
          layer_norm_eps: 1e-12,
        },
        unknown: ['num_hidden_layers', 'num_attention_heads'],
        assumed: ['hidden_act', 'layer_norm_eps'],
      },
    ],
    [
      'Hugging Face BERT',
      { sizes: { E: 8 } },
      { graph: graph('x') },
      {
        file: 'config.json',
        fields: {
          ...COMMON,
          model_type: 'bert',
          num_hidden_layers: 7,
          num_attention_heads: 4,
          hidden_act: 'gelu',
          layer_norm_eps: 1e-5,
        },
        unknown: [],
        assumed: ['hidden_act'],
      },
    ],
    [
      'bert4keras ALBERT',
      {},
      {},
      {
        file: 'config.json',
        fields: {
          ...COMMON,
          model_type: 'albert',
          embedding_size: 4,
          num_hidden_layers: null,
          num_hidden_groups: 1,
          inner_group_num: 1,
          num_attention_heads: null,
          hidden_act: 'gelu_new',
          layer_norm_eps: 1e-12,
        },
        unknown: ['num_hidden_layers', 'num_attention_heads'],
        assumed: ['hidden_act', 'layer_norm_eps'],
      },
    ],
    [
      'tf-models ALBERT (Keras, TF-Hub)',
      { split: true },
      {},
      {
        file: 'albert_config.json',
        fields: {
          ...COMMON,
          embedding_size: 4,
          num_hidden_layers: null,
          num_hidden_groups: 1,
          inner_group_num: 1,
          num_attention_heads: 2,
          hidden_act: 'gelu',
        },
        unknown: ['num_hidden_layers'],
        assumed: ['hidden_act'],
      },
    ],
    [
      'albert_zh in PyTorch (albert_pytorch)',
      {},
      {},
      {
        file: 'config.json',
        fields: {
          ...COMMON,
          model_type: 'albert',
          embedding_size: 4,
          num_hidden_layers: null,
          num_attention_heads: null,
          hidden_act: 'gelu_new',
          layer_norm_eps: 1e-12,
          ln_type: 'postln',
        },
        unknown: ['num_hidden_layers', 'num_attention_heads'],
        assumed: ['hidden_act', 'layer_norm_eps', 'ln_type'],
      },
    ],
  ])('of %s %j', (title, options, more, expected) => {
    expect(draft(title, options, more)).toEqual(expected)
  })

  it('takes nothing from a graph that is damaged', () => {
    const damaged = {
      file: 'model.meta',
      nodes: () => {
        throw new Error('damaged')
      },
    }
    expect(draft('brightmart albert_zh', {}, { graph: damaged })).toEqual(draft('brightmart albert_zh'))
  })

  it('has null for a size that no shape has', () => {
    const { 'bert/embeddings/token_type_embeddings': _, ...shapes } = modelShapes('google-research ALBERT')
    const source = namedSource(shapes)
    expect(draftConfig(source, identify(source)).unknown).toEqual([
      'num_hidden_layers',
      'num_attention_heads',
      'type_vocab_size',
    ])
    const bare = namedSource({ 'bert/encoder/transformer/group_0/inner_group_0/LayerNorm/beta': [3] })
    expect(draftConfig(bare, identify(bare)).unknown).toEqual([
      'vocab_size',
      'embedding_size',
      'num_hidden_layers',
      'num_attention_heads',
      'intermediate_size',
      'max_position_embeddings',
      'type_vocab_size',
    ])
  })
})

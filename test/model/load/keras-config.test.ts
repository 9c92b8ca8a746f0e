import { describe, expect, it } from 'vitest'
import { fromKerasConfig, WORDS } from '../../../src/model/load/keras-config.js'
import { errorOf } from '../../helpers/named-source.js'

/** Arguments of keras-hub's AlbertBackbone, and the same in our words. */
const ALBERT = {
  name: 'albert_backbone',
  trainable: true,
  vocabulary_size: 30000,
  num_layers: 12,
  num_heads: 12,
  num_groups: 1,
  num_inner_repetitions: 1,
  embedding_dim: 128,
  hidden_dim: 768,
  intermediate_dim: 3072,
  dropout: 0.1,
  max_sequence_length: 512,
  num_segments: 2,
}
const FIXED = { hidden_act: 'gelu_new', layer_norm_eps: 1e-12 }
const OURS = {
  ...FIXED,
  vocab_size: 30000,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  num_hidden_groups: 1,
  inner_group_num: 1,
  embedding_size: 128,
  hidden_size: 768,
  intermediate_size: 3072,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  max_position_embeddings: 512,
  type_vocab_size: 2,
}
const { num_groups: _g, num_inner_repetitions: _i, embedding_dim: _e, ...BERT } = ALBERT
const { num_hidden_groups: _hg, inner_group_num: _ig, embedding_size: _es, ...OUR_BERT } = OURS

type Fields = Record<string, unknown>
const object = (class_name: string, config: Fields, more: Fields = {}): Fields => ({
  module: 'keras_hub.src.models',
  class_name,
  config,
  registered_name: `keras_hub>${class_name}`,
  ...more,
})
const read = (fields: Fields, task: Fields | null = null) =>
  fromKerasConfig({ file: 'config.json', fields }, () => task)

describe('a configuration of keras-hub', () => {
  it.each<[string, Fields, Fields | null | undefined, Fields]>([
    ['a backbone', object('AlbertBackbone', ALBERT), undefined, { fields: { model_type: 'albert', ...OURS } }],
    ['of BERT', object('BertBackbone', BERT), null, { fields: { model_type: 'bert', ...OUR_BERT } }],
    [
      'by its registered name',
      object('keras_nlp>BertBackbone', BERT),
      null,
      { fields: { model_type: 'bert', ...OUR_BERT } },
    ],
    [
      'by that of keras-hub',
      object('keras_hub>AlbertBackbone', ALBERT),
      null,
      { fields: { model_type: 'albert', ...OURS } },
    ],
    [
      'a classifier with a softmax',
      object('AlbertTextClassifier', {
        backbone: object('AlbertBackbone', ALBERT),
        num_classes: 3,
        activation: 'softmax',
      }),
      null,
      {
        fields: { model_type: 'albert', ...OURS, architectures: ['AlbertForSequenceClassification'] },
        classifierActivation: 'softmax',
      },
    ],
    [
      'a classifier of logits',
      object('BertTextClassifier', { backbone: object('BertBackbone', BERT), activation: 'linear' }),
      null,
      { fields: { model_type: 'bert', ...OUR_BERT, architectures: ['BertForSequenceClassification'] } },
    ],
    [
      'an activation as an object',
      object('BertClassifier', {
        backbone: object('BertBackbone', BERT),
        activation: { module: 'builtins', class_name: 'function', config: 'sigmoid', registered_name: 'function' },
      }),
      null,
      {
        fields: { model_type: 'bert', ...OUR_BERT, architectures: ['BertForSequenceClassification'] },
        classifierActivation: 'sigmoid',
      },
    ],
    [
      'an activation that is no name',
      object('BertClassifier', { backbone: object('BertBackbone', BERT), activation: { config: 5 } }),
      null,
      { fields: { model_type: 'bert', ...OUR_BERT, architectures: ['BertForSequenceClassification'] } },
    ],
    [
      'a masked-token model',
      object('AlbertMaskedLM', { backbone: object('AlbertBackbone', ALBERT) }),
      null,
      { fields: { model_type: 'albert', ...OURS, architectures: ['AlbertForMaskedLM'] } },
    ],
    [
      'a model of the user, as layers',
      object('Functional', {
        layers: [object('InputLayer', {}), 'x', object('AlbertBackbone', ALBERT), object('Dense', {})],
      }),
      null,
      { fields: { model_type: 'albert', ...OURS } },
    ],
    [
      'a preset, whose head is in task.json',
      object('BertBackbone', BERT),
      object('BertTextClassifier', { activation: 'softmax' }),
      {
        fields: { model_type: 'bert', ...OUR_BERT, architectures: ['BertForSequenceClassification'] },
        classifierActivation: 'softmax',
      },
    ],
    [
      'a preset, whose task is a backbone',
      object('BertBackbone', BERT),
      object('BertBackbone', BERT),
      { fields: { model_type: 'bert', ...OUR_BERT } },
    ],
    [
      'a backbone of float32',
      object('BertBackbone', { ...BERT, dtype: 'float32' }),
      null,
      { fields: { model_type: 'bert', ...OUR_BERT } },
    ],
    [
      'a backbone of another type',
      object('BertBackbone', { ...BERT, dtype: 'bfloat16' }),
      null,
      { fields: { model_type: 'bert', ...OUR_BERT }, computesIn: 'bfloat16' },
    ],
    [
      'a policy',
      object('BertBackbone', { ...BERT, dtype: object('DTypePolicy', { name: 'mixed_float16' }) }),
      null,
      { fields: { model_type: 'bert', ...OUR_BERT }, computesIn: 'mixed_float16' },
    ],
    [
      'a policy without a name',
      object('BertBackbone', { ...BERT, dtype: object('DTypePolicy', { name: 5 }) }),
      null,
      { fields: { model_type: 'bert', ...OUR_BERT } },
    ],
    ['the arguments of ALBERT alone', ALBERT, null, { fields: { model_type: 'albert', ...OURS } }],
    [
      'of which groups tell the kind',
      { num_groups: 1 },
      null,
      { fields: { model_type: 'albert', ...FIXED, num_hidden_groups: 1 } },
    ],
    [
      'of which the width tells it',
      { embedding_dim: 4 },
      null,
      { fields: { model_type: 'albert', ...FIXED, embedding_size: 4 } },
    ],
    ['the arguments of BERT alone', BERT, null, { fields: OUR_BERT }],
  ])('%s', (_, fields, task, expected) => {
    expect(read(fields, task)).toStrictEqual({ file: 'config.json', words: WORDS, ...expected })
  })

  it.each<[string, Fields]>([
    ['transformers', { model_type: 'albert', hidden_size: 8, num_layers: 12 }],
    ['Google', { hidden_size: 8, num_hidden_layers: 2 }],
    ['a word that others use too', { hidden_size: 8, dropout: 0.1 }],
    ['an object that is none', { class_name: 'AlbertBackbone', config: [] }],
    ['an object without a class', { class_name: 5, config: ALBERT }],
  ])('is not one of %s, which stays as it is', (_, fields) => {
    const raw = { file: 'config.json', fields }
    expect(fromKerasConfig(raw)).toBe(raw)
  })

  const nested = (depth: number): Fields =>
    depth === 0 ? object('AlbertBackbone', ALBERT) : object('Functional', { layers: [nested(depth - 1)] })
  it('is looked for eight objects deep', () => {
    expect(read(nested(8)).fields.model_type).toBe('albert')
    expect(errorOf(() => read(nested(9))).code).toBe('architecture-unsupported')
  })

  it.each<[Fields, string]>([
    [object('GPT2Backbone', {}), 'GPT2Backbone'],
    [object('AlbertBackboneV2', {}), 'AlbertBackboneV2'],
    [object('MyAlbertBackbone', {}), 'MyAlbertBackbone'],
    [
      object('RobertaTextClassifier', { backbone: object('RobertaBackbone', {}) }),
      'RobertaTextClassifier with a RobertaBackbone',
    ],
    [object('Functional', { layers: [object('Dense', {})] }), 'Functional'],
    [object('Functional', { layers: 'none', backbone: [] }), 'Functional'],
  ])('of another model is refused: %j', (fields, words) => {
    expect(errorOf(() => read(fields))).toEqual({
      kind: 'unsupported',
      code: 'architecture-unsupported',
      message: `the configuration is of a Keras ${words}`,
      file: 'config.json',
      field: 'class_name',
      hint: 'albertkit reads AlbertBackbone and BertBackbone of keras-hub and the tasks on them',
    })
  })
})

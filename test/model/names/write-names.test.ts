import { describe, expect, it } from 'vitest'
import type { ModelConfig } from '../../../src/model/config.js'
import { findPreset } from '../../../src/model/accounting/presets.js'
import { guessFamily } from '../../../src/model/names/guess-family.js'
import { inScope, toRows } from '../../../src/model/names/row.js'
import { nameSlots, tableFor } from '../../../src/model/names/write-names.js'
import { tableOf } from '../../helpers/named-source.js'

const base: ModelConfig = { ...findPreset('albert-base')!.config, num_hidden_layers: 4, num_hidden_groups: 2 }

describe('the table of a family', () => {
  const titleOf = (config: Partial<ModelConfig>, ...slots: string[]): string =>
    tableFor({ ...base, ...config }, slots).title

  it('is the one that has a place for most slots, the first of several', () => {
    expect(titleOf({}, 'encoder/group_0/inner_group_0/attention/LayerNorm/gamma')).toBe('google-research ALBERT')
    expect(titleOf({}, 'encoder/layer_3/inner_group_0/attention/LayerNorm/gamma')).toBe(
      'google-research ALBERT with a LayerNorm for every layer',
    )
    expect(titleOf({}, 'sop/pooler/dense/kernel', 'sop/output_bias')).toBe('tf-models ALBERT (Keras, TF-Hub)')
    expect(titleOf({ family: 'bert', architecture: 'bert' }, 'pooler/dense/bias')).toBe('google-research BERT')
    expect(titleOf({ family: 'hf' })).toBe('Hugging Face ALBERT')
    expect(titleOf({ family: 'hf', architecture: 'bert' })).toBe('Hugging Face BERT')
    expect(titleOf({ family: 'zh' }, 'nothing')).toBe('brightmart albert_zh')
  })

  it('is none for a family that does not have the architecture', () => {
    expect(() => titleOf({ family: 'zh', architecture: 'bert' })).toThrow('zh bert')
  })
})

describe('names of slots', () => {
  const names = (title: string, slots: readonly string[], config: Partial<ModelConfig> = {}, bare?: boolean) =>
    [...nameSlots(tableOf(title), { ...base, ...config }, slots, bare === undefined ? {} : { bare }).values()].map(
      (named) => named?.name ?? null,
    )

  it.each<[string, string, string]>([
    [
      'google-research ALBERT',
      'encoder/group_1/inner_group_0/ffn/output/bias',
      'bert/encoder/transformer/group_1/inner_group_0/ffn_1/intermediate/output/dense/bias',
    ],
    ['google-research ALBERT', 'sop/output_weights', 'cls/seq_relationship/output_weights'],
    [
      'google-research ALBERT with a LayerNorm for every layer',
      'encoder/layer_3/inner_group_0/ffn/LayerNorm/beta',
      'bert/encoder/transformer/group_1_1/layer_3/inner_group_0/layer_normalization_8/beta',
    ],
    [
      'google-research ALBERT with a LayerNorm for every layer',
      'mlm/transform/LayerNorm/gamma',
      'cls/predictions/transform/layer_normalization_9/gamma',
    ],
    ['Hugging Face ALBERT', 'pooler/dense/kernel', 'albert.pooler.weight'],
    ['Hugging Face BERT', 'encoder/layer_3/attention/query/kernel', 'bert.encoder.layer.3.attention.self.query.weight'],
    [
      'keras-hub BERT',
      'encoder/layer_2/ffn/output/bias',
      'layers/bert_backbone/layers/transformer_encoder_2/_feedforward_output_dense/vars/1',
    ],
    [
      'keras-hub BERT',
      'encoder/layer_0/ffn/output/bias',
      'layers/bert_backbone/layers/transformer_encoder/_feedforward_output_dense/vars/1',
    ],
  ])('%s: %s is %s', (title, slot, name) => {
    expect(names(title, [slot])).toEqual([name])
  })

  it('have no prefix if asked and the family can do without', () => {
    const slots = ['pooler/dense/bias', 'classifier/output_bias']
    expect(names('Hugging Face ALBERT', slots, {}, true)).toEqual(['pooler.bias', 'classifier.bias'])
    expect(names('Hugging Face ALBERT', slots, {}, false)).toEqual(['albert.pooler.bias', 'classifier.bias'])
    expect(names('google-research ALBERT', slots, {}, true)).toEqual(['bert/pooler/dense/bias', 'output_bias'])
  })

  it('are null for a slot that the family does not have', () => {
    expect(names('google-research ALBERT', ['embeddings/word_embeddings_2', 'pooler/dense/bias'])).toEqual([
      null,
      'bert/pooler/dense/bias',
    ])
  })

  it('of layers of albert_zh depend on what else is shared', () => {
    const own = 'encoder/layer_1/ffn/output/bias'
    expect(names('brightmart albert_zh', [own])).toEqual(['bert/encoder/layer_1/output/dense/bias'])
    expect(names('brightmart albert_zh', [own, 'encoder/shared/attention/query/bias'])).toEqual([
      'bert/encoder/layer_shared/output_1/dense/bias',
      'bert/encoder/layer_shared/attention/self/query/bias',
    ])
  })

  it('come with their rows', () => {
    const slot = 'pooler/dense/kernel'
    expect(nameSlots(tableOf('Hugging Face ALBERT'), base, [slot]).get(slot)?.row).toEqual({
      slot,
      name: 'pooler.weight',
      dims: ['H', 'H'],
      layout: 'transposed',
      prefixed: true,
    })
  })
})

it('rows are written in short', () => {
  const rows = inScope('a/', 'b.', [
    ['x', 'y', 'H I', 'T'],
    ['g', 'h', '16 H', 'G'],
    ['s', 't', ''],
  ])
  expect(toRows(true, rows)).toEqual([
    { slot: 'a/x', name: 'b.y', dims: ['H', 'I'], layout: 'transposed', prefixed: true },
    { slot: 'a/g', name: 'b.h', dims: ['16', 'H'], layout: 'grouped', prefixed: true },
    { slot: 'a/s', name: 'b.t', dims: [], layout: 'as_is', prefixed: true },
  ])
  expect(toRows(false, [['s', 't', 'V']])[0]).toMatchObject({ prefixed: false, dims: ['V'] })
})

describe('the reason of a guess', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ model_type: 'bert' }, 'model_type is bert, as transformers writes it'],
    [{ model_type: 'roberta', inner_group_num: 1 }, 'inner_group_num belongs to google-research ALBERT'],
    [{ down_scale_factor: 1, ln_type: 'x' }, 'down_scale_factor belongs to google-research ALBERT'],
    [{ net_structure_type: 0 }, 'net_structure_type belongs to google-research ALBERT'],
    [{ shared_type: 'all' }, 'shared_type without groups belongs to albert_zh'],
    [{ embedding_size: 4, ln_type: null }, 'ln_type without groups belongs to albert_zh'],
    [{ embedding_size: 4 }, 'embedding_size without groups belongs to albert_zh'],
    [{}, 'there is no embedding_size, as in BERT'],
  ])('%j: %s', (fields, reason) => {
    expect(guessFamily({ file: 'c.json', fields }).reason).toBe(reason)
  })
})

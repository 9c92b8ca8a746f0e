import { describe, expect, it } from 'vitest'
import { foreignPartOf, headWordsOf } from '../../../src/model/names/foreign.js'
import { isBelow, matchName, scopesOf, skipReason } from '../../../src/model/names/match.js'
import { tableOf } from '../../helpers/named-source.js'

/** One name at a time: with and without a scope, in an older spelling, and those that are left out. */

const google = tableOf('google-research ALBERT')
const hf = tableOf('Hugging Face BERT')
const bert4keras = tableOf('bert4keras BERT')

describe('a name', () => {
  const of = (table: typeof hf, name: string, scope?: Parameters<typeof matchName>[2]) => {
    const match = matchName(table, name, scope)
    return match === null ? null : [match.slot, match.prefix, match.indices]
  }
  const scope = { body: 'model.enc.', heads: ['model.', ''] }

  it.each<[string, unknown]>([
    ['bert.encoder.layer.3.output.dense.bias', ['encoder/layer_3/ffn/output/bias', 'bert.', { l: 3 }]],
    ['encoder.layer.3.output.dense.bias', ['encoder/layer_3/ffn/output/bias', '', { l: 3 }]],
    ['bert.embeddings.LayerNorm.gamma', ['embeddings/LayerNorm/gamma', 'bert.', {}]],
    ['classifier.bias', ['classifier/output_bias', '', {}]],
    ['bert.classifier.bias', null],
    ['my.bert.pooler.dense.bias', null],
    ['bert.encoder.layer.03.output.dense.bias', null],
    ['bert.encoder.layer.x.output.dense.bias', null],
    ['bertxencoder.layer.3.output.dense.bias', null],
    ['bert.encoder.layer.3.output.dense.unheard', null],
  ])('%s', (name, expected) => {
    expect(of(hf, name)).toEqual(expected)
  })

  it.each<[string, unknown]>([
    ['model.enc.encoder.layer.3.output.dense.bias', ['encoder/layer_3/ffn/output/bias', 'model.enc.', { l: 3 }]],
    ['model.enc.embeddings.LayerNorm.beta', ['embeddings/LayerNorm/beta', 'model.enc.', {}]],
    ['model.classifier.bias', ['classifier/output_bias', 'model.', {}]],
    ['classifier.bias', ['classifier/output_bias', '', {}]],
    ['model.enc.classifier.bias', null],
    ['bert.encoder.layer.3.output.dense.bias', null],
    ['encoder.layer.3.output.dense.bias', null],
  ])('%s below a scope', (name, expected) => {
    expect(of(hf, name, scope)).toEqual(expected)
  })

  it('of bert4keras has the layer once or twice, and a number that Keras added', () => {
    const slot = 'encoder/layer_2/ffn/output/bias'
    const names = [
      'Transformer-2-FeedForward/dense_1/bias',
      'Transformer-2-FeedForward/Transformer-2-FeedForward/dense_1/bias:0',
      'Transformer-2-FeedForward/Transformer-2-FeedForward_7/dense_1/bias:0',
    ]
    for (const name of names) expect(matchName(bert4keras, name)?.slot).toBe(slot)
    expect(matchName(bert4keras, 'Transformer-2-FeedForward/other/dense_1/bias')).toBeNull()
  })

  it('keeps what an older spelling has before it', () => {
    const tf = tableOf('Hugging Face ALBERT for TensorFlow')
    const match = matchName(tf, 'albert/tf_albert_model/albert/pooler/bias')
    expect([match?.slot, match?.prefix]).toEqual(['pooler/dense/bias', 'albert/tf_albert_model/albert/'])
    expect(matchName(tf, 'albert/pooler/bias:0')?.prefix).toBe('albert/')
  })

  it('is below a scope if its spelling begins with it', () => {
    expect(isBelow(google, 'module/bert/x', { body: 'module/bert/', heads: [] })).toBe(true)
    expect(isBelow(google, 'a/module/bert/x', { body: 'module/bert/', heads: [] })).toBe(false)
    expect(isBelow(bert4keras, 'A/A/x', { body: 'A/x', heads: [] })).toBe(true)
  })
})

describe('the scopes of a file', () => {
  const scopes = (names: readonly string[], most = 9) => scopesOf(google, names, most)

  it('are those of names of the body, in order, each once', () => {
    expect(
      scopes([
        'x/y',
        'output_bias',
        'module/bert/pooler/dense/bias',
        'module/bert/pooler/dense/kernel',
        'a/b/c/pooler/dense/kernel',
        'pooler/dense/bias',
        'bert/pooler/dense/bias',
      ]),
    ).toEqual([
      { body: 'module/bert/', heads: ['module/', '', ''] },
      { body: 'a/b/c/', heads: ['a/b/c/', 'a/b/', ''] },
      { body: '', heads: ['', '', ''] },
      { body: 'bert/', heads: ['', '', ''] },
    ])
  })

  it('are as many as asked', () => {
    const names = ['a', 'b', 'c'].map((scope) => `${scope}/pooler/dense/bias`)
    expect(scopes(names, 2).map(({ body }) => body)).toEqual(['a/', 'b/'])
    expect(scopes(names, 0)).toEqual([])
  })
})

describe('a variable that is left out', () => {
  it.each<[string, string | null]>([
    ['bert/pooler/dense/kernel/adam_m', 'optimizer state'],
    ['bert/pooler/dense/kernel/Momentum', 'optimizer state'],
    ['beta1_power', 'optimizer state'],
    ['beta3_power', null],
    ['bert/pooler/dense/kernel/ExponentialMovingAverage', 'moving average'],
    ['ema_model.module.bert.x', 'moving average'],
    ['start_logits/dense/kernel', 'head of SQuAD 2.0, whose answers come from a beam search'],
    ['global_step', 'training counter'],
    ['my/global_step', null],
    ['bert/pooler/dense/kernel', null],
  ])('%s: %s', (name, reason) => {
    expect(skipReason(google, name)).toBe(reason)
    expect(skipReason({ ...google, skipped: [] }, name)).toBeNull()
  })
})

it('parts of other models have words', () => {
  expect(foreignPartOf('x.lora_A.weight')?.words).toBe('LoRA deltas (PEFT)')
  expect(foreignPartOf('bert.encoder.layer.0.attention.self.query.weight')).toBeNull()
  expect(['crf.transitions', 'bilstm.w', 'conv', 'fc.weight'].map(headWordsOf)).toEqual([
    'a CRF',
    'a recurrent layer',
    'a convolution',
    null,
  ])
})

import { describe, expect, it } from 'vitest'
import { countParameters, partOf } from '../../../src/model/accounting/count.js'
import { forwardFlops } from '../../../src/model/accounting/cost.js'
import { flopsOf } from '../../../src/model/accounting/footprint.js'
import { slotsIn } from '../../../src/model/accounting/slots.js'
import { ALL_HEADS, selectHeads, type HeadName } from '../../../src/model/tasks.js'
import { plannedModel, type PlanOptions } from '../../helpers/planned-model.js'
import { tinyModel } from '../../helpers/tiny-model.js'

it.each([
  ['embeddings/word_embeddings', 'embeddings'],
  ['embeddings/word_embeddings_2', 'embeddings'],
  ['embeddings/LayerNorm/gamma', 'norms'],
  ['encoder/embedding_hidden_mapping_in/kernel', 'embeddings'],
  ['encoder/shared/attention/query/kernel', 'attention'],
  ['encoder/layer_3/attention/LayerNorm/beta', 'norms'],
  ['encoder/group_0/inner_group_1/ffn/output/bias', 'ffn'],
  ['pooler/dense/kernel', 'pooler'],
  ['mlm/transform/LayerNorm/gamma', 'heads'],
  ['mlm/output_bias', 'heads'],
  ['sop/pooler/dense/kernel', 'heads'],
  ['classifier/output_weights', 'heads'],
  ['qa/output_bias', 'heads'],
] as const)('%s is of %s', (slot, part) => {
  expect(partOf(slot)).toBe(part)
})

describe('the parameters of a model', () => {
  // Vocabulary 37, positions 20, types 2, embedding 10, hidden 24, intermediate 51, three layers.
  const attention = 4 * (24 * 24 + 24)
  const ffn = 24 * 51 + 51 + 51 * 24 + 24
  const layerNorms = 4 * 24

  it('are counted once if all layers share them, and used in each', () => {
    const { model, source } = tinyModel()
    const heads = 24 * 10 + 10 + 2 * 10 + 37 + (2 * 24 + 2) + (3 * 24 + 3)
    const embeddings = (37 + 20 + 2) * 10 + 10 * 24 + 24
    const stored = embeddings + 2 * 10 + layerNorms + attention + ffn + 24 * 24 + 24 + heads
    expect(countParameters(model, source)).toEqual({
      stored,
      used: stored + 2 * (attention + ffn + layerNorms),
      bytes: 4 * stored,
      parts: { embeddings, attention, ffn, norms: 2 * 10 + layerNorms, pooler: 24 * 24 + 24, heads },
      embedding: { V: 37, E: 10, H: 24, unfactorised: 37 * 24, factorised: 37 * 10 + 10 * 24, ratio: 888 / 610 },
    })
  })

  it('are counted in every layer if none shares them, in bytes as stored', () => {
    const { model, source } = tinyModel({ family: 'bert', shared: false, dtype: 'F16', heads: [] })
    const stored = (37 + 20 + 2) * 24 + 2 * 24 + 3 * (attention + ffn + layerNorms)
    const report = countParameters(model, source)
    expect(report).toMatchObject({ stored, used: stored, bytes: 2 * stored })
    expect(report.parts).toMatchObject({ attention: 3 * attention, ffn: 3 * ffn, pooler: 0, heads: 0 })
    expect(report.embedding).toEqual({ V: 37, E: 24, H: 24, unfactorised: 888, factorised: 888, ratio: 1 })
  })

  it('have no bytes that the file lacks', () => {
    const { model, source } = tinyModel({ heads: [] })
    const { bytes } = countParameters(model, source)
    source.tensors.delete('source/embeddings/word_embeddings')
    expect(countParameters(model, source).bytes).toBe(bytes - 37 * 10 * 4)
  })
})

describe('operations of a forward pass', () => {
  const [B, S] = [3, 5]
  const [V, E, H, I, N] = [11, 4, 8, 12, 3]
  const LAYER = 4 * H * H + 2 * H * I
  const BODY = B * S * (E * H + 2 * (LAYER + 2 * S * H))
  const POOLER = B * H * H
  const MLM = B * S * (H * E + V * E)

  it.each<[string, PlanOptions, readonly HeadName[], number]>([
    ['no head', { parts: [] }, [], BODY],
    ['a pooler, once a row', {}, [], BODY + POOLER],
    ['a tied decoder', { parts: ['mlm'] }, ['mlm'], BODY + MLM],
    ['a decoder of its own', { parts: ['mlm', 'mlm/decoder'] }, ['mlm'], BODY + MLM],
    ['a head that is not run', { parts: ['mlm', 'sop', 'qa', 'classifier'] }, [], BODY],
    ['sentence order', { parts: ['pooler', 'sop'] }, ['sop'], BODY + POOLER + B * 2 * H],
    ['a classifier of texts', { parts: ['pooler', 'classifier'] }, ['classifier'], BODY + POOLER + B * N * H],
    [
      'a classifier of tokens',
      { parts: ['classifier'], kinds: { asked: 'token' } },
      ['token-classifier'],
      BODY + B * S * N * H,
    ],
    ['question answering', { parts: ['qa'] }, ['qa'], BODY + B * S * 2 * H],
  ])('with %s', (_, options, heads, products) => {
    const { model } = plannedModel('Hugging Face ALBERT', options)
    expect(forwardFlops(model, selectHeads(heads), B, S)).toBe(2 * products)
  })

  it('of albert_zh have its factor twice, at the start and in the decoder', () => {
    const { model } = plannedModel('brightmart albert_zh', { parts: ['mlm'] })
    const decoder = H * H + V * E + E * H
    const expected = 2 * B * S * (E * H + 2 * (LAYER + 2 * S * H) + decoder)
    expect(forwardFlops(model, ALL_HEADS, B, S)).toBe(expected)
    expect(flopsOf(model.config, slotsIn(model), { batch: B, sequence: S, elementBytes: 4 }).total).toBe(expected)
  })

  it.each<[string, PlanOptions]>([
    [
      'Hugging Face ALBERT',
      { parts: ['pooler', 'mlm', 'mlm/decoder', 'sop', 'qa', 'classifier'], sizes: { inner: 3 } },
    ],
    ['Hugging Face ALBERT', { parts: ['mlm', 'classifier'], kinds: { asked: 'token' } }],
    [
      'tf-models ALBERT (Keras, TF-Hub)',
      { split: true, parts: ['sop', 'sop/pooler', 'classifier', 'classifier/pooler'] },
    ],
    ['brightmart albert_zh, google_fast', { sizes: { H: 32, I: 48 }, parts: ['mlm', 'sop'] }],
  ])('are the same by tree and by slots: %s %j', (title, options) => {
    const { model } = plannedModel(title, options)
    const { total, ...parts } = flopsOf(model.config, slotsIn(model), { batch: B, sequence: S, elementBytes: 2 })
    expect(total).toBe(forwardFlops(model, ALL_HEADS, B, S))
    expect(Object.values(parts).reduce((a, b) => a + b, 0)).toBe(total)
  })
})

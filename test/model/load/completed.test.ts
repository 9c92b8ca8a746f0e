import { describe, expect, it } from 'vitest'
import { cutToLength } from '../../../src/model/load/fixed-length.js'
import { completeFromNames, hasPreNormNames } from '../../../src/model/load/infer-pre-norm.js'
import { modelNotes } from '../../../src/model/load/notes.js'
import { identify } from '../../../src/model/names/identify.js'
import { modelShapes, namedSource, type ModelOptions } from '../../helpers/named-source.js'

/** What names, metadata and settings of Keras complete in a configuration, and what the user is told of it. */

const raw = (fields: Record<string, unknown> = {}) => ({ file: 'config.json', fields })
const identified = (title: string, options: ModelOptions = {}) => identify(namedSource(modelShapes(title, options)))

describe('an artefact of fixed length', () => {
  const source = (sequence: string | null, rows = 8) =>
    namedSource(
      { 'embeddings/position_embeddings': [rows, 4] },
      { format: 'onnx', ...(sequence === null ? {} : { metadata: { sequence } }) },
    )
  const of = (positions: unknown) => raw({ vocab_size: 3, max_position_embeddings: positions })

  it('has as many positions as its table', () => {
    expect(cutToLength(source('8'), of(512))).toEqual({
      raw: of(8),
      notes: ['the file takes 8 tokens a row: it holds that many of 512 position embeddings'],
    })
  })

  it.each<[string, string | null, number, unknown]>([
    ['any length', null, 8, 512],
    ['another length than its table', '16', 8, 512],
    ['as many as the model', '8', 8, 8],
    ['more than the configuration', '8', 8, 4],
    ['no number in the configuration', '8', 8, '512'],
  ])('is none with %s', (_, sequence, rows, positions) => {
    const given = of(positions)
    expect(cutToLength(source(sequence, rows), given)).toEqual({ raw: given, notes: [] })
  })
})

describe('names that only pre-LN models of albert_zh have', () => {
  const PRE = { parts: ['pooler', 'classifier', 'classifier/LayerNorm'] }
  const ZH = 'brightmart albert_zh'
  const pre = identified(ZH, PRE)

  it.each<[string, boolean]>([
    ['bert/encoder/layer_shared/attention_1/self/query/kernel', true],
    ['bert/encoder/layer_shared/intermediate_0/dense/kernel', true],
    ['bert/encoder/layer_shared/output_11/dense/bias', true],
    ['loss/LayerNorm/beta', true],
    ['bert/encoder/layer_shared/attention/self/query/bias', false],
    ['bert/encoder/layer_1/attention/self/query/bias', false],
    ['output_weights', false],
  ])('%s: %s', (name, expected) => {
    const found = identify(namedSource({ ...modelShapes(ZH), [name]: [1] }))
    expect(hasPreNormNames(found)).toBe(expected)
  })

  it('are no sign in other families', () => {
    const albert = identified('google-research ALBERT')
    const odd = [...albert.mapped.values()].map((m) => [m.slot, { ...m, variable: 'loss/LayerNorm/beta' }] as const)
    expect(hasPreNormNames({ ...albert, mapped: new Map(odd) })).toBe(false)
  })

  it('complete a configuration that does not say', () => {
    expect(completeFromNames(raw({ vocab_size: 3 }), pre)).toEqual({
      raw: raw({ vocab_size: 3, ln_type: 'preln' }),
      notes: [
        'the configuration has no ln_type; loss/LayerNorm/gamma is a name that only pre-LN models have, so the model is one',
      ],
    })
    expect(completeFromNames(raw({ ln_type: null }), pre).raw.fields).toEqual({ ln_type: 'preln' })
  })

  it.each([
    [{ ln_type: 'postln' }, pre],
    [{ albertkit: { norm_position: 'post' } }, pre],
    [{}, identified(ZH)],
  ])('complete nothing of %j that says, or without them', (fields, found) => {
    const given = raw(fields)
    expect(completeFromNames(given, found)).toEqual({ raw: given, notes: [] })
  })
})

describe('notes on how a model was read', () => {
  const own = identified('google-research ALBERT with a LayerNorm for every layer')
  const classifier = identified('keras-hub BERT', {
    split: true,
    prefix: 'layers/bert_backbone/layers/',
    parts: ['pooler', 'classifier'],
  })

  it('are none for the usual models', () => {
    expect(modelNotes(identified('google-research ALBERT'), raw(), {})).toEqual([])
  })

  it('tell of an epsilon that no file says', () => {
    expect(modelNotes(own, raw(), {})).toEqual([
      'the LayerNorms belong to each layer; no file says which epsilon such a model was trained with: 1e-12 is ' +
        'assumed, `layerNormEpsilon` 1e-3 takes that of Keras',
    ])
    expect(modelNotes(own, raw(), { layerNormEpsilon: 1e-3 })).toEqual([])
  })

  it('tell of what belongs to the code of all such models', () => {
    expect(modelNotes(identified('bert4keras ALBERT'), raw(), {})).toEqual([
      'bert4keras computes gelu with erf, unless the training called set_gelu("tanh"): then hidden_act "gelu_new" in ' +
        'the configuration is right',
    ])
  })

  it('tell of code that a repository brings along', () => {
    const own = (auto_map: unknown) => modelNotes(identified('Hugging Face BERT'), raw({ auto_map }), {})
    expect(
      own({
        AutoConfig: 'c.C',
        AutoModel: 'm.Own',
        AutoModelForMaskedLM: 'm.Own',
        AutoModelX: 'x'.repeat(99),
        AutoModelY: 5,
      }),
    ).toEqual([
      `auto_map names code of its own (m.Own, ${'x'.repeat(80)}): the model is read as Hugging Face BERT, and computes ` +
        'something else if that code does',
    ])
    for (const none of [null, 'x', {}, { AutoConfig: 'c.C', MyAutoModel: 'm.Own' }]) expect(own(none)).toEqual([])
  })

  it('tell of settings of Keras that are left out', () => {
    const settings = { ...raw(), classifierActivation: 'softmax', computesIn: 'bfloat16' }
    const computes = 'the configuration says bfloat16, in which keras-hub computes; albertkit computes in float32'
    expect(modelNotes(classifier, settings, {})).toEqual([
      'the classifier was saved with the activation softmax; albertkit gives its logits, from before it',
      computes,
    ])
    expect(modelNotes(identified('keras-hub BERT', { split: true }), settings, {})).toEqual([computes])
  })
})

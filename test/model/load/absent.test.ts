import { describe, expect, it } from 'vitest'
import type { DType } from '../../../src/formats/core/source.js'
import { completeBiases } from '../../../src/model/load/absent-bias.js'
import { refuseAbsentPart } from '../../../src/model/load/absent-part.js'
import { identify } from '../../../src/model/names/identify.js'
import { modelShapes, namedSource, type Shapes } from '../../helpers/named-source.js'
import { plannedModel, type PlanOptions } from '../../helpers/planned-model.js'

/** What a file lacks: biases of heads, which are zeros, and parts of other architectures. */

const HF = 'Hugging Face ALBERT'

describe('heads without a bias', () => {
  function complete(
    title: string,
    parts: readonly string[],
    without: RegExp,
    more: Shapes = {},
    dtypes: Record<string, DType> = {},
  ) {
    const shapes = Object.entries(modelShapes(title, { parts })).filter(([name]) => !without.test(name))
    const source = namedSource(Object.fromEntries([...shapes, ...Object.entries(more)]), {
      dtypes,
      values: { 'classifier.weight': Array.from({ length: 24 }, (_, i) => i) },
    })
    const found = identify(source)
    return { source, found, after: completeBiases(source, found) }
  }
  const BIASES = /^(classifier|qa_outputs)\.bias$/

  it('get zeros, as many as classes, with a note', () => {
    const { source, found, after } = complete(HF, ['classifier', 'qa'], BIASES)
    expect(after.notes).toEqual([
      'classifier.weight has no bias: classifier.bias is taken as zeros',
      'qa_outputs.weight has no bias: qa_outputs.bias is taken as zeros',
    ])
    const info = (name: string, n: number) => ({ name, dtype: 'F32', shape: [n], byteLength: 4 * n, file: 'weights' })
    expect([...after.source.tensors.values()].slice(source.tensors.size)).toEqual([
      info('classifier.bias', 3),
      info('qa_outputs.bias', 2),
    ])
    expect(after.found.mapped.get('classifier/output_bias')).toEqual({
      slot: 'classifier/output_bias',
      variable: 'classifier.bias',
      indices: {},
      prefix: '',
      row: {
        slot: 'classifier/output_bias',
        name: 'classifier/output_bias',
        dims: ['N'],
        layout: 'as_is',
        prefixed: false,
      },
    })
    expect(after.found.mapped.size).toBe(found.mapped.size + 2)
    expect(found.mapped.has('classifier/output_bias')).toBe(false)
    expect(source.tensors.has('classifier.bias')).toBe(false)
  })

  it('are read as zeros, all else as it is', () => {
    const { after, source } = complete(HF, ['classifier'], BIASES)
    const bytes = new Uint8Array(8).fill(7)
    after.source.read('classifier.bias', 4, bytes)
    expect([...bytes]).toEqual(new Array(8).fill(0))
    after.source.read('classifier.weight', 4, bytes)
    expect([...new Float32Array(bytes.buffer)]).toEqual([1, 2])
    const asked: string[] = []
    const watched = completeBiases(
      { ...source, verifyChecksum: (name) => asked.push(name), close: () => asked.push('closed') },
      identify(source),
    ).source
    watched.verifyChecksum('classifier.bias')
    watched.verifyChecksum('classifier.weight')
    watched.close()
    expect(asked).toEqual(['classifier.weight', 'closed'])
  })

  it('have as many classes as a transposed kernel has columns', () => {
    const { after } = complete('Hugging Face ALBERT for TensorFlow', ['classifier'], /^classifier\/bias/)
    expect(after.source.tensors.get('classifier/bias')?.shape).toEqual([3])
  })

  it.each<[string, string, readonly string[], RegExp, Shapes, Record<string, DType>]>([
    ['a head that has one', HF, ['classifier'], /none/, {}, {}],
    ['no head', HF, [], /none/, {}, {}],
    ['sentence order, which always has one', HF, ['sop'], /sop_classifier.classifier.bias/, {}, {}],
    ['a kernel that is none', HF, ['classifier'], /^classifier/, { 'classifier.weight': [8] }, {}],
    ['a bias of integers', HF, ['classifier'], /none/, {}, { 'classifier.bias': 'I8' }],
  ])('stay as they are: %s', (_, title, parts, without, more, dtypes) => {
    const { source, found, after } = complete(title, parts, without, more, dtypes)
    expect(after).toEqual({ source, found, notes: [] })
    expect(after.source).toBe(source)
  })
})

describe('a part that other architectures do without', () => {
  const refused = (title: string, options: PlanOptions) => plannedModel(title, options).error?.toJSON()
  const WORDS = 'albertkit runs ALBERT and BERT, which have them'

  it.each<[RegExp, string, string, string]>([
    [
      /position_embeddings/,
      'position embeddings',
      'albert.embeddings.position_embeddings.weight',
      'positions may be relative, rotary or linear biases, as in NEZHA, RoFormer or JinaBERT',
    ],
    [
      /token_type_embeddings/,
      'token type embeddings',
      'albert.embeddings.token_type_embeddings.weight',
      'DistilBERT and some DeBERTa have none either',
    ],
    [
      /LayerNorm\.bias|layer_norm\.bias/,
      'biases in its LayerNorms',
      'albert.embeddings.LayerNorm.bias',
      'it may have RMSNorm, or LayerNorm without bias',
    ],
  ])('%s is said to be absent', (without, words, tensor, others) => {
    expect(refused(HF, { without, parts: [] })).toEqual({
      kind: 'unsupported',
      code: 'architecture-unsupported',
      message: `the model has no ${words}: ${WORDS}`,
      file: 'weights',
      tensor,
      hint: `${tensor} is the first that is missing; ${others}`,
    })
  })

  it('is every bias of the encoder', () => {
    const { found } = plannedModel('Hugging Face BERT', {
      sizes: { E: 8 },
      parts: [],
      without: /encoder.*dense\.bias|self.*bias/,
    })
    const missing = ['encoder/layer_0/attention/query/bias', 'encoder/layer_1/ffn/output/bias']
    expect(refuseAbsentPart(found, missing, {})?.toJSON()).toEqual({
      kind: 'unsupported',
      code: 'architecture-unsupported',
      message: `the model has no biases in its dense layers: ${WORDS}`,
      hint: ' is the first that is missing; later architectures leave them out, e.g. ModernBERT',
    })
  })

  it.each<[string, RegExp]>([
    ['one of several LayerNorms', /embeddings\.LayerNorm\.bias/],
    ['parts of two kinds', /position_embeddings|token_type_embeddings/],
    ['the words', /word_embeddings/],
  ])('is not: %s', (_, without) => {
    expect(refused(HF, { without, parts: [] })?.code).not.toBe('architecture-unsupported')
  })
})

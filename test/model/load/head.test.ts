import { describe, expect, it } from 'vitest'
import type { DType } from '../../../src/formats/core/source.js'
import { denseHeads, takeHead } from '../../../src/model/load/head.js'
import { identify } from '../../../src/model/names/identify.js'
import { errorOf, modelShapes, namedSource, type ModelOptions, type Shapes } from '../../helpers/named-source.js'

/** Hidden size of the model. */
const H = 8

interface Given extends ModelOptions {
  readonly title?: string
  readonly dtypes?: Readonly<Record<string, DType>>
}

function withHead(head: Shapes, { title = 'Hugging Face BERT', dtypes = {}, ...model }: Given = {}) {
  const source = namedSource({ ...modelShapes(title, model), ...head }, { dtypes })
  return { source, found: identify(source) }
}

function taken(name: string, head: Shapes, given: Given = {}) {
  const { source, found } = withHead(head, given)
  const { found: after, notes } = takeHead(source, found, name)
  const [weight, bias] = ['classifier/output_weights', 'classifier/output_bias'].map((slot) => after.mapped.get(slot)!)
  return { found, after, notes, weight: weight!, bias: bias! }
}

const TF = 'google-research BERT'
const dense = (name: string, shape: readonly number[], bias = shape[0]!): Shapes => ({
  [`${name}.weight`]: shape,
  [`${name}.bias`]: [bias],
})

describe('a dense layer taken as the classifier', () => {
  it('replaces the one that the model has', () => {
    const { found, after, notes, weight, bias } = taken(
      'fc',
      { ...dense('fc', [3, H]), other: [1] },
      {
        parts: ['pooler', 'classifier'],
      },
    )
    expect([weight, bias]).toEqual([
      {
        slot: 'classifier/output_weights',
        variable: 'fc.weight',
        prefix: '',
        indices: {},
        row: {
          slot: 'classifier/output_weights',
          name: 'classifier/output_weights',
          dims: ['N', 'H'],
          layout: 'as_is',
          prefixed: false,
        },
      },
      {
        slot: 'classifier/output_bias',
        variable: 'fc.bias',
        prefix: '',
        indices: {},
        row: {
          slot: 'classifier/output_bias',
          name: 'classifier/output_bias',
          dims: ['N'],
          layout: 'as_is',
          prefixed: false,
        },
      },
    ])
    expect(after.mapped.size).toBe(found.mapped.size)
    expect(after.unknown).toEqual(['other'])
    expect(after.skipped).toEqual(
      ['classifier.weight', 'classifier.bias'].map((variable) => ({
        variable,
        reason: 'not used: fc is the classifier',
      })),
    )
    expect(notes).toEqual(['fc.weight and fc.bias are taken as the classifier, as asked'])
  })

  it('replaces the LayerNorm and the pooler of one too', () => {
    const parts = ['pooler', 'classifier', 'classifier/LayerNorm']
    const { after } = taken('fc', { 'fc/kernel': [H, 3], 'fc/bias': [3] }, { title: 'brightmart albert_zh', parts })
    expect(after.mapped.has('classifier/LayerNorm/gamma')).toBe(false)
    expect(after.skipped.map(({ variable }) => variable)).toEqual([
      'loss/LayerNorm/gamma',
      'loss/LayerNorm/beta',
      'output_weights',
      'output_bias',
    ])
  })

  it.each<[string, Shapes]>([
    ['without any', { 'fc.weight': [3, H] }],
    ['with a matrix in its place', { 'fc.weight': [3, H], 'fc.bias': [3, 1] }],
    ['with a bias of another layer', { 'fc.weight': [3, H], 'fc.norm.bias': [3] }],
  ])('has no bias: %s', (_, head) => {
    const { after, notes } = taken('fc', head)
    expect(after.mapped.get('classifier/output_weights')?.variable).toBe('fc.weight')
    expect(after.mapped.has('classifier/output_bias')).toBe(false)
    expect(after.unknown).toEqual(Object.keys(head).slice(1))
    expect(notes).toEqual(['fc.weight is taken as the classifier, as asked'])
  })

  it('has a bias rather than none', () => {
    expect(taken('mine', { 'mine.a.weight': [3, H], ...dense('mine.b', [2, H]) }).weight.variable).toBe('mine.b.weight')
  })

  it('keeps what was left out before', () => {
    const { after } = taken('fc', dense('fc', [3, H]), { scope: '', dtypes: {} })
    expect(after.skipped).toEqual([])
    const { found, source } = withHead({ ...dense('fc', [3, H]), 'bert.embeddings.position_ids': [1, 6] })
    expect(takeHead(source, found, 'fc').found.skipped).toEqual([
      { variable: 'bert.embeddings.position_ids', reason: 'buffer of indices' },
    ])
  })

  it.each<[string, string, Shapes, Given, string, 'as_is' | 'transposed']>([
    ['[classes, hidden]', 'fc', dense('fc', [3, H]), {}, 'fc.weight', 'as_is'],
    ['[hidden, classes]', 'fc', dense('fc', [H, 3], 3), {}, 'fc.weight', 'transposed'],
    [
      'of TensorFlow',
      'project/logits',
      { 'project/logits/W': [H, 3], 'project/logits/b': [3] },
      { title: TF },
      'project/logits/W',
      'transposed',
    ],
    ['a square weight of PyTorch', 'fc', dense('fc', [H, H]), {}, 'fc.weight', 'as_is'],
    [
      'a square kernel of TensorFlow',
      'fc',
      { 'fc/kernel': [H, H], 'fc/bias': [H] },
      { title: TF },
      'fc/kernel',
      'transposed',
    ],
    ['a square W', 'fc', { 'fc/W': [H, H], 'fc/b': [H] }, { title: TF }, 'fc/W', 'transposed'],
    [
      'a square weight_mat',
      'fc',
      { 'fc/weights_mat': [H, H], 'fc/b': [H] },
      { title: TF },
      'fc/weights_mat',
      'transposed',
    ],
    [
      'a square weight_mat',
      'fc',
      { 'fc/weight_mat': [H, H], 'fc/b': [H] },
      { title: TF },
      'fc/weight_mat',
      'transposed',
    ],
    ['without a name before its letters', 'W', { W: [H, 3], b: [3] }, { title: TF }, 'W', 'transposed'],
    ['a square matrix', 'fc', { 'fc/matrix': [H, H], 'fc/b': [H] }, { title: TF }, 'fc/matrix', 'transposed'],
    ['a square own', 'fc', { 'fc/own': [H, H], 'fc/b': [H] }, { title: TF }, 'fc/own', 'as_is'],
    ['named by its kernel', 'fc_w', { fc_w: [3, H], fc_b: [3], fc2_w: [4, H], fc2_b: [4] }, {}, 'fc_w', 'as_is'],
    [
      'one of two, by its whole name',
      'fc',
      { ...dense('fc', [3, H]), ...dense('fc2', [4, H]) },
      {},
      'fc.weight',
      'as_is',
    ],
    [
      'below a prefix of others',
      'my',
      { ...dense('my.fc', [3, H]), ...dense('my2.fc', [4, H]) },
      {},
      'my.fc.weight',
      'as_is',
    ],
    [
      'below the scope of the encoder',
      'fc',
      dense('module.fc', [3, H]),
      { scope: 'module.' },
      'module.fc.weight',
      'as_is',
    ],
    ['outside of that scope', 'fc', dense('fc', [3, H]), { scope: 'module.' }, 'fc.weight', 'as_is'],
    [
      'by its name with the scope',
      'module.fc',
      dense('module.fc', [3, H]),
      { scope: 'module.' },
      'module.fc.weight',
      'as_is',
    ],
    ['below the inner scope', 'fc', dense('a.b.fc', [3, H]), { scope: 'a.b.' }, 'a.b.fc.weight', 'as_is'],
    [
      'with more than a dense layer',
      'head',
      { 'head.scale': [1], ...dense('head.fc', [3, H]), 'head.odd': [5, 5] },
      {},
      'head.fc.weight',
      'as_is',
    ],
  ])('%s', (_, name, head, given, kernel, layout) => {
    const { weight, bias } = taken(name, head, given)
    expect([weight.variable, weight.row.layout, weight.row.dims]).toEqual([kernel, layout, ['N', 'H']])
    expect(bias.variable).toBe(Object.keys(head)[Object.keys(head).indexOf(kernel) + 1])
  })

  it.each(['ner', 'slot_filling', 'my.tagger', 'tag', 'token_classifier', 'bio2', 'crf-fc', 'entity.fc', 'POS'])(
    '%s labels tokens by its name',
    (name) => {
      expect(taken(name, dense(name, [3, H])).weight.row.classifies).toBe('token')
    },
  )
  it.each(['fc', 'inner', 'banner', 'postal', 'stage', 'segment'])('%s does not', (name) => {
    expect(taken(name, dense(name, [3, H])).weight.row).not.toHaveProperty('classifies')
  })
})

describe('a head that cannot be taken', () => {
  const refused = (name: string, head: Shapes, given: Given = {}) => {
    const { source, found } = withHead(head, given)
    return errorOf(() => takeHead(source, found, name))
  }
  const HINT = 'a head has a kernel of [classes, hidden size] or [hidden size, classes], and often a bias of [classes]'
  const NO_DENSE = { kind: 'unsupported', code: 'architecture-unsupported', file: 'weights', hint: HINT }

  it('is not in the file', () => {
    const unknown = { kind: 'usage', code: 'name-unknown', message: 'the file has no head fc', file: 'weights' }
    expect(refused('fc', {})).toEqual({ ...unknown, hint: 'the model uses every variable of the file' })
    expect(refused('fc', { ...dense('fc2', [3, H]) })).toEqual({
      ...unknown,
      hint: 'left out are fc2.weight, fc2.bias',
    })
  })

  it.each<[string, Shapes, Given]>([
    ['no matrix', { 'fc.weight': [H], 'fc.bias': [1] }, {}],
    ['of another width', dense('fc', [3, H + 1]), {}],
    ['of three axes', { 'fc.weight': [3, H, 1], 'fc.bias': [3] }, {}],
    ['of integers', dense('fc', [3, H]), { dtypes: { 'fc.weight': 'I8' } }],
    ['with a bias of integers', dense('fc', [3, H]), { dtypes: { 'fc.bias': 'I32' } }],
    ['with a bias of others', dense('fc', [3, H], 4), {}],
  ])('%s', (_, head, given) => {
    const shapes = Object.entries(head).map(([name, shape]) => `${name} [${shape.join(', ')}]`)
    expect(refused('fc', head, given)).toEqual({
      ...NO_DENSE,
      message: `fc is no dense layer over the hidden size 8: ${shapes.join(', ')}`,
      tensor: Object.keys(head)[0],
    })
  })

  it('shows four shapes of many', () => {
    const many = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`fc.x${i}`, [i]]))
    expect(refused('fc', many).message).toMatch(/: fc\.x0 \[0\], fc\.x1 \[1\], fc\.x2 \[2\], fc\.x3 \[3\]$/)
  })

  it('has several dense layers', () => {
    expect(refused('mine', { ...dense('mine.a', [3, H]), ...dense('mine.b', [2, H]) })).toEqual({
      ...NO_DENSE,
      message: 'mine has several dense layers: mine.a, mine.b',
      tensor: 'mine.a.weight',
    })
    expect(refused('mine', { 'mine.a.weight': [3, H], 'mine.b.weight': [2, H] }).message).toBe(
      'mine has several dense layers: mine.a, mine.b',
    )
  })
})

describe('heads that could be taken', () => {
  it('are the dense layers outside of every encoder, four at most', () => {
    const of = (head: Shapes, given: Given = {}) => {
      const { source, found } = withHead(head, given)
      return denseHeads(source, found)
    }
    const all = (names: readonly string[]): Shapes =>
      Object.assign({}, ...names.map((name) => dense(name, [3, H]))) as Shapes
    const inner = [
      'teacher.encoder.fc',
      'teacher.layers.fc',
      'a.layer.fc',
      'b.attention.x',
      'c.pooler',
      'd.embeddings.y',
    ]
    expect(of(all(inner))).toEqual([])
    expect(of({ ...dense('fc', [3, H]), 'x.weight': [3, H], ...dense('players.fc', [2, H]) })).toEqual([
      'fc',
      'players.fc',
    ])
    const five = ['a', 'b', 'c', 'd', 'e']
    expect(of(all(five))).toEqual(five.slice(0, 4))
    expect(of({})).toEqual([])
  })
})

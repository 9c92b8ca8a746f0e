import { describe, expect, it } from 'vitest'
import type { DType } from '../../../src/formats/core/source.js'
import { identify } from '../../../src/model/names/identify.js'
import { NAME_TABLES } from '../../../src/model/names/tables.js'
import { errorOf, modelShapes, namedSource, type ModelOptions, type Shapes } from '../../helpers/named-source.js'

/** Which family a file is of, what is left of it, and what is said if it is of none. */

const raw = (fields: Record<string, unknown>) => ({ file: 'config.json', fields })
const of = (shapes: Shapes, dtypes: Record<string, DType> = {}) => namedSource(shapes, { dtypes })
const shaped = (...names: string[]): Shapes => Object.fromEntries(names.map((name) => [name, [2]]))

/** Options that give each table a model which is complete. */
const OPTIONS: Readonly<Record<string, ModelOptions>> = {
  'brightmart albert_zh, google_fast': { sizes: { H: 32, I: 48 } },
  'brightmart albert_zh, google_fast, groups first': { sizes: { H: 32, I: 48 } },
}

describe.each(NAME_TABLES.map((table) => [table.title, table] as const))('%s', (title, table) => {
  const shapes = modelShapes(table, OPTIONS[title])

  it('is known by its own names, each of which has a place', () => {
    const found = identify(of(shapes))
    expect(found.table.title).toBe(title)
    expect(found.reason).toBe(`${table.sign.reason}; ${Object.keys(shapes).length} variables fit ${title}`)
    expect([found.unknown, found.skipped]).toEqual([[], []])
    expect([...found.mapped.values()].map(({ variable }) => variable)).toEqual(Object.keys(shapes))
    for (const [slot, mapped] of found.mapped) expect(mapped.slot).toBe(slot)
  })

  it('is known in the reverse order too', () => {
    const found = identify(of(Object.fromEntries(Object.entries(shapes).reverse())))
    expect(found.table.title).toBe(title)
    expect(found.unknown).toEqual([])
  })

  it('keeps the first of two variables that have one place, and weights alone', () => {
    const [first = '', ...rest] = Object.keys(shapes)
    const found = identify(of(shapes, { [first]: 'I8' }))
    expect(found.unknown).toEqual([first])
    expect(found.mapped.size).toBe(rest.length)
    const odd = identify(of({ ...shapes, text: [1], other: [1] }, { text: 'STRING', other: 'VARIANT' }))
    expect(odd.skipped).toEqual([
      { variable: 'text', reason: 'string tensor' },
      { variable: 'other', reason: 'variant tensor' },
    ])
  })
})

it('two names of one place: the first is taken, the other is unknown', () => {
  const shapes = modelShapes('Hugging Face BERT')
  const twice = 'bert.embeddings.LayerNorm.gamma'
  const found = identify(of({ ...shapes, [twice]: [4] }))
  expect(found.mapped.get('embeddings/LayerNorm/gamma')?.variable).toBe('bert.embeddings.LayerNorm.weight')
  expect(found.unknown).toEqual([twice])
})

describe('a file that holds two models', () => {
  const BERT = modelShapes('Hugging Face BERT')
  const ALBERT = modelShapes('Hugging Face ALBERT')
  const both = of({ ...ALBERT, ...BERT })

  it('is the one of most names, or the one of the configuration', () => {
    expect(identify(both).table.title).toBe('Hugging Face BERT')
    expect(identify(both, raw({ model_type: 'bert' })).table.title).toBe('Hugging Face BERT')
    const found = identify(both, raw({ model_type: 'albert' }))
    expect(found.table.title).toBe('Hugging Face ALBERT')
    expect(found.unknown).toEqual(Object.keys(BERT))
    expect(identify(both, raw({ hidden_size: 8 })).table.title).toBe('Hugging Face BERT')
  })

  it('of two families says that the configuration decided', () => {
    const GOOGLE = modelShapes('google-research ALBERT')
    const two = of({ ...GOOGLE, ...BERT })
    const decided = ', and the configuration says so where others fit too'
    expect(identify(two, raw({ num_hidden_groups: 1 })).reason).toMatch(new RegExp(`google-research ALBERT${decided}$`))
    expect(identify(two).reason).toMatch(/fit Hugging Face BERT$/)
    expect(identify(two, raw({ hidden_size: 8 })).reason).toMatch(/fit Hugging Face BERT$/)
    expect(identify(both, raw({ model_type: 'albert' })).reason).toMatch(/fit Hugging Face ALBERT$/)
  })

  it('is not the one that lacks a part, whatever the configuration says', () => {
    const { 'albert.embeddings.word_embeddings.weight': _, ...broken } = ALBERT
    const found = identify(of({ ...broken, ...BERT }), raw({ model_type: 'albert' }))
    expect(found.table.title).toBe('Hugging Face BERT')
  })
})

describe('inner layers that are counted through all groups', () => {
  const shapes = modelShapes('keras-hub ALBERT', { split: true, sizes: { groups: 4 } })
  const last = (inner: unknown) =>
    [...identify(of(shapes), raw({ inner_group_num: inner })).mapped.keys()].find((slot) =>
      slot.startsWith('encoder/group_3/'),
    )
  it.each([
    [1, true],
    [undefined, true],
    [0, true],
    [-2, true],
    ['2', true],
    [2.5, true],
    [2, false],
  ])('by %s a group', (inner, four) => {
    expect(last(inner) !== undefined).toBe(four)
  })
})

describe('a model below a scope', () => {
  const GOOGLE = 'google-research ALBERT'
  const below = (scope: string, options: ModelOptions = {}) => modelShapes(GOOGLE, { scope, ...options })

  it('is taken if its own place has no whole one', () => {
    const shapes = { ...shaped('bert/embeddings/word_embeddings', 'other/x'), ...below('module/') }
    const found = identify(of(shapes))
    expect([...found.mapped.values()].every(({ variable }) => variable.startsWith('module/'))).toBe(true)
    expect(found.unknown).toEqual(['bert/embeddings/word_embeddings', 'other/x'])
  })

  it('is the fullest if none is whole', () => {
    const cut = (scope: string, n: number): Shapes => Object.fromEntries(Object.entries(below(scope)).slice(0, n))
    const shapes = {
      ...cut('a/', 4),
      ...cut('b/', 9),
      ...cut('c/', 6),
      ...shaped('b/bert/encoder/transformer/group_0/y'),
    }
    const found = identify(of(shapes))
    expect([...found.mapped.values()].map(({ prefix }) => prefix)).toEqual(new Array(9).fill('b/bert/'))
  })

  it('is the own one if others are no fuller', () => {
    const own = Object.fromEntries(Object.entries(below('')).slice(0, 9))
    const other = Object.fromEntries(Object.entries(below('a/')).slice(0, 9))
    expect([...identify(of({ ...other, ...own })).mapped.values()].every(({ prefix }) => prefix === 'bert/')).toBe(true)
  })

  it('is one of several that the user chooses', () => {
    const many = { ...below('query/'), ...below('passage/deep/'), ...below('third/') }
    expect(errorOf(() => identify(of(many)))).toEqual({
      kind: 'unsupported',
      code: 'choice-ambiguous',
      message: 'the file holds 3 models, below query/bert/ and passage/deep/bert/',
      file: 'weights',
      hint: 'choose one: `scope` query or `scope` passage/deep or `scope` third',
    })
    const nameless = { ...of(many), files: [] }
    expect(errorOf(() => identify(nameless))).not.toHaveProperty('file')
  })

  it('without a prefix of its own is named by the whole scope', () => {
    const many = { ...modelShapes(GOOGLE, { prefix: 'x/' }), ...modelShapes(GOOGLE, { prefix: 'y/' }) }
    expect(errorOf(() => identify(of(many))).hint).toBe('choose one: `scope` x or `scope` y')
  })

  it('is looked for in sixteen scopes', () => {
    const others = (n: number): Shapes =>
      shaped(...Array.from({ length: n }, (_, i) => `s${i}/bert/embeddings/word_embeddings`))
    const size = (n: number): number => identify(of({ ...others(n), ...below('last/') })).mapped.size
    expect([size(15), size(16)]).toEqual([Object.keys(below('')).length, 1])
  })

  it('is not looked for in optimizer state', () => {
    const state = Object.fromEntries(Object.entries(below('a/')).map(([name, shape]) => [`${name}/adam_m`, shape]))
    const found = identify(of({ ...below(''), ...state }))
    expect(found.skipped).toHaveLength(Object.keys(state).length)
    expect(found.unknown).toEqual([])
  })
})

describe('a file of no family', () => {
  const refused = (shapes: Shapes, dtypes: Record<string, DType> = {}, files: string[] = ['weights']) =>
    errorOf(() => identify({ ...of(shapes, dtypes), files }))
  const COMMON = { kind: 'unsupported', file: 'weights' }

  it.each<[string, Shapes, Record<string, unknown>]>([
    ['without tensors', {}, { code: 'not-a-model', message: 'the file holds no tensors' }],
    [
      'of optimizer state',
      shaped('bert/pooler/dense/kernel/adam_m', 'global_step'),
      {
        code: 'not-a-model',
        message: 'the file holds only optimizer state and counters, no weights of a model',
        hint: 'convert the checkpoint that the training saved before it was stripped',
      },
    ],
    [
      'of another architecture',
      shaped('transformer.h.0.attn.c_attn.weight', 'b', 'c'),
      {
        code: 'architecture-unsupported',
        message: 'the names are those of GPT-2: albertkit runs ALBERT and BERT',
        hint: 'for example transformer.h.0.attn.c_attn.weight, b, c',
      },
    ],
    [
      'of deltas alone',
      shaped('base.q.lora_A.weight', 'base.q.lora_B.weight', 'x.lora_A.weight', 'y.lora_A.weight'),
      {
        code: 'architecture-unsupported',
        message: 'the file holds only LoRA deltas (PEFT), without the model that they belong to',
        hint:
          'base.q.lora_A.weight, base.q.lora_B.weight, x.lora_A.weight … (4 tensors): merge them into their base ' +
          'model, or give the folder in which both lie',
      },
    ],
    [
      'of deltas and something else',
      shaped('base.q.lora_A.weight', 'zzz'),
      {
        code: 'family-unknown',
        message: 'no known model family has these names: base.q.lora_A.weight, zzz',
        hint: 'known families: zh, google_fast, google, bert, hf',
      },
    ],
    [
      'of a name that is empty',
      { '': [1], b: [1], c: [1], d: [1] },
      {
        code: 'family-unknown',
        message: 'no known model family has these names: "", b, c … (4 tensors)',
        hint: 'known families: zh, google_fast, google, bert, hf',
      },
    ],
  ])('%s', (_, shapes, expected) => {
    expect(refused(shapes)).toEqual({ ...COMMON, ...expected })
  })

  it('of strings and state holds no weights either', () => {
    const error = refused(shaped('global_step', 'a', 'b'), { a: 'STRING', b: 'VARIANT' })
    expect(error.code).toBe('not-a-model')
    expect(refused(shaped('global_step', 'a'), { a: 'I64' }).code).toBe('family-unknown')
  })

  it.each<Shapes>([{}, shaped('global_step'), shaped('h.0.attn.c_attn.w'), shaped('a.lora_A.w'), shaped('x')])(
    'has no file to name: %j',
    (shapes) => {
      expect(refused(shapes, {}, [])).not.toHaveProperty('file')
    },
  )

  it('is nearest to the family of which most names are there, then to that which lacks least', () => {
    // albert_zh in PyTorch comes first, but lacks its factor as well.
    const embeddings = Object.keys(modelShapes('Hugging Face BERT')).filter((name) => name.includes('embeddings'))
    const layer = 'encoder.albert_layer_groups.{g}.albert_layers.{j}'
    expect(refused(shaped(...embeddings)).hint).toBe(
      `nearest is Hugging Face ALBERT: 5 names fit, but ${layer}.attention.query.weight, ` +
        `${layer}.attention.query.bias and 14 more are missing`,
    )
    expect(refused(shaped(...embeddings, 'cls.seq_relationship.bias')).hint).toMatch(/^nearest is Hugging Face BERT: 6/)
  })
})

it('a sign that is optimizer state, or of another rank, is none', () => {
  const kernel = 'bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/dense/kernel'
  const titleOf = (shapes: Shapes) => identify(of({ ...modelShapes('google-research ALBERT'), ...shapes })).table.title
  expect(titleOf({ [`${kernel}/adam_m`]: [2, 3, 16] })).toBe('google-research ALBERT')
  expect(titleOf({ 'bert/embeddings/word_embeddings_2/adam_v': [4, 8] })).toBe('google-research ALBERT')
})

import { describe, expect, it } from 'vitest'
import { elementCount } from '../../../src/formats/core/source.js'
import { correspond, type Pair, type Side, type SlotView } from '../../../src/model/rewrite/align.js'
import { arrange, isRunnable } from '../../../src/model/rewrite/group-layers.js'
import { translate } from '../../../src/model/rewrite/translate.js'
import { originDtype } from '../../../src/model/rewrite/translation.js'
import { identityMatrix, zeros } from '../../../src/model/tensors/derived.js'
import { builtFrom, memoryModel } from '../../helpers/memory-model.js'
import { SMALL, type Kind, type Shape } from '../../helpers/random-model.js'

const model = (kind: Kind, shape: Partial<Shape> = {}) => memoryModel(kind, { ...SMALL, heads: ['mlm'], ...shape })

/** The model in another family's form. */
const translated = (side: Side, target: 'tf' | 'safetensors', form: 'bert' | 'albert' | null = null): Side =>
  builtFrom(translate(side.model, side.source, target, form), side.source)

function valuesOf({ view }: SlotView): number[] {
  const values = new Float32Array(elementCount(view.shape))
  view.read(0, values)
  return [...values]
}

/** Pairs whose tensors both exist must have the same shape and, of equal models, almost the same values. */
function expectEqual(pairs: readonly Pair[]): void {
  for (const { slot, a, b } of pairs) {
    if (a === null || b === null) continue
    expect(a.view.shape, slot).toEqual(b.view.shape)
    const [x, y] = [valuesOf(a), valuesOf(b)]
    expect(Math.max(...x.map((value, i) => Math.abs(value - y[i]!))), slot).toBeLessThan(1e-5)
    const last = x.length - 2
    expect(a.view.place(last)).toEqual(b.view.place(last))
  }
}
const lonely = (pairs: readonly Pair[]): string[] =>
  pairs.filter(({ a, b }) => a === null || b === null).map(({ slot, a }) => `${slot} of ${a === null ? 'b' : 'a'}`)
const inLayers = (pairs: readonly Pair[]): Record<string, readonly number[]> =>
  Object.fromEntries(
    pairs
      .filter(({ slot }) => slot.endsWith('/query/kernel') || slot.endsWith('ffn/LayerNorm/beta'))
      .map(({ slot, layers }) => [slot, layers]),
  )

describe('tensors of two models', () => {
  it('of the same family are paired by their slots', () => {
    const [a, b] = [model('google'), model('google')]
    const pairs = correspond(a, b)
    expect(lonely(pairs)).toEqual([])
    expectEqual(pairs)
    expect(pairs.slice(0, 2).map(({ slot, layers }) => [slot, layers])).toEqual([
      ['embeddings/word_embeddings', []],
      ['embeddings/position_embeddings', []],
    ])
    expect(inLayers(pairs)).toEqual({
      'encoder/group_0/inner_group_0/attention/query/kernel': [0, 1],
      'encoder/group_0/inner_group_0/ffn/LayerNorm/beta': [0, 1],
    })
    const [{ a: first }] = pairs as [Pair]
    expect(first).toMatchObject({ variables: ['bert/embeddings/word_embeddings'], dtype: 'F32' })
  })

  it('of two families are paired by their function, in layers', () => {
    const a = model('google', { layers: 3 })
    const own = translated(model('google', { layers: 3, embedding: 32 }), 'safetensors', 'albert')
    const pairs = correspond(a, translated(a, 'safetensors'))
    expect(lonely(pairs)).toEqual([])
    expectEqual(pairs)
    const bert = model('bert', { layers: 3 })
    expect(inLayers(correspond(own, bert))).toEqual({
      ...{ 'encoder/layer_0/attention/query/kernel': [0], 'encoder/layer_0/ffn/LayerNorm/beta': [0] },
      ...{ 'encoder/layer_1/attention/query/kernel': [1], 'encoder/layer_1/ffn/LayerNorm/beta': [1] },
      ...{ 'encoder/layer_2/attention/query/kernel': [2], 'encoder/layer_2/ffn/LayerNorm/beta': [2] },
    })
    const zh = model('zh', { layers: 3 })
    expect(inLayers(correspond(own, zh))).toEqual({
      'encoder/layer_0-2/attention/query/kernel': [0, 1, 2],
      'encoder/layer_0-2/ffn/LayerNorm/beta': [0, 1, 2],
    })
  })

  it('whose layers differ in number are lonely', () => {
    const [a, b] = [model('bert', { layers: 1 }), model('bert', { layers: 2 })]
    const names = lonely(correspond(a, b))
    expect(names).toHaveLength(16)
    const last = correspond(b, a).filter((pair) => pair.b === null)
    expect(last.map(({ layers }) => layers)).toEqual(last.map(() => [1]))
    expect(
      lonely(correspond({ ...a, model: { ...a.model, layers: [] } }, { ...a, model: { ...a.model, layers: [] } })),
    ).toEqual([])
    expect(names[0]).toBe('encoder/layer_1/attention/query/kernel of b')
    expect(lonely(correspond(b, a))[0]).toBe('encoder/layer_1/attention/query/kernel of a')
    // Layers of other names too keep their own.
    const google = model('google', { layers: 1, inner: 2 })
    expect(lonely(correspond(google, a))[2]).toBe('encoder/group_0/inner_group_1/attention/query/kernel of a')
    expect(lonely(correspond(a, google))[2]).toBe('encoder/group_0/inner_group_1/attention/query/kernel of b')
    const heads = model('bert', { layers: 1, heads: ['sop'] })
    expect(lonely(correspond(a, heads))).toEqual([
      ...['dense/kernel', 'dense/bias', 'LayerNorm/gamma', 'LayerNorm/beta'].map(
        (name) => `mlm/transform/${name} of a`,
      ),
      ...['mlm/output_bias of a', 'sop/output_weights of b', 'sop/output_bias of b'],
    ])
    const outside = correspond(a, heads).slice(0, -16)
    expect(outside.every((pair) => !('harmless' in pair) && pair.layers.length === 0)).toBe(true)
  })

  it('compare the words times their factor, if one model alone has one', () => {
    const a = model('zh', { sharing: 'ffn' })
    const b = translated(a, 'safetensors', 'bert')
    for (const pairs of [correspond(a, b), correspond(b, a)]) {
      expect(lonely(pairs)).toEqual([])
      expectEqual(pairs)
      expect(pairs.map(({ slot }) => slot)).toContain('embeddings/word_embeddings · factor')
      expect(pairs.map(({ slot }) => slot)).not.toContain('embeddings/word_embeddings_2')
    }
    const [{ a: words, b: table, layers }, position] = correspond(a, b) as [Pair, Pair]
    expect([layers, position.slot]).toEqual([[], 'embeddings/position_embeddings'])
    expect([words!.variables, words!.dtype, table!.variables]).toEqual([
      ['bert/embeddings/word_embeddings', 'bert/embeddings/word_embeddings_2'],
      'F32',
      ['bert.embeddings.word_embeddings.weight'],
    ])
    const slots = correspond(a, model('zh')).map(({ slot }) => slot)
    expect(slots.slice(0, 2)).toEqual(['embeddings/word_embeddings', 'embeddings/word_embeddings_2'])
    // Two BERTs have none.
    expect(
      correspond(b, b)
        .slice(0, 2)
        .map(({ slot }) => slot),
    ).toEqual(['embeddings/word_embeddings', 'embeddings/position_embeddings'])
  })

  it('compare kernels of groups as whole ones, if they are whole in the other model', () => {
    const a = model('google_fast')
    const b = translated(a, 'safetensors', 'albert')
    for (const pairs of [correspond(a, b), correspond(b, a), correspond(a, model('google_fast'))]) {
      expect(lonely(pairs)).toEqual([])
      expectEqual(pairs)
    }
    const kernel = correspond(a, b).find(({ slot }) => slot.endsWith('ffn/intermediate/kernel'))!
    expect([kernel.a!.view.shape, kernel.b!.view.shape]).toEqual([
      [32, 48],
      [32, 48],
    ])
    // Two of the same layout but another order of their own: the groups of a tfjs artefact come first.
    const first = { ...a.model.layers[0]![0]!.intermediate.kernel, layout: 'as_is' as const, storedShape: [16, 2, 3] }
    const block = a.model.layers[0]![0]!
    const other = {
      ...a,
      model: { ...a.model, layers: [[{ ...block, intermediate: { ...block.intermediate, kernel: first } }]] },
    }
    const moved = correspond(a, other).find(({ slot }) => slot.endsWith('ffn/intermediate/kernel'))!
    expect([moved.a!.view.shape, moved.b!.view.shape]).toEqual([
      [16, 2, 3],
      [16, 2, 3],
    ])
    const same = correspond(a, model('google_fast')).find(({ slot }) => slot.endsWith('ffn/intermediate/kernel'))!
    expect(same.a!.view.shape).toEqual([2, 3, 16])
  })

  it('are read as they are stored, if both are stored alike', () => {
    const [a, b] = [model('hf bert'), model('hf bert')]
    const of = (pairs: Pair[]) => pairs.find(({ slot }) => slot === 'encoder/layer_0/ffn/intermediate/kernel')!
    expect(of(correspond(a, b)).a!.view.shape).toEqual([48, 32])
    expectEqual(correspond(a, b))
    const other = of(correspond(a, model('bert')))
    expect([other.a!.view.shape, other.b!.view.shape]).toEqual([
      [32, 48],
      [32, 48],
    ])
  })

  it('need no mapping that changes nothing', () => {
    const wide = { embedding: 32, heads: [] } as const
    const mapping = 'encoder/embedding_hidden_mapping_in/'
    const idle = memoryModel('hf albert', { ...SMALL, ...wide }, (slot, { noise }) =>
      slot === `${mapping}kernel` ? identityMatrix(32) : slot === `${mapping}bias` ? zeros : noise,
    )
    const google = model('google', wide)
    const harmless = (a: Side, b: Side): unknown =>
      correspond(a, b)
        .filter(({ slot }) => slot.startsWith(mapping))
        .map((pair) => [pair.slot, pair.a === null, pair.b === null, pair.harmless])
    const words = 'maps every vector to itself'
    expect(harmless(idle, google)).toEqual([
      [`${mapping}kernel`, false, true, words],
      [`${mapping}bias`, false, true, words],
    ])
    expect(harmless(google, idle)).toEqual([
      [`${mapping}kernel`, true, false, words],
      [`${mapping}bias`, true, false, words],
    ])
    // One that changes something is missed; two are compared.
    const busy = model('hf albert', wide)
    expect(harmless(busy, google)).toEqual([
      [`${mapping}kernel`, false, true, undefined],
      [`${mapping}bias`, false, true, undefined],
    ])
    expect(harmless(busy, idle)).toEqual(harmless(idle, busy))
    expect(harmless(idle, busy)).toEqual([
      [`${mapping}kernel`, false, false, undefined],
      [`${mapping}bias`, false, false, undefined],
    ])
    // Nothing else becomes harmless by it.
    const withHead = model('google', { ...wide, heads: ['sop'] })
    expect(correspond(idle, withHead).filter((pair) => pair.harmless !== undefined)).toHaveLength(2)
  })
})

describe('layers as transformers arranges them', () => {
  const arranged = (kind: Kind, shape: Partial<Shape>): [layers: number, groups: number[]] => {
    const { layers, groups } = arrange(model(kind, shape).model)
    return [layers, groups.map((group) => group.length)]
  }
  it.each([
    ['google', { layers: 4 }, 4, [1]],
    ['google', { layers: 4, groups: 2 }, 4, [1, 1]],
    ['google', { layers: 4, groups: 2, inner: 2 }, 4, [2, 2]],
    ['google', { layers: 3, inner: 3 }, 3, [3]],
    // A group of more inner layers than layers take it.
    ['google', { layers: 3, groups: 2, inner: 2 }, 6, [1, 1, 1, 1, 1, 1]],
    ['google', { layers: 2, inner: 3 }, 6, [1, 1, 1, 1, 1, 1]],
    // Google's formula gives layer 15 of 22 the group 14.
    ['google', { layers: 22, groups: 22 }, 22, new Array<number>(22).fill(1)],
    ['zh', { layers: 3 }, 3, [1]],
    ['zh', { layers: 3, sharing: 'attention' }, 3, [1, 1, 1]],
    ['bert', { layers: 2 }, 2, [1, 1]],
    ['own norms', { layers: 3 }, 3, [1, 1, 1]],
  ] as readonly (readonly [Kind, Partial<Shape>, number, number[]])[])('%s %j', (kind, shape, layers, groups) => {
    expect(arranged(kind, shape)).toEqual([layers, groups])
  })

  it('are kept in their order', () => {
    const { model: grouped } = model('google', { layers: 4, groups: 2 })
    expect(arrange(grouped).groups).toEqual([grouped.layers[0], grouped.layers[2]])
    const mixed = {
      ...grouped,
      layers: [grouped.layers[0]!, grouped.layers[2]!, grouped.layers[0]!, grouped.layers[2]!],
    }
    expect(arrange(mixed).groups).toEqual(mixed.layers)
    const { query, ...rest } = grouped.layers[0]![0]!
    const unbiased = { ...rest, query: { ...query, bias: null } }
    expect(arrange({ ...grouped, layers: [[unbiased], grouped.layers[0]!] }).groups).toHaveLength(2)
    expect(arrange({ ...grouped, layers: [] })).toEqual({ layers: 0, groups: [] })
  })

  it('run if no group has more inner layers than layers take it', () => {
    expect([isRunnable(4, 2, 2), isRunnable(5, 2, 2), isRunnable(3, 2, 2), isRunnable(1, 1, 1)]).toEqual([
      ...[true, true, false, true],
    ])
  })
})

it('a planned tensor is made of the type of its parameter, or of float32', () => {
  const { embeddings } = model('bert').model
  expect(originDtype({ origin: { kind: 'parameter', parameter: { ...embeddings.word, dtype: 'BF16' } } })).toBe('BF16')
  expect(originDtype({ origin: { kind: 'computed', fill: zeros } })).toBe('F32')
})

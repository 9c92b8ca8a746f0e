import { describe, expect, it } from 'vitest'
import type { AlbertModel, Block, ClassifierHead, Parameter } from '../../../src/model/albert.js'
import { classHealth } from '../../../src/model/health/classes.js'
import { duplicateLayers } from '../../../src/model/health/duplicates.js'
import { readLogical } from '../../../src/model/tensors/read.js'
import { parameterIn } from '../../helpers/memory-parameters.js'
import { MemorySource, tinyModel } from '../../helpers/tiny-model.js'

describe('classes that can never win', () => {
  const source = new MemorySource()
  const { model } = tinyModel({ layers: 1, hidden: 4, heads: ['pooler'] })
  const beaten = (
    weights: readonly (readonly number[])[],
    biases: readonly number[],
    more: Partial<ClassifierHead> = {},
    of: AlbertModel = model,
  ): (number | null)[] => {
    const weight = parameterIn(source, 'w', [weights.length, weights[0]!.length], weights.flat())
    const bias = parameterIn(source, 'b', [biases.length], biases)
    const classifier: ClassifierHead = { kind: 'sequence', weight, bias, norm: null, pooler: null, ...more }
    return classHealth(source, { ...of, classifier }).map(({ beatenBy }) => beatenBy)
  }
  let norms = 0
  const norm = (gamma: readonly number[], beta: readonly number[]) => ({
    gamma: parameterIn(source, `gamma ${norms++}`, [gamma.length], gamma),
    beta: parameterIn(source, `beta ${norms}`, [beta.length], beta),
  })

  it('have their weights and bias told', () => {
    const weight = parameterIn(source, 'w', [2, 2], [3, 4, 0, -2])
    const bias = parameterIn(source, 'b', [2], [0.5, -1])
    const classifier = { kind: 'sequence', weight, bias, norm: null, pooler: null } as const
    expect(classHealth(source, { ...model, classifier })).toEqual([
      { index: 0, norm: 5, bias: 0.5, beatenBy: null },
      { index: 1, norm: 2, bias: -1, beatenBy: null },
    ])
    expect(classHealth(source, { ...model, classifier: null })).toEqual([])
    expect(classHealth(source, { ...model, classifier: { ...classifier, kind: 'choice' } })).toEqual([])
  })

  it('lie below another by more than tanh can make up for', () => {
    // The weights differ by |1| + |−0.5| = 1.5.
    const weights = [
      [1, 0.5],
      [0, 1],
    ]
    expect(beaten(weights, [0, 1.25])).toEqual([null, null])
    expect(beaten(weights, [0, 1.6])).toEqual([1, null])
    expect(beaten(weights, [1.75, 0])).toEqual([null, 0])
    // Equal at best: the first one wins only if the two are always equal.
    expect(beaten(weights, [0, 1.5])).toEqual([null, null])
    expect(beaten(weights, [1.5, 0])).toEqual([null, null])
    const [a, b] = weights as [number[], number[]]
    expect(beaten([a, b, a], [0, 0, 0])).toEqual([null, null, 0])
    expect(beaten([a, a, a], [0, 0, 0])).toEqual([null, 0, 0])
    expect(beaten([a, a], [0, 1])).toEqual([1, null])
    expect(beaten([b, a, [9, 9]], [0, 5, 5])).toEqual([1, null, null])
  })

  it('lie below another behind a LayerNorm', () => {
    // The normalised vector has the length √2: the difference (1, −1) weighed by gamma (2, 1) makes up √2·√5.
    const weights = [
      [1, 0],
      [0, 1],
    ]
    const own = norm([2, 1], [0, 0])
    expect(beaten(weights, [0, 3.15], { norm: own })).toEqual([null, null])
    expect(beaten(weights, [0, 3.17], { norm: own })).toEqual([1, null])
    // Beta moves the first above the second by 2·1 − 1·(−1).
    expect(beaten(weights, [0.17, 0], { norm: norm([2, 1], [2, -1]) })).toEqual([null, 0])
    expect(beaten(weights, [0.15, 0], { norm: norm([2, 1], [2, -1]) })).toEqual([null, null])
  })

  it('lie below another for every token, by the norm of the last layer', () => {
    const weights = [
      [1, 0],
      [0, 1],
    ]
    const layer = (outputNorm: Block['outputNorm']): Block => ({ ...model.layers[0]![0]!, outputNorm })
    const of = (norm_position: 'post' | 'pre', ...norms: Block['outputNorm'][]): AlbertModel => ({
      ...model,
      layers: [[layer(norms[0]!)], norms.slice(1).map(layer)],
      config: { ...model.config, norm_position },
    })
    const post = of('post', norm([9, 9], [9, 0]), norm([9, 9], [9, 0]), norm([2, 1], [0, 0]))
    expect(beaten(weights, [0, 3.15], { kind: 'token' }, post)).toEqual([null, null])
    expect(beaten(weights, [0, 3.17], { kind: 'token' }, post)).toEqual([1, null])
    // Tokens of pre-LN models have no bound: only equal weights tell.
    const pre = of('pre', norm([9, 9], [9, 0]), norm([2, 1], [0, 0]))
    expect(beaten(weights, [0, 100], { kind: 'token' }, pre)).toEqual([null, null])
    expect(beaten([...weights, weights[0]!], [0, 0, 1], { kind: 'token' }, pre)).toEqual([2, null, null])
    expect(beaten(weights, [0, 100], { kind: 'token' }, { ...post, layers: [] })).toEqual([null, null])
    expect(beaten(weights, [0, 100], { kind: 'sequence' }, pre)).toEqual([1, null])
  })
})

describe('layers that are copies', () => {
  const { model, source } = tinyModel({ layers: 3, shared: false, hidden: 8, heads: [] })

  /** Near-duplicates among the same layers, of which those listed have the values of an earlier one, changed. */
  function copied(
    copies: Readonly<Record<number, { of: number; change?: (x: number, i: number) => number }>>,
    only?: 'attention' | 'ffn',
  ) {
    const files = new MemorySource()
    for (const [name, info] of source.tensors) {
      const bytes = new Uint8Array(info.byteLength)
      source.read(name, 0, bytes)
      files.set(name, info.dtype, info.shape, bytes)
    }
    for (const [layer, { of, change = (x: number) => x }] of Object.entries(copies)) {
      const blocks = [model.layers[Number(layer)]![0]!, model.layers[of]![0]!] as const
      const kernels = (b: Block): Parameter[] => [
        ...(only === 'ffn' ? [] : [b.query, b.key, b.value, b.attentionOutput].map(({ kernel }) => kernel)),
        ...(only === 'attention' ? [] : [b.intermediate, b.output].map(({ kernel }) => kernel)),
      ]
      const [to, from] = blocks.map(kernels) as [Parameter[], Parameter[]]
      to.forEach((p, i) => {
        const values = readLogical(source, from[i]!).map(change)
        files.set(p.variable, 'F32', p.storedShape, new Uint8Array(values.buffer))
      })
    }
    return duplicateLayers(files, model)
  }
  const near = (x: number): number => expect.closeTo(x, 6) as number

  it('are none among independent ones', () => {
    expect(copied({})).toEqual([])
    // Layers of zeros are the same.
    expect(copied({ 1: { of: 0, change: () => 0 }, 2: { of: 0, change: () => 0 } })).toEqual([
      { part: 'attention', layers: [1, 2], distance: 0 },
      { part: 'ffn', layers: [1, 2], distance: 0 },
    ])
    expect(duplicateLayers(source, tinyModel({ layers: 3, shared: true }).model)).toEqual([])
  })

  it('are found by part, with their distance', () => {
    expect(copied({ 2: { of: 0 } })).toEqual([
      { part: 'attention', layers: [0, 2], distance: 0 },
      { part: 'ffn', layers: [0, 2], distance: 0 },
    ])
    expect(copied({ 2: { of: 1 } }, 'ffn')).toEqual([{ part: 'ffn', layers: [1, 2], distance: 0 }])
    // ‖1.05·a − a‖ / √(1.05·‖a‖²)
    expect(copied({ 1: { of: 0, change: (x) => 1.05 * x } }, 'attention')).toEqual([
      { part: 'attention', layers: [0, 1], distance: near(0.05 / Math.sqrt(1.05)) },
    ])
    expect(copied({ 1: { of: 0, change: (x) => 1.12 * x } }, 'attention')).toEqual([])
    expect(copied({ 1: { of: 0 }, 2: { of: 0 } }, 'ffn').map(({ layers }) => layers)).toEqual([
      [0, 1],
      [0, 2],
      [1, 2],
    ])
  })

  describe('with kernels that are sampled first', () => {
    const wide = tinyModel({ layers: 2, shared: false, hidden: 256, heads: [] })
    const [first, second] = wide.model.layers.map(([block]) => block!) as [Block, Block]
    const total = 256 * 515
    const starts = Array.from({ length: 16 }, (_, n) => Math.floor((n * (total - 256)) / 15))
    const sampled = (i: number): boolean => starts.some((at) => i >= at && i < at + 256)

    /** The feed-forward kernels of both layers are the same except for a change; those of attention are independent. */
    function found(change: (x: number, i: number) => number) {
      const files = new MemorySource()
      const offsets: number[] = []
      const read = files.read.bind(files)
      files.read = (name, offset, target) => {
        if (name === first.output.kernel.variable) offsets.push(offset / 4, target.length / 4)
        read(name, offset, target)
      }
      const put = (p: Parameter, values: Float32Array): void => {
        files.set(p.variable, 'F32', p.storedShape, new Uint8Array(values.buffer))
      }
      for (const block of [first, second])
        for (const { kernel } of [block.query, block.key, block.value, block.attentionOutput])
          put(kernel, readLogical(wide.source, kernel))
      for (const part of ['intermediate', 'output'] as const) {
        const values = readLogical(wide.source, first[part].kernel)
        put(first[part].kernel, values)
        put(second[part].kernel, values.map(change))
      }
      return { pairs: duplicateLayers(files, wide.model), offsets }
    }
    const samples = starts.flatMap((start) => [start, 256])

    it('are the same as a whole', () => {
      expect(found((x) => x)).toEqual({
        pairs: [{ part: 'ffn', layers: [0, 1], distance: 0 }],
        offsets: [...samples, 0, total],
      })
      // A sixteenth of the sample is 1.4 times as large.
      expect(found((x, i) => (i < 256 ? 1.4 * x : x)).pairs).toHaveLength(1)
    })

    it('may differ where no sample is', () => {
      expect(found((x, i) => (sampled(i) ? x : 1.5 * x))).toEqual({ pairs: [], offsets: [...samples, 0, total] })
    })

    it('are not read as a whole if the samples differ', () => {
      // As a whole they would be near: a thirtieth of the values is half as large again.
      expect(found((x, i) => (sampled(i) ? 1.5 * x : x))).toEqual({ pairs: [], offsets: samples })
    })
  })

  it('are neither computed weights nor of two element types', () => {
    const block = (l: number, change: (p: Parameter) => Parameter): Block => {
      const b = model.layers[l]![0]!
      return { ...b, query: { ...b.query, kernel: change(b.query.kernel) } }
    }
    const same = (b: Block): Block => ({
      ...model.layers[0]![0]!,
      query: { ...model.layers[0]![0]!.query, kernel: b.query.kernel },
    })
    const copy = same(block(0, (p) => ({ ...p })))
    const pairs = (second: Block) =>
      duplicateLayers(source, { ...model, layers: [[model.layers[0]![0]!], [second]] }).map(({ part }) => part)
    expect(pairs(copy)).toEqual(['attention'])
    expect(pairs(same(block(0, (p) => ({ ...p, variable: '' }))))).toEqual([])
    expect(pairs(same(block(0, (p) => ({ ...p, dtype: 'BF16' }))))).toEqual([])
  })
})

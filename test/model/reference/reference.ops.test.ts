import { describe, expect, it } from 'vitest'
import type { Parameter } from '../../../src/model/albert.js'
import type { Activation } from '../../../src/model/config.js'
import { erf, integers, ReferenceOps, type Tensor } from '../../../src/model/reference/reference.js'
import { ScopePath } from '../../../src/model/reference/scope-path.js'
import { THIS_THREAD } from '../../../src/model/reference/processors.js'
import { counting, parameterIn } from '../../helpers/memory-parameters.js'
import { MemorySource } from '../../helpers/tiny-model.js'

const tensor = (shape: readonly number[], ...data: number[]): Tensor => ({ shape, data: Float64Array.from(data) })
const plain = ({ shape, data }: Tensor): unknown => [shape, [...data]]
const near = (...values: number[]): unknown[] => values.map((x) => expect.closeTo(x, 14) as unknown)

/** Operations on parameters of a source in memory. */
function setting(uses: ReadonlyMap<Parameter, number> = new Map()) {
  const source = new MemorySource()
  return { source, ops: new ReferenceOps(source, uses) }
}

describe('erf', () => {
  // Python's math.erf
  it.each([
    [1e-9, 1.1283791670955127e-9],
    [0.1, 0.1124629160182849],
    [0.9, 0.7969082124228322],
    [1.7, 0.9837904585907745],
    [2.4, 0.999311486103355],
    [2.4999999, 0.9995930477647266],
    [2.5, 0.999593047982555],
    [2.6, 0.9997639655834707],
    [3.3, 0.9999969422902035],
    [4.5, 0.9999999998033839],
    [6, 1],
    [6.5, 1],
    [40, 1],
  ])('erf(±%d) to double precision', (x, y) => {
    expect(Math.abs(erf(x) / y - 1)).toBeLessThan(5e-16)
    expect(erf(-x)).toBe(-erf(x))
  })
})

describe('operations of the reference', () => {
  // torch.nn.functional in float64
  it.each([
    [
      'gelu_tanh',
      -0.0006161976553737403,
      -0.13228579703028542,
      -0.04601724895456484,
      0.18537092354275922,
      1.6797953823412513,
      4.499994863262588,
    ],
    [
      'gelu_erf',
      -0.0008142017766243903,
      -0.13206221708356905,
      -0.0460172162722971,
      0.1853734266566858,
      1.67989647548832,
      4.4999847104709385,
    ],
    ['relu', 0, 0, 0, 0.3, 1.75, 4.5],
    [
      'swish',
      -0.10259280762974712,
      -0.27837517353163604,
      -0.047502081252106004,
      0.1723327550434977,
      1.4909174034445436,
      4.450558758162331,
    ],
    [
      'tanh',
      -0.9981778976111987,
      -0.8482836399575129,
      -0.09966799462495582,
      0.2913126124515909,
      0.9413755384972874,
      0.9997532108480275,
    ],
    ['linear', -3.5, -1.25, -0.1, 0.3, 1.75, 4.5],
  ] as [Activation, ...number[]][])('apply %s to each element', (kind, ...wanted) => {
    const x = tensor([2, 3], -3.5, -1.25, -0.1, 0.3, 1.75, 4.5)
    expect(plain(setting().ops.activation(x, kind))).toEqual([[2, 3], near(...wanted)])
  })

  it('normalise the last axis by its biased variance', () => {
    const { source, ops } = setting()
    const norm = {
      gamma: parameterIn(source, 'gamma', [4], [1, 2, -1, 0.5]),
      beta: parameterIn(source, 'beta', [4], [0, 0.5, 1, -2]),
    }
    expect(plain(ops.layerNorm(tensor([2, 4], 1, 2, 3, 6, -1, 0.5, 0.25, 4), norm, 0.5))).toEqual([
      [2, 4],
      near(-1, -0.5, 1, -1.25, -0.9749584687697805, 0.05969617539429278, 1.3459530050473414, -1.2294683069400123),
    ])
  })

  it('take the softmax of the last axis, however large the scores', () => {
    const x = tensor([3, 3], 1, 2, 3, 1000, 1001, -1e4, -5, -5, -5)
    const third = 1 / 3
    expect(plain(setting().ops.softmax(x))).toEqual([
      [3, 3],
      near(
        ...[0.09003057317038045, 0.2447284710547976, 0.6652409557748218],
        ...[0.26894142136999516, 0.7310585786300049, 0],
        ...[third, third, third],
      ),
    ])
  })

  it('add a tensor to each part of another that has its shape', () => {
    const { ops } = setting()
    expect(plain(ops.add(tensor([2, 2], 1, 2, 3, 4), tensor([2, 2], 10, 20, 30, 40)))).toEqual([
      [2, 2],
      [11, 22, 33, 44],
    ])
    expect(plain(ops.add(tensor([2, 1, 2], 1, 2, 3, 4), tensor([1, 2], 10, 20)))).toEqual([
      [2, 1, 2],
      [11, 22, 13, 24],
    ])
  })

  it('penalise masked positions in the scores of their own row, for every head', () => {
    const { ops } = setting()
    const bias = ops.attentionBias(tensor([2, 2], 1, 0, 1, 1), -10000)
    expect(plain(bias)).toEqual([
      [2, 1, 1, 2],
      [-0, -10000, -0, -0],
    ])
    const scores = tensor([2, 2, 2, 2], ...counting(16))
    expect(plain(ops.add(scores, bias))).toEqual([
      [2, 2, 2, 2],
      [1, -9998, 3, -9996, 5, -9994, 7, -9992, 9, 10, 11, 12, 13, 14, 15, 16],
    ])
  })

  it('split heads and merge them again', () => {
    const { ops } = setting()
    const x = tensor([2, 2, 4], ...counting(16))
    const split = ops.splitHeads(x, 2)
    expect(plain(split)).toEqual([
      [2, 2, 2, 2],
      [1, 2, 5, 6, 3, 4, 7, 8, 9, 10, 13, 14, 11, 12, 15, 16],
    ])
    expect(plain(ops.mergeHeads(split))).toEqual(plain(x))
  })

  it('compare queries with keys, and weigh values', () => {
    const { ops } = setting()
    const [query, key] = [tensor([1, 2, 2, 2], 1, 0, 0, 1, 2, 1, 1, 2), tensor([1, 2, 2, 2], 4, 8, 12, 16, 2, 4, 6, 8)]
    expect(plain(ops.scores(query, key, 4))).toEqual([
      [1, 2, 2, 2],
      [2, 6, 4, 8, 4, 10, 5, 11],
    ])
    expect(plain(ops.context(tensor([1, 2, 2, 2], 1, 0, 0.5, 0.5, 0, 1, 0.25, 0.75), key))).toEqual([
      [1, 2, 2, 2],
      [4, 8, 8, 12, 6, 8, 5, 7],
    ])
  })

  it('take the first token, one element of each token, and rows as choices', () => {
    const { ops } = setting()
    const x = tensor([2, 2, 3], ...counting(12))
    expect(plain(ops.firstToken(x))).toEqual([
      [2, 3],
      [1, 2, 3, 7, 8, 9],
    ])
    expect(plain(ops.pick(x, 1))).toEqual([
      [2, 2],
      [2, 5, 8, 11],
    ])
    const ids = tensor([1, 2, 3], ...counting(6))
    expect(plain(ops.choicesToRows(ids))).toEqual([[2, 3], counting(6)])
    expect(plain(ops.rowsToChoices(tensor([2, 1], 7, 8), ids))).toEqual([
      [1, 2],
      [7, 8],
    ])
  })

  it('multiply by a kernel, by a transposed weight and in groups, with a bias or without', () => {
    const { source, ops } = setting()
    const x = tensor([1, 2, 2], 1, 2, 3, 4)
    const kernel = parameterIn(source, 'kernel', [2, 3], [1, 0, 2, 0, 1, 3])
    const bias = parameterIn(source, 'bias', [3], [10, 20, 30])
    expect(plain(ops.linear(x, kernel, bias))).toEqual([
      [1, 2, 3],
      [11, 22, 38, 13, 24, 48],
    ])
    expect(plain(ops.linear(x, kernel, null))).toEqual([
      [1, 2, 3],
      [1, 2, 8, 3, 4, 18],
    ])
    const weight = parameterIn(source, 'weight', [3, 2], [1, 0, 0, 1, 2, 3])
    expect(plain(ops.linearTransposed(x, weight, bias))).toEqual([
      [1, 2, 3],
      [11, 22, 38, 13, 24, 48],
    ])
    // Two groups: the first takes channels 0 and 2, the second 1 and 3.
    const grouped = parameterIn(source, 'grouped', [2, 2, 1], [1, 10, 100, 1000])
    const wide = tensor([1, 2, 4], ...counting(8))
    expect(plain(ops.groupedLinear(wide, grouped, parameterIn(source, 'b', [2], [0.5, 0.25])))).toEqual([
      [1, 2, 2],
      [31.5, 4200.25, 75.5, 8600.25],
    ])
  })

  it('take integers of a shape', () => {
    expect(plain(integers(Int32Array.of(1, 2), [2, 1]))).toEqual([
      [2, 1],
      [1, 2],
    ])
    expect(() => integers([1, 2, 3], [2])).toThrow(new RangeError('shape and values differ'))
  })

  it('call back after each layer', () => {
    const { ops } = setting()
    const x = tensor([1], 1)
    let layers = 0
    expect(ops.mark('hidden_state_0', x)).toBe(x)
    ops.onLayer = () => layers++
    expect([ops.mark('hidden_state_1', x), ops.mark('embedding_output', x), ops.inner('sum', x)]).toEqual([x, x, x])
    expect(layers).toBe(1)
  })
})

describe('reading of weights', () => {
  it('gathers rows in the order of the ids, each as often as it occurs', () => {
    const { source, ops } = setting()
    const table = parameterIn(source, 'table', [4, 2], counting(8))
    expect(plain(ops.gather(table, tensor([2, 2], 3, 0, 3, 1)))).toEqual([
      [2, 2, 2],
      [7, 8, 1, 2, 7, 8, 3, 4],
    ])
    expect([source.reads, source.largestRead]).toEqual([1, 32])
  })

  it('reads rows that are near each other at once, and few between them', () => {
    const { source, ops } = setting()
    const rows = 130
    const values = new Float32Array(rows * 8192)
    for (let row = 0; row < rows; row++) values.fill(row, row * 8192, (row + 1) * 8192)
    const table = parameterIn(source, 'table', [rows, 8192], values)
    const reads = (...ids: number[]): [number[], number, number] => {
      Object.assign(source, { reads: 0, largestRead: 0 })
      const { data } = ops.gather(table, tensor([1, ids.length], ...ids))
      return [ids.map((_, i) => data[i * 8192 + 8191]!), source.reads, source.largestRead / 32768]
    }
    expect(reads(5, 4)).toEqual([[5, 4], 1, 2])
    expect(reads(4, 6)).toEqual([[4, 6], 2, 1])
    // No more than a million numbers at once.
    const all = Array.from({ length: 129 }, (_, i) => 1 + i)
    expect(reads(...all)).toEqual([all, 2, 128])
    // Of narrow rows, those up to a gap of 8,192 numbers.
    const narrow = parameterIn(source, 'narrow', [1026, 8], new Float32Array(1026 * 8))
    for (const [second, expected] of [
      [1024, 1],
      [1025, 2],
    ] as const) {
      source.reads = 0
      ops.gather(narrow, tensor([1, 2], second, 0))
      expect(source.reads).toBe(expected)
    }
  })

  it('takes as many positions as there are tokens', () => {
    const { source, ops } = setting()
    const table = parameterIn(source, 'table', [4, 2], counting(8))
    expect(plain(ops.positions(table, tensor([3, 2], 9, 9, 9, 9, 9, 9)))).toEqual([
      [2, 2],
      [1, 2, 3, 4],
    ])
  })

  it('keeps a weight until its last use', () => {
    const source = new MemorySource()
    const kernel = parameterIn(source, 'kernel', [1, 1], [3], { layout: 'transposed' })
    const x = tensor([1, 1], 2)
    const readsOf = (uses: ReadonlyMap<Parameter, number>, times: number): number => {
      source.reads = 0
      const ops = new ReferenceOps(source, uses)
      for (let i = 0; i < times; i++) expect([...ops.linear(x, kernel, null).data]).toEqual([6])
      return source.reads
    }
    expect(readsOf(new Map([[kernel, 3]]), 3)).toBe(1)
    // It is dropped then: another use reads it again.
    expect(readsOf(new Map([[kernel, 2]]), 4)).toBe(3)
    expect(readsOf(new Map(), 2)).toBe(2)
  })

  it('computes in the memory of its processors', () => {
    const source = new MemorySource()
    const lengths: [string, number][] = []
    const ops = new ReferenceOps(source, new Map(), {
      ...THIS_THREAD,
      float64: (length) => {
        lengths.push(['float64', length])
        return THIS_THREAD.float64(length)
      },
      float32: (length) => {
        lengths.push(['float32', length])
        return THIS_THREAD.float32(length)
      },
    })
    ops.linear(tensor([1, 2], 1, 2), parameterIn(source, 'kernel', [2, 3], counting(6)), null)
    expect(lengths).toEqual([
      ['float64', 3],
      ['float32', 6],
    ])
  })
})

describe('the path of scopes', () => {
  it('is that of the open ones, also after an error', () => {
    const path = new ScopePath()
    expect([path.of('x'), path.path]).toEqual(['x', []])
    const seen = path.scope('a', () => {
      const inner = path.scope('b', () => [path.of('x'), path.within(['c', 'd'], () => path.of('y')), path.of('z')])
      expect(() =>
        path.scope('e', () => {
          throw new Error('inside')
        }),
      ).toThrow('inside')
      return [...inner, path.of('w'), ...path.path]
    })
    expect(seen).toEqual(['a/b/x', 'c/d/y', 'a/b/z', 'a/w', 'a'])
    expect(path.of('x')).toBe('x')
  })
})

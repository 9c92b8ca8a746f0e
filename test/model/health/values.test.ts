import { describe, expect, it } from 'vitest'
import { isInitial, looksInitial, startOf } from '../../../src/model/health/initial.js'
import { eachPiece, tensorStatistics, type TensorStatistics } from '../../../src/model/health/statistics.js'
import { truncatedNormal } from '../../../src/model/random/random.js'
import { parameterIn } from '../../helpers/memory-parameters.js'
import { MemorySource, random } from '../../helpers/tiny-model.js'

const source = new MemorySource()
const statisticsOf = (values: Iterable<number>): TensorStatistics => {
  const all = [...values]
  return tensorStatistics(source, parameterIn(source, 'x', [all.length], all))
}

describe('statistics of a tensor', () => {
  it.each([
    [[1, 2, 3, 6], { count: 4, mean: 3, std: Math.sqrt(3.5), min: 1, max: 6, zeros: 0, nan: 0, inf: 0 }],
    [[0, -2, -0, 2], { count: 4, mean: 0, std: Math.SQRT2, min: -2, max: 2, zeros: 2, nan: 0, inf: 0 }],
    [
      [NaN, 4, Infinity, -Infinity, NaN, NaN, 2],
      { count: 7, mean: 3, std: 1, min: 2, max: 4, zeros: 0, nan: 3, inf: 2 },
    ],
    [[5], { count: 1, mean: 5, std: 0, min: 5, max: 5, zeros: 0, nan: 0, inf: 0 }],
    [[NaN, Infinity], { count: 2, mean: null, std: null, min: null, max: null, zeros: 0, nan: 1, inf: 1 }],
    [[], { count: 0, mean: null, std: null, min: null, max: null, zeros: 0, nan: 0, inf: 0 }],
  ])('of %j', (values, wanted) => {
    expect(statisticsOf(values)).toEqual(wanted)
  })

  it('have no deviation of equal numbers, however they round', () => {
    expect(statisticsOf(new Array<number>(1000).fill(0.1)).std).toBe(0)
    expect(statisticsOf([0.1, 0.1, 0.1000001]).std).toBeGreaterThanOrEqual(0)
  })

  it('are read by pieces of a million numbers', () => {
    const total = 2 ** 20 + 3
    const values = new Float32Array(total)
    values[2 ** 20] = 7
    const p = parameterIn(source, 'large', [total], values)
    const seen: [number, number, number][] = []
    eachPiece(source, p, (piece, start) => seen.push([start, piece.length, piece[0]!]))
    expect(seen).toEqual([
      [0, 2 ** 20, 0],
      [2 ** 20, 3, 7],
    ])
    // The stored shape counts: two axes may be one there.
    const small = parameterIn(source, 'small', [2, 3], [1, 2, 3, 4, 5, 6])
    expect(tensorStatistics(source, { ...small, shape: [] }).count).toBe(6)
  })
})

describe('initial values', () => {
  const noise = (count: number, deviation: number): Float32Array => {
    const values = new Float32Array(count)
    truncatedNormal(3, 'x', deviation)(0, values)
    return values
  }
  /** Normal numbers that are not cut (Box and Muller). */
  const normal = (count: number, deviation: number): number[] => {
    const next = random(5)
    return Array.from(
      { length: count },
      () => deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    )
  }

  it('are truncated normal noise of the range, as TensorFlow makes it', () => {
    for (const count of [16, 100, 10_000]) {
      expect(looksInitial(statisticsOf(noise(count, 0.02)), 0.02, false)).toBe(true)
      expect(looksInitial(statisticsOf(noise(count, 0.02)), 0.02, true)).toBe(true)
    }
    const values = noise(10_000, 0.02)
    expect(looksInitial(statisticsOf(noise(15, 0.02)), 0.02, true)).toBe(false)
    expect(looksInitial(statisticsOf(values), 0.03, false)).toBe(false)
    expect(looksInitial(statisticsOf(values), 0.015, false)).toBe(false)
    expect(looksInitial(statisticsOf(values.map((x) => x * 0.9)), 0.02, true)).toBe(false)
    expect(looksInitial(statisticsOf([...values.slice(1), 0.05]), 0.02, false)).toBe(false)
    for (const odd of [NaN, Infinity]) expect(looksInitial(statisticsOf([...values, odd]), 0.02, true)).toBe(false)
    expect(looksInitial(statisticsOf(new Array<number>(20).fill(NaN)), 0.02, true)).toBe(false)
  })

  it('are normal noise of the range, as transformers makes it, if transformers may have made it', () => {
    for (const count of [200, 10_000]) {
      const s = statisticsOf(normal(count, 0.02))
      expect([looksInitial(s, 0.02, true), looksInitial(s, 0.02, false), looksInitial(s, 0.025, true)]).toEqual([
        ...[true, false, false],
      ])
    }
    expect(looksInitial(statisticsOf([...normal(10_000, 0.02).slice(1), 0.2]), 0.02, true)).toBe(false)
  })

  // A million numbers of deviation d have a mean within d / 1000 · 4, and a deviation within four standard errors.
  const million = (mean: number, std: number, largest: number): TensorStatistics => ({
    ...{ count: 1e6, mean, std, min: -largest, max: largest / 2, zeros: 0, nan: 0, inf: 0 },
  })
  const cut = 0.8796256610342398 // scipy.stats.truncnorm(-2, 2).std()
  it.each([
    [true, 0, cut, 2],
    [true, 0.0035, cut, 2],
    [true, -0.0035, cut, 2],
    [false, 0.0036, cut, 2],
    [false, -0.0036, cut, 2],
    // √((2.3655 − 1) / 4·10⁶) · 4 = 0.002337
    [true, 0, cut * 1.0023, 2],
    [true, 0, cut * 0.9977, 2],
    [false, 0, cut * 1.0024, 2],
    [false, 0, cut * 0.9976, 2],
    [false, 0, cut, 2.001],
    [false, 0, 1, 1.9],
  ])('%s: cut at two, mean %d, deviation %d, largest %d', (is, mean, std, largest) => {
    expect(looksInitial(million(mean, std, largest), 1, false)).toBe(is)
    const scaled = million(mean / 50, std / 50, largest / 50)
    expect(looksInitial({ ...scaled, min: -scaled.max!, max: -scaled.min! }, 0.02, false)).toBe(is)
  })

  it.each([
    [true, 0, 1, 5],
    // √(2 ln 10⁶) + 2 = 7.2565
    [true, 0.0039, 1, 7.25],
    [false, 0, 1, 7.26],
    [false, 0.0041, 1, 5],
    // √(2 / 4·10⁶) · 4 = 0.002828
    [true, 0, 1.0028, 5],
    [false, 0, 1.0029, 5],
    [false, 0, cut, 5],
  ])('%s: normal, mean %d, deviation %d, largest %d', (is, mean, std, largest) => {
    expect(looksInitial(million(mean, std, largest), 1, true)).toBe(is)
    expect(looksInitial(million(mean, std, largest), 1, false)).toBe(false)
  })

  it('are ones of a gamma, zeros of a bias, and noise of the rest', () => {
    const starts = {
      ones: ['embeddings/LayerNorm/gamma', 'x/gamma'],
      zeros: ['a/beta', 'a/bias', 'mlm/output_bias', 'mlm/decoder_bias'],
      noise: ['a/kernel', 'embeddings/word_embeddings', 'sop/output_weights', 'a/bias/kernel', 'a/gammas'],
    }
    for (const [start, slots] of Object.entries(starts)) for (const slot of slots) expect(startOf(slot)).toBe(start)
    const [ones, zeros] = [statisticsOf([1, 1]), statisticsOf([0, 0])]
    const initial = (slot: string, s: TensorStatistics): boolean => isInitial(slot, s, 0.02, true)
    expect([initial('a/gamma', ones), initial('a/gamma', zeros), initial('a/gamma', statisticsOf([1, 2]))]).toEqual([
      ...[true, false, false],
    ])
    expect([initial('a/bias', zeros), initial('a/bias', ones), initial('a/beta', statisticsOf([0, -1]))]).toEqual([
      ...[true, false, false],
    ])
    expect(initial('a/gamma', statisticsOf([1, NaN]))).toBe(false)
    expect(initial('a/gamma', statisticsOf([1, NaN, Infinity]))).toBe(false)
    expect(initial('a/kernel', statisticsOf(noise(100, 0.02)))).toBe(true)
    expect(isInitial('a/kernel', statisticsOf(normal(1000, 0.02)), 0.02, false)).toBe(false)
    expect(isInitial('a/kernel', statisticsOf(normal(1000, 0.02)), 0.02, true)).toBe(true)
    expect(initial('a/kernel', zeros)).toBe(false)
  })
})

import { describe, expect, it } from 'vitest'
import type { ModelConfig } from '../../../src/model/config.js'
import { INITIALIZER_RANGE, planRandom, type RandomOptions } from '../../../src/model/random/init.js'
import { ones, truncatedNormal } from '../../../src/model/random/random.js'
import { valuesOf } from '../../helpers/memory-model.js'
import { MemorySource, tinyModel } from '../../helpers/tiny-model.js'

const noise = (count: number, start = 0, seed = 1, name = 'x', deviation = 1): Float32Array => {
  const values = new Float32Array(count)
  truncatedNormal(seed, name, deviation)(start, values)
  return values
}

describe('truncated normal noise', () => {
  it('stays the same from version to version: models are made again by their seed', () => {
    expect([...noise(4), ...noise(2, 2 ** 32), ...noise(2, 5, 7, 'encoder/kernel', 0.02)]).toEqual([
      ...[-0.7281387448310852, -0.6680325269699097, -0.5826423764228821, -0.22058027982711792],
      ...[0.6262620687484741, -0.49805814027786255, 0.005005990155041218, -0.023232251405715942],
    ])
  })

  it('has the quantiles of the distribution', () => {
    // scipy.stats.truncnorm(-2, 2).ppf
    const sorted = noise(200_000).toSorted()
    for (const [share, quantile] of [
      [0.001, -1.982625621],
      [0.01, -1.84808354],
      [0.1, -1.184032467],
      [0.25, -0.639111911],
      [0.4, -0.241587185],
      [0.5, 0],
      [0.75, 0.639111911],
      [0.9, 1.184032467],
      [0.999, 1.982625621],
    ] as const)
      expect(Math.abs(sorted[Math.floor(share * sorted.length)]! - quantile), String(share)).toBeLessThan(0.012)
    expect(sorted[0]).toBeGreaterThanOrEqual(-2)
    expect(sorted.at(-1)).toBeLessThanOrEqual(2)
  })

  it('has no pattern from value to value', () => {
    const values = noise(100_000)
    const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length
    for (const lag of [1, 2, 3, 8, 64, 1024]) {
      let sum = 0
      for (let i = lag; i < values.length; i++) sum += values[i]! * values[i - lag]!
      expect(Math.abs(sum / values.length / variance), String(lag)).toBeLessThan(0.012)
    }
    expect(new Set(values).size).toBeGreaterThan(99_900)
  })

  it('follows from seed, name and place alone', () => {
    const all = noise(100)
    for (const [start, count] of [
      [0, 1],
      [7, 13],
      [99, 1],
    ] as const)
      expect(noise(count, start)).toEqual(all.slice(start, start + count))
    const same = (other: Float32Array): number => other.filter((x, i) => x === all[i]).length
    for (const other of [
      ...[noise(100, 0, 2), noise(100, 0, 1, 'y'), noise(100, 0, 1, 'xx'), noise(100, 0, 1, ''), noise(100, 1)],
      ...[noise(100, 2 ** 32), noise(100, 2 ** 33), noise(100, 0, 1, 'é')],
    ])
      expect(same(other)).toBeLessThan(2)
    expect(noise(100, 2 ** 32)).not.toEqual(noise(100, 2 ** 33))
    expect(noise(100, 0, 1, 'ab')).not.toEqual(noise(100, 0, 1, 'ba'))
    expect(noise(100, 0, 1, 'x', 0.5)).toEqual(all.map((x) => x / 2))
  })
})

it('ones are ones', () => {
  const values = new Float32Array(3)
  ones(5, values)
  expect([...values]).toEqual([1, 1, 1])
})

type Refusal = [
  config: ModelConfig,
  target: 'tf' | 'safetensors',
  message: string,
  hint?: string | undefined,
  file?: string | undefined,
  options?: Partial<RandomOptions>,
]

describe('a random model', () => {
  const configOf = (family: ModelConfig['family'], more: object = {}): ModelConfig => ({
    ...tinyModel({ family, hidden: 16, layers: 2 }).model.config,
    ...more,
  })
  const names = (config: ModelConfig, target: 'tf' | 'safetensors', options: Partial<RandomOptions> = {}): string[] =>
    planRandom(config, target, { seed: 1, ...options }).tensors.map(({ name }) => name)

  it('is initialised as before training', () => {
    const plan = planRandom(configOf('bert'), 'tf', { seed: 3, heads: ['mlm', 'sop'] })
    expect(plan).toMatchObject({ form: null, notes: [], config: configOf('bert'), table: { family: 'bert' } })
    for (const tensor of plan.tensors) {
      const values = valuesOf(tensor, new MemorySource())
      if (tensor.slot.endsWith('gamma'))
        expect(
          values.every((x) => x === 1),
          tensor.slot,
        ).toBe(true)
      else if (/(beta|bias)$/.test(tensor.slot))
        expect(
          values.every((x) => x === 0),
          tensor.slot,
        ).toBe(true)
      else {
        const wanted = new Float32Array(values.length)
        truncatedNormal(3, tensor.slot, INITIALIZER_RANGE)(0, wanted)
        expect(values, tensor.slot).toEqual(wanted)
      }
      expect([tensor.dtype, tensor.transposed, tensor.logicalShape]).toEqual(['F32', false, tensor.shape])
    }
    expect(INITIALIZER_RANGE).toBe(0.02)
    const wide = planRandom(configOf('bert'), 'tf', { seed: 3, deviation: 0.5 }).tensors[0]!
    expect(Math.max(...valuesOf(wide, new MemorySource()))).toBeGreaterThan(0.9)
  })

  it('has the names of its family, or of transformers', () => {
    const first = (config: ModelConfig, target: 'tf' | 'safetensors', options: Partial<RandomOptions> = {}): string =>
      names(config, target, options)[0]!
    const mlm = { heads: ['mlm'] as const }
    expect(first(configOf('zh'), 'tf')).toBe('bert/embeddings/word_embeddings')
    expect(first(configOf('bert'), 'tf')).toBe('bert/embeddings/word_embeddings')
    expect(first(configOf('bert'), 'safetensors')).toBe('embeddings.word_embeddings.weight')
    expect(first(configOf('bert'), 'safetensors', { heads: [] })).toBe('embeddings.word_embeddings.weight')
    expect(first(configOf('bert'), 'safetensors', mlm)).toBe('bert.embeddings.word_embeddings.weight')
    expect(first(configOf('google'), 'safetensors', mlm)).toBe('albert.embeddings.word_embeddings.weight')
    expect(first(configOf('hf'), 'safetensors', mlm)).toBe('albert.embeddings.word_embeddings.weight')
    const plan = planRandom(configOf('google'), 'safetensors', { seed: 1 })
    expect([plan.config.family, plan.table.family]).toEqual(['hf', 'hf'])
    const kernel = plan.tensors.find(({ name }) => name.endsWith('ffn.weight'))!
    expect([kernel.logicalShape, kernel.shape, kernel.transposed]).toEqual([[16, 35], [35, 16], true])
  })

  it('has grouped kernels in their stored order', () => {
    const { tensors } = planRandom(configOf('google_fast'), 'tf', { seed: 1 })
    const kernel = tensors.find(({ slot }) => slot.endsWith('ffn/intermediate/kernel'))!
    expect([kernel.shape, kernel.logicalShape, kernel.transposed]).toEqual([[1, 2, 16], [1, 2, 16], false])
  })

  it.each([
    [
      configOf('zh'),
      'safetensors',
      'transformers has no model of the form zh',
      "take the size in Google's form, or write a checkpoint with `target` tf",
      undefined,
    ],
    [
      configOf('google_fast'),
      'safetensors',
      'transformers has no model of the form google_fast',
      "take the size in Google's form, or write a checkpoint with `target` tf",
      undefined,
    ],
    [
      configOf('hf'),
      'tf',
      "the configuration is transformers', whose names are not those of a TensorFlow checkpoint",
      'write it with `target` safetensors',
      'config.json',
    ],
    [
      configOf('bert'),
      'tf',
      'google-research BERT has no place for encoder/shared/attention/query/kernel',
      undefined,
      'config.json',
      { sharing: 'attention' },
    ],
  ] as Refusal[])(
    'is refused if there is none: %#',
    (...[config, target, message, hint, file, options = {}]: Refusal) => {
      expect(() => names(config, target, options)).toThrow(
        expect.objectContaining({
          kind: 'unsupported',
          code: 'translation-impossible',
          message,
          hint,
          place: file === undefined ? {} : { file },
        }) as Error,
      )
    },
  )
})

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  TraceMeans,
  traceOn,
  traceReference,
  type HeadMeans,
  type LayerMeans,
} from '../../../src/model/reference/trace.js'
import { FORWARD_CASES, forwardCase, type ForwardCase } from '../../helpers/forward-cases.js'
import { parameterIn } from '../../helpers/memory-parameters.js'
import type { ModelInputs } from '../../../src/model/reference/run.js'

interface Trace {
  readonly layers: readonly LayerMeans[]
  readonly heads: readonly HeadMeans[]
}
const goldens = JSON.parse(
  readFileSync(new URL('../../helpers/forward-goldens.json', import.meta.url), 'utf8'),
) as Readonly<Record<ForwardCase, { readonly trace: Trace | null }>>

/** Counts are exact, measures have eight digits. */
const close = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, x: unknown) =>
    typeof x === 'number' && !Number.isInteger(x) ? (expect.closeTo(x, 7) as unknown) : x,
  )

function traced(name: ForwardCase, ...inputs: ModelInputs[]): { means: TraceMeans; layers: number[] } {
  const { model, source } = forwardCase(name)
  const means = new TraceMeans()
  const layers: number[] = []
  for (const one of inputs) traceReference(model, source, one, means, (layer) => layers.push(layer))
  return { means, layers }
}

describe('what layers and heads do', () => {
  it.each(FORWARD_CASES.filter((name) => goldens[name].trace !== null))('is that of PyTorch: %s', (name) => {
    const { means, layers } = traced(name, forwardCase(name).inputs)
    expect(means.result()).toEqual(close(goldens[name].trace))
    expect(means.tokens).toBe(6)
    expect(layers).toEqual(means.layers.map((_, i) => i + 1))
  })

  it('is the mean over all runs', () => {
    const { inputs } = forwardCase('bert')
    const row = (at: number): ModelInputs => ({
      batch: 1,
      sequence: 4,
      input_ids: inputs.input_ids.subarray(4 * at, 4 * at + 4),
      attention_mask: inputs.attention_mask.subarray(4 * at, 4 * at + 4),
      token_type_ids: inputs.token_type_ids.subarray(4 * at, 4 * at + 4),
    })
    const { means } = traced('bert', row(0), row(1))
    expect(means.result()).toEqual(close(goldens.bert.trace))
    expect(means.tokens).toBe(6)
  })

  it('has no share of the largest entropy in rows of one token, and nothing of no tokens', () => {
    const one = (token: number): ModelInputs => ({
      batch: 1,
      sequence: 2,
      input_ids: Int32Array.of(1, 0),
      attention_mask: Int32Array.of(token, 0),
      token_type_ids: new Int32Array(2),
    })
    const { means } = traced('bert', one(1))
    expect(means.result().heads.map(({ entropy, normalised }) => [entropy, normalised])).toEqual(
      Array.from({ length: 8 }, () => [0, null]),
    )
    const { layers, heads } = traced('bert', one(0)).means.result()
    expect(layers).toEqual([0, 1].map((layer) => ({ layer, l2: NaN, cosine: NaN })))
    expect(heads[0]).toEqual({ layer: 0, inner: 0, head: 0, entropy: NaN, normalised: null, norm: NaN })
  })

  it('does not run the pooler or heads, and computes with the processors it is given', () => {
    const { model, source, inputs } = forwardCase("Google's albert")
    const { hidden_size: hidden } = model.config
    const means = new TraceMeans()
    const products: string[] = []
    let layers = 0
    traceOn({ model, source }, inputs, means, {
      onLayer: () => layers++,
      processors: {
        float64: (length) => new Float64Array(length),
        float32: (length) => new Float32Array(length),
        multiply: ({ size: { rows, inner, outer } }) => products.push(`${rows}x${inner}x${outer}`),
      },
    })
    expect(layers).toBe(4)
    // Nothing of two rows: a pooler would take the first token of each.
    expect(products.filter((size) => size.startsWith('2x'))).toEqual([])
    expect(products.filter((size) => size === `8x${hidden / 4}x${hidden}`)).toHaveLength(4 * 4)
  })

  it('takes vectors without length as orthogonal to all others', () => {
    const { model, source, inputs } = forwardCase('albert_zh')
    const norm = {
      gamma: parameterIn(source, 'zero', [8], new Array<number>(8).fill(0)),
      beta: parameterIn(source, 'none', [8], new Array<number>(8).fill(0)),
    }
    const layers = model.layers.map((inner, l) =>
      inner.map((block) => (l === 0 ? { ...block, outputNorm: norm } : block)),
    )
    const means = new TraceMeans()
    traceOn({ model: { ...model, layers }, source }, inputs, means)
    expect(means.result().layers).toEqual([
      { layer: 0, l2: expect.any(Number) as number, cosine: 0 },
      { layer: 1, l2: expect.any(Number) as number, cosine: 0 },
    ])
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { distinctNames } from '../../src/api/distinct-names.js'
import { compareLayers, modelLayers } from '../../src/api/layers/layers.js'
import { openSource } from '../../src/api/open/source.js'
import { readGolden, type Golden } from '../../src/compare/golden.js'
import { openModel } from '../../src/api/open/open.js'
import { writeRandomModel } from '../helpers/random-model.js'
import { describeShared, fixtures, goldensIn, SHARED, ZH_NEWS } from '../helpers/shared.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-layers-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

async function golden(model: string, file: string): Promise<Golden> {
  const source = await openSource(file)
  const opened = await openModel(model)
  try {
    return readGolden(source, opened.model)
  } finally {
    source.close()
    opened.close()
  }
}

/** Hidden states of a golden in order, the input of the first layer before them; null if it has none. */
function statesOf({ outputs }: Golden): ArrayLike<number>[] | null {
  if (outputs.has('all_encoder_layers_0')) {
    const layers: ArrayLike<number>[] = []
    for (let i = 0; outputs.has(`all_encoder_layers_${i}`); i++)
      layers.push(outputs.get(`all_encoder_layers_${i}`)!.data)
    const input = outputs.get('embedding_hidden_mapping_in') ?? outputs.get('embedding_output')
    return input === undefined ? null : [input.data, ...layers]
  }
  const states: ArrayLike<number>[] = []
  for (let i = 0; outputs.has(`hidden_states_${i}`); i++) states.push(outputs.get(`hidden_states_${i}`)!.data)
  return states.length > 1 ? states : null
}

/** Straight from the definition: mean over tokens whose mask is 1. */
function means(input: ArrayLike<number>, output: ArrayLike<number>, mask: Int32Array) {
  const width = output.length / mask.length
  const tokens = [...mask.keys()].filter((token) => mask[token] === 1)
  const vector = (of: ArrayLike<number>, token: number): number[] =>
    Array.from({ length: width }, (_, i) => of[token * width + i]!)
  const dot = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0)
  const mean = (of: (a: number[], b: number[]) => number): number =>
    tokens.reduce((sum, t) => sum + of(vector(input, t), vector(output, t)), 0) / tokens.length
  return {
    l2: mean((a, b) => Math.hypot(...a.map((x, i) => x - b[i]!))),
    cosine: mean((a, b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))),
  }
}

/** Models with a golden: `[folder, golden]`. */
const cases = (['tf', 'hf'] as const).flatMap((group) =>
  [...new Set(['golden.safetensors', 'golden_edge.safetensors'].flatMap((file) => fixtures(group, file)))]
    // Without folders that have no model, or several.
    .filter((name) => !name.startsWith('train_step') && name !== 'fmt_tf2_objects')
    .flatMap((name) => goldensIn(join(SHARED, group, name)).map((file) => [join(SHARED, group, name), file] as const)),
)

describeShared('layers of the fixtures', () => {
  const tried: string[] = []
  it.each(cases.map(([model, file]) => [`${basename(model)} ${basename(file)}`, model, file] as const))(
    '%s',
    async (_, model, file) => {
      const g = await golden(model, file)
      const states = statesOf(g)
      if (states === null) return
      tried.push(file)
      const epsilon = file.includes('epsilon_1e-3') ? { layerNormEpsilon: 1e-3 } : {}
      const { layers, heads, inputs } = await modelLayers(model, { golden: file, ...epsilon })
      expect(layers.map((l) => l.layer)).toEqual(states.slice(1).map((__, i) => i))
      const { attention_mask: mask } = g.inputs
      expect(inputs.tokens).toBe(mask.reduce((a, b) => a + b, 0))
      for (const { layer, l2, cosine } of layers) {
        const expected = means(states[layer]!, states[layer + 1]!, mask)
        expect(Math.abs(l2 - expected.l2), `l2 of layer ${layer}`).toBeLessThan(1e-5)
        expect(Math.abs(cosine - expected.cosine), `cosine of layer ${layer}`).toBeLessThan(1e-5)
      }
      // transformers gives its attention too, one for each inner layer.
      const blocks = [...new Set(heads.map((h) => `${h.layer}/${h.inner}`))]
      blocks.forEach((block, at) => {
        const attention = g.outputs.get(`attentions_${at}`)
        if (attention === undefined) return
        const [batch = 0, n = 0, length = 0] = attention.shape
        const own = heads.filter((h) => `${h.layer}/${h.inner}` === block)
        expect(own).toHaveLength(n)
        for (const { head, entropy } of own) {
          const rows: number[] = []
          for (let b = 0; b < batch; b++)
            for (let s = 0; s < length; s++) {
              if (mask[b * length + s] !== 1) continue
              const start = ((b * n + head) * length + s) * length
              rows.push(
                -Array.from({ length }, (__, t) => attention.data[start + t]!).reduce(
                  (sum, p) => sum + (p > 0 ? p * Math.log(p) : 0),
                  0,
                ),
              )
            }
          expect(entropy).toBeCloseTo(rows.reduce((a, b) => a + b, 0) / rows.length, 5)
        }
      })
    },
  )
  it('are most of them', () => {
    expect(tried.length).toBeGreaterThan(60)
  })
})

describe('modelLayers', () => {
  it('counts inner layers as the family does', async () => {
    const shape = {
      layers: 2,
      groups: 1,
      inner: 2,
      hidden: 16,
      embedding: 8,
      intermediate: 32,
      sharing: 'all',
      preNorm: false,
      act: 'relu',
      heads: [],
      pooler: false,
    } as const
    await writeRandomModel(join(folder, 'google'), 'google', shape, 0.2)
    await writeRandomModel(join(folder, 'hf'), 'hf albert', shape, 0.2)
    const [google, hf] = await compareLayers([join(folder, 'google'), join(folder, 'hf')])
    expect(google?.layers).toHaveLength(4)
    expect(hf?.layers).toHaveLength(2)
    const places = (m: typeof google) => [...new Set(m?.heads.map((h) => `${h.layer}.${h.inner}`))]
    expect(places(google)).toEqual(['0.0', '1.0', '2.0', '3.0'])
    expect(places(hf)).toEqual(['0.0', '0.1', '1.0', '1.1'])
    expect(google?.inputs.kind).toBe('drawn')
    expect(google?.notes.join()).toContain('random tokens')
  })

  it('reads built-in sentences that the vocabulary knows, and text', async () => {
    const own = await modelLayers(ZH_NEWS)
    expect(own.inputs).toMatchObject({ kind: 'sentences' })
    expect(own.inputs.tokens).toBeGreaterThan(own.inputs.rows * 10)
    const text = join(folder, 'text.txt')
    writeFileSync(text, '今天天气很好\n球队战胜了对手\n')
    const given = await modelLayers(ZH_NEWS, { text })
    expect(given.inputs).toEqual({ kind: 'text', rows: 2, tokens: 17 })
    for (const { normalised, entropy } of given.heads) {
      expect(entropy).toBeGreaterThan(0)
      expect(normalised).toBeLessThanOrEqual(1)
    }
  })

  it('a head adds what its context times its rows of the kernel gives: with one token, value and output alone', async () => {
    const model = join(folder, 'one')
    await writeRandomModel(
      model,
      'bert',
      {
        layers: 1,
        groups: 1,
        inner: 1,
        hidden: 16,
        embedding: 16,
        intermediate: 32,
        sharing: 'none',
        preNorm: false,
        act: 'relu',
        heads: [],
        pooler: false,
      },
      0.3,
    )
    const opened = await openModel(model)
    const { runReference } = await import('../../src/model/reference/run.js')
    const { readLogical: readMeant } = await import('../../src/model/tensors/read.js')
    const { traceReference, TraceMeans } = await import('../../src/model/reference/trace.js')
    const inputs = {
      batch: 1,
      sequence: 1,
      input_ids: Int32Array.of(3),
      attention_mask: Int32Array.of(1),
      token_type_ids: Int32Array.of(0),
    }
    const x = runReference(opened.model, opened.source, inputs, {
      mlm: false,
      sop: false,
      classifier: false,
      qa: false,
    }).get('embedding_output')!.data
    const block = opened.model.layers[0]![0]!
    const [v, vb, o] = [block.value.kernel, block.value.bias!, block.attentionOutput.kernel].map((p) =>
      readMeant(opened.source, p),
    )
    const context = Array.from({ length: 16 }, (_, j) => x.reduce((s, a, i) => s + a * v![i * 16 + j]!, vb![j]!))
    const means = new TraceMeans()
    traceReference(opened.model, opened.source, inputs, means)
    opened.close()
    const { heads } = means.result()
    expect(heads).toHaveLength(4)
    for (const { head, norm, entropy, normalised } of heads) {
      const added = Array.from({ length: 16 }, (_, j) =>
        [0, 1, 2, 3].reduce((s, d) => s + context[head * 4 + d]! * o![(head * 4 + d) * 16 + j]!, 0),
      )
      expect(norm).toBeCloseTo(Math.hypot(...added), 10)
      expect([entropy, normalised]).toEqual([0, null])
    }
  })
})

describe('distinctNames', () => {
  it('takes as much of a path as tells models apart', () => {
    expect(distinctNames(['/a/x/model', '/a/y/model', '/a/other'])).toEqual(['x/model', 'y/model', 'other'])
    expect(distinctNames(['/a/m', '/a/m'])).toEqual(['m', 'm (2)'])
  })
})

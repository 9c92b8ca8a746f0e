import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import { afterAll, describe, expect, it } from 'vitest'
import { openModel } from '../../src/api/open/open.js'
import { analyseWeights, type WeightsReport } from '../../src/api/weights/weights.js'
import { readLogical } from '../../src/model/tensors/read.js'
import type { Fill } from '../../src/model/tensors/derived.js'
import { writeRandomModel, type Edit, type Kind, type Shape } from '../helpers/random-model.js'
import { albertkit } from '../helpers/run.js'
import { describeShared, fixtures, SHARED, ZH_NEWS } from '../helpers/shared.js'
import { weightsSchema } from '../../src/schemas/weights.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-weights-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const SHAPE: Shape = {
  layers: 3,
  groups: 1,
  inner: 1,
  hidden: 32,
  embedding: 16,
  intermediate: 64,
  sharing: 'none',
  preNorm: false,
  act: 'relu',
  heads: ['classifier'],
  pooler: true,
}
const CLASSES = 3

let made = 0
async function model(kind: Kind, edit?: Edit, shape: Partial<Shape> = {}, deviation = 0.3): Promise<string> {
  const path = join(folder, `m${made++}`)
  await writeRandomModel(path, kind, { ...SHAPE, ...shape }, deviation, edit)
  return path
}

const analysed = async (kind: Kind, edit?: Edit, shape?: Partial<Shape>): Promise<WeightsReport> =>
  analyseWeights(await model(kind, edit, shape))
/** Noise with values at some places. */
const with_ =
  (fill: Fill, at: Readonly<Record<number, number>>): Fill =>
  (start, target) => {
    fill(start, target)
    for (const [i, x] of Object.entries(at)) if (Number(i) >= start) target[Number(i) - start] = x
  }
const constant =
  (value: number): Fill =>
  (_, target) => {
    target.fill(value)
  }
const said = (r: WeightsReport, level: string): string =>
  r.verdicts
    .filter((v) => v.level === level)
    .map((v) => v.text)
    .join('\n')
const QUERY = 'encoder/layer_1/attention/query/kernel'

describe('analyseWeights', () => {
  it('finds nothing wrong with a healthy model, and its statistics are those of the values', async () => {
    const path = await model('bert')
    const r = await analyseWeights(path)
    expect([r.ok, r.body, said(r, 'bad'), said(r, 'warning')]).toEqual([true, 'trained', '', ''])
    const opened = await openModel(path)
    const p = opened.model.layers[1]![0]!.query.kernel
    const values = [...readLogical(opened.source, p)]
    opened.close()
    const t = r.tensors.find((x) => x.slot === QUERY)!
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    expect(t).toMatchObject({
      count: 1024,
      min: Math.min(...values),
      max: Math.max(...values),
      zeros: 0,
      nan: 0,
      inf: 0,
    })
    expect(t.mean).toBeCloseTo(mean, 12)
    expect(t.std).toBeCloseTo(Math.sqrt(values.reduce((s, x) => s + (x - mean) ** 2, 0) / values.length), 12)
  })

  it('finds NaN and infinity, and takes statistics of the rest', async () => {
    const r = await analysed('bert', (slot, { noise }) =>
      slot === QUERY ? with_(noise, { 3: NaN, 5: Infinity, 9: -Infinity }) : noise,
    )
    expect(r.ok).toBe(false)
    const t = r.tensors.find((x) => x.slot === QUERY)!
    expect(t).toMatchObject({ nan: 1, inf: 2, state: 'broken' })
    expect(Math.abs(t.mean!)).toBeLessThan(0.1)
    expect(said(r, 'bad')).toContain('has 1 NaN and 2 infinite of 1024 values')
  })

  it('finds zeros and constants', async () => {
    const r = await analysed('bert', (slot, { noise }) =>
      slot === QUERY ? constant(0) : slot === 'pooler/dense/kernel' ? constant(0.5) : noise,
    )
    expect(r.ok).toBe(true)
    expect(said(r, 'warning')).toContain('all zeros: bert/encoder/layer_1/attention/self/query/kernel')
    expect(said(r, 'warning')).toContain('one value throughout: bert/pooler/dense/kernel (0.5)')
    expect(said(r, 'warning')).toContain('the pooler is constant')
  })

  it.each(['bert', 'google', 'hf albert'] as const)(
    'finds an untrained head in %s, and an untrained model',
    async (kind) => {
      const head = await analysed(kind, (slot, { noise, initial }) =>
        slot.startsWith('classifier/') ? initial : noise,
      )
      expect(head.heads).toEqual([
        { head: 'pooler', state: 'trained' },
        { head: 'classifier', state: 'untrained' },
      ])
      expect(said(head, 'warning')).toContain('the classifier is untrained')
      const all = await analysed(kind, (_, { initial }) => initial)
      expect(all.body).toBe('untrained')
      expect(said(all, 'warning')).toContain('the model is untrained')
      // One step of training moves a bias.
      const moved = await analysed(kind, (slot, { noise, initial }) =>
        slot === 'classifier/output_bias'
          ? with_(initial, { 0: 1e-5 })
          : slot.startsWith('classifier/')
            ? initial
            : noise,
      )
      expect(moved.heads[1]?.state).toBe('trained')
    },
  )

  it('finds classes that cannot win: by their bias, and as copies; and no other', async () => {
    const dead = await analysed('bert', (slot, { noise }) =>
      slot === 'classifier/output_bias' ? with_(noise, { 1: -100 }) : noise,
    )
    expect(dead.classes.map((c) => c.beatenBy)).toEqual([null, 0, null])
    expect(said(dead, 'warning')).toMatch(/^class 1.* cannot win/m)
    const copy = await analysed('bert', (slot, { noise }) => {
      if (!slot.startsWith('classifier/')) return noise
      const width = slot.endsWith('output_weights') ? SHAPE.hidden : 1
      return (start, target) => {
        const all = new Float32Array(CLASSES * width)
        noise(0, all)
        all.copyWithin(2 * width, 0, width)
        target.set(all.subarray(start, start + target.length))
      }
    })
    expect(copy.classes.map((c) => c.beatenBy)).toEqual([null, null, 0])
  })

  it('finds layers that are copies, also with a little noise on them', async () => {
    const layer = (slot: string): string => slot.replace('layer_2/attention', 'layer_0/attention')
    const noiseOfOther = new Map<string, Fill>()
    await model('bert', (slot, { noise }) => (noiseOfOther.set(slot, noise), noise))
    const exact = await analysed('bert', (slot, { noise }) => noiseOfOther.get(layer(slot)) ?? noise)
    expect(exact.duplicates).toEqual([{ part: 'attention', layers: [0, 2], distance: 0 }])
    const near = await analysed('bert', (slot, { noise }) => (start, target) => {
      noiseOfOther.get(layer(slot))!(start, target)
      if (layer(slot) === slot) return
      const own = new Float32Array(target.length)
      noise(start, own)
      for (let i = 0; i < own.length; i++) target[i]! += 0.02 * own[i]!
    })
    expect(near.duplicates).toHaveLength(1)
    expect(near.duplicates[0]!.distance).toBeGreaterThan(0.01)
    expect(near.duplicates[0]!.distance).toBeLessThan(0.04)
    expect(said(near, 'warning')).toContain('almost the same')
    // What shares its parameters is no copy.
    expect((await analysed('zh', undefined, { sharing: 'all' })).duplicates).toEqual([])
  })

  it('finds dimensions that the factorisation does not use, and what the projection loses', async () => {
    const columns =
      (unused: number, width: number, noise: Fill): Fill =>
      (start, target) => {
        noise(start, target)
        for (let i = 0; i < target.length; i++) if ((start + i) % width >= width - unused) target[i] = 0
      }
    const r = await analysed('zh', (slot, { noise }) =>
      slot === 'embeddings/word_embeddings' ? columns(3, SHAPE.embedding, noise) : noise,
    )
    expect(r.ranks?.word).toMatchObject({ possible: 16, numerical: 13, shape: [37, 16] })
    expect(r.ranks?.product).toMatchObject({ possible: 16, numerical: 13, shape: [37, 32] })
    expect(said(r, 'warning')).toContain('rank 13 of 16: 3 dimensions of it carry nothing')
    const lost = await analysed('google', (slot, { noise }) =>
      slot === 'encoder/embedding_hidden_mapping_in/kernel' ? columns(20, SHAPE.hidden, noise) : noise,
    )
    expect([lost.ranks?.word.numerical, lost.ranks?.product?.numerical]).toEqual([16, 12])
    expect(said(lost, 'warning')).toContain('the projection loses 4 dimensions')
    expect((await analysed('bert')).ranks?.product).toBeNull()
  })

  it('estimates ranks from the singular values that a decomposition of the matrices themselves gives', async () => {
    const path = await model('google')
    const { ranks } = await analyseWeights(path)
    const opened = await openModel(path)
    const { word, mapping } = opened.model.embeddings
    const matrix = (p: typeof word): Matrix =>
      Matrix.from1DArray(p.shape[0]!, p.shape[1]!, [...readLogical(opened.source, p)])
    const table = matrix(word)
    const product = table.mmul(matrix(mapping!.kernel))
    opened.close()
    for (const [found, of] of [
      [ranks!.word, table],
      [ranks!.product!, product],
    ] as const) {
      const sigma = new SingularValueDecomposition(of).diagonal.filter((x) => x > 1e-9)
      expect(found.singular).toHaveLength(16)
      found.singular.forEach((x, i) => {
        expect(x).toBeCloseTo(sigma[i]!, 8)
      })
      const total = sigma.reduce((a, b) => a + b, 0)
      expect(found.effective).toBeCloseTo(
        Math.exp(-sigma.reduce((h, x) => h + (x / total) * Math.log(x / total), 0)),
        8,
      )
      expect(found.stable).toBeCloseTo(sigma.reduce((a, x) => a + x * x, 0) / sigma[0]! ** 2, 8)
    }
  })

  it('--against: says what a checkpoint does not provide, by name', async () => {
    const pretrained = await model('zh', undefined, { heads: ['mlm'], sharing: 'all' })
    const config = join(pretrained, 'albert_config.json')
    const asIs = await analyseWeights(pretrained, { targetConfig: config })
    expect(asIs.against?.notProvided).toEqual([])
    const tuned = await analyseWeights(pretrained, { targetConfig: config, task: 'classify' })
    expect(tuned.against?.notProvided.map((n) => n.variable)).toEqual(['output_weights', 'output_bias'])
    expect(said(tuned, 'good')).toContain('none of them belongs to the body')
    const wide = join(folder, 'wide.json')
    writeFileSync(
      wide,
      JSON.stringify({ ...(JSON.parse(readFileSync(config, 'utf8')) as object), intermediate_size: 96, num_labels: 5 }),
    )
    const other = await analyseWeights(pretrained, { targetConfig: wide })
    expect(other.against?.notProvided.filter((n) => n.found !== null).map((n) => n.variable)).toEqual([
      'bert/encoder/layer_shared/intermediate/dense/kernel',
      'bert/encoder/layer_shared/intermediate/dense/bias',
      'bert/encoder/layer_shared/output/dense/kernel',
    ])
    expect(other.against?.notProvided.find((n) => n.slot === 'classifier/output_weights')?.shape).toEqual([5, 32])
    expect(said(other, 'bad')).toContain('accuracy 1/number of classes')
  })

  it('reports variables that the checkpoint itself lacks', async () => {
    const r = await analysed('bert', (slot, { noise }) => (slot === QUERY ? null : noise))
    expect(r.ok).toBe(false)
    expect(r.missing.map((m) => m.variable)).toEqual(['bert/encoder/layer_1/attention/self/query/kernel'])
    expect(said(r, 'bad')).toContain('lacks 1 variable that its own configuration asks for')
  })

  it('--before: says what did not change', async () => {
    const before = await model('google')
    const after = await model('google', (slot, { noise }) =>
      slot.startsWith('encoder/') || slot === 'pooler/dense/bias' ? noise : with_(noise, { 0: 7 }),
    )
    const r = await analyseWeights(after, { earlierCheckpoint: before })
    const stayed = r.before!.unchanged.map((u) => u.slot)
    expect(stayed.filter((slot) => !slot.startsWith('encoder/'))).toEqual(['pooler/dense/bias'])
    expect(stayed).toHaveLength(r.tensors.filter((t) => t.slot.startsWith('encoder/')).length + 1)
    const same = await analyseWeights(before, { earlierCheckpoint: before })
    expect(said(same, 'bad')).toContain(`nothing was trained: all ${same.tensors.length} variables`)
  })
})

describeShared('weights of the fixtures', () => {
  it.each([
    ...fixtures('tf', 'golden.safetensors')
      .filter((name) => !/^(train_step|fmt_tf2_objects)/.test(name))
      .map((name) => join(SHARED, 'tf', name)),
    ...fixtures('hf', 'golden.safetensors').map((name) => join(SHARED, 'hf', name)),
  ])('%s can be read, and every value is a number', async (path) => {
    const r = await analyseWeights(path)
    expect([r.ok, r.tensors.length > 10]).toEqual([true, true])
    weightsSchema.parse(JSON.parse(JSON.stringify(r)))
  })

  it('three genuine training steps move all but what has no gradient', async () => {
    const tuned = join(SHARED, 'tf/train_step_zh')
    const r = await analyseWeights(join(tuned, 'after_3.ckpt'), { earlierCheckpoint: join(tuned, 'before.ckpt') })
    expect(r.before?.compared).toBe(r.tensors.length)
    expect(r.before!.unchanged.length).toBeLessThan(3)
  })
})

describe('albertkit weights', () => {
  it('prints verdicts, CSV and JSON; exits 1 if a value is NaN', async () => {
    const [text, csv, json] = await Promise.all(
      [[], ['--csv'], ['--json']].map((form) => albertkit(['weights', ZH_NEWS, ...form])),
    )
    expect([text!.code, csv!.code, json!.code]).toEqual([0, 0, 0])
    expect(text!.stdout).toMatch(/^good +every value is a finite number$/m)
    expect(csv!.stdout.split('\r\n')).toHaveLength(1 + 33 + 1)
    const report = weightsSchema.parse(JSON.parse(json!.stdout))
    expect(report.classes[0]).toMatchObject({ label: '体育', beatenBy: null })
    const broken = await model('bert', (slot, { noise }) => (slot === QUERY ? with_(noise, { 0: NaN }) : noise))
    const bad = await albertkit(['weights', broken, '--json'])
    expect(bad.code).toBe(1)
    expect(weightsSchema.parse(JSON.parse(bad.stdout)).ok).toBe(false)
    expect((await albertkit(['weights', ZH_NEWS, '--task', 'classify'])).code).toBe(2)
    expect((await albertkit(['weights', ZH_NEWS, '--against', join(folder, 'none.json')])).code).toBe(2)
  })
})

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../../../src/api/convert/convert.js'
import { embedTexts, openEmbedder } from '../../../../src/api/inference/embed.js'
import { POOLING_MODES } from '../../../../src/api/inference/sentence/vectors.js'
import { openModel } from '../../../../src/api/open/open.js'
import { omitUndefined } from '../../../../src/base/omit-undefined.js'
import {
  dense,
  SENTENCE_CASES,
  SENTENCES,
  TEXTS,
  writeSentenceFolder,
  type SentenceCase,
} from '../../../helpers/sentence-folders.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-sentences-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0
const fresh = (): string => join(folder, String(made++))

type Vectors = readonly (readonly number[])[]
/** Vectors of sentence-transformers, written by `npm run test:oracle`. */
const GOLDEN = JSON.parse(readFileSync(join(SENTENCES, 'expect.json'), 'utf8')) as Record<string, Vectors>

async function vectorsOf(directory: string, one: SentenceCase): Promise<number[][]> {
  const model = await openEmbedder(directory, omitUndefined({ prompt: one.prompt, promptName: one.promptName }))
  try {
    return (await embedTexts(model, TEXTS)).map((vector) => [...vector])
  } finally {
    await model.close()
  }
}

function expectGolden(found: readonly (readonly number[])[], name: string): void {
  const wanted = GOLDEN[name]!
  expect(found.map((vector) => vector.length)).toEqual(wanted.map((vector) => vector.length))
  found.forEach((vector, i) => {
    vector.forEach((x, j) => {
      expect(Math.abs(x - wanted[i]![j]!), `${name}, text ${i}, element ${j}`).toBeLessThan(1e-5)
    })
  })
}

const MEAN = SENTENCE_CASES.find(({ name }) => name === 'mean_tokens')!

describe('vectors of a sentence-transformers folder', () => {
  it('has a golden for every case', () => {
    expect(SENTENCE_CASES.map(({ name }) => name)).toEqual(Object.keys(GOLDEN))
  })

  it.each(SENTENCE_CASES)('are those of sentence-transformers: $name', async (one) => {
    expectGolden(await vectorsOf(writeSentenceFolder(fresh(), one), one), one.name)
  })

  it.each(SENTENCE_CASES.filter(({ name }) => /order|LayerNorm|query|default|truncate|folder/.test(name)))(
    'are the same from what was converted: $name',
    async (one) => {
      const out = fresh()
      const source = writeSentenceFolder(fresh(), one)
      const report = await convertModel(source, out, { targets: ['onnx', 'safetensors'], verify: false })
      expect(report.notes.join()).toContain('modules.json')
      rmSync(source, { recursive: true })
      expectGolden(await vectorsOf(out, one), one.name)
    },
  )

  it('say what makes them', async () => {
    const one = SENTENCE_CASES.find(({ name }) => name === 'two Dense, LayerNorm, Dropout')!
    await using model = await openEmbedder(writeSentenceFolder(fresh(), one), { prompt: 'a ' })
    expect(model.vectors?.steps).toEqual([
      'prompt "a "',
      'Pooling mean',
      'Dense 16 → 24, Tanh',
      'LayerNorm',
      'Dense 24 → 5, GELU',
      'Normalize',
    ])
    expect(model.leftOut).toEqual([])
  })

  it.each(POOLING_MODES)('are pooled otherwise if that is asked for: %s', async (pooling) => {
    const directory = writeSentenceFolder(
      fresh(),
      SENTENCE_CASES.find(({ name }) => name === 'truncate_dim')!,
    )
    await using model = await openEmbedder(directory, { pooling })
    const golden = { cls: 'cls_token', max: 'max_tokens', mean: 'mean_tokens', weightedmean: 'weightedmean_tokens' }
    expectGolden(
      (await embedTexts(model, TEXTS)).map((vector) => [...vector]),
      (golden as Record<string, string>)[pooling] ?? pooling,
    )
  })
})

describe('a module that is not applied', () => {
  const MODULES: readonly (readonly [string, SentenceCase['modules'], string])[] = [
    ['an LSTM', [['LSTM', {}], MEAN.modules[0]!], 'LSTM'],
    ['weighted layers', [['WeightedLayerPooling', {}], MEAN.modules[0]!], 'WeightedLayerPooling'],
    ['words', [MEAN.modules[0]!, ['WordWeights', {}]], 'WordWeights'],
    ['a pooling', [['Pooling', { embedding_dimension: 16, pooling_mode: 'attention' }]], 'attention'],
    ['an activation', [MEAN.modules[0]!, dense(16, 4, 'activation.PReLU')], 'PReLU'],
    ['an input', [MEAN.modules[0]!, ['Dense', { ...dense(16, 4)[1], module_input_name: 'token_embeddings' }]], 'token'],
  ]
  it.each(MODULES)('is refused by name: %s', async (_, modules, name) => {
    const directory = writeSentenceFolder(fresh(), { name: '', modules })
    await expect(openEmbedder(directory)).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining(name) as string,
    })
    // The encoder alone can be had, if that is asked for.
    await using model = await openEmbedder(directory, { pooling: 'mean' })
    expect(model.vectors?.steps).toEqual(['Pooling mean'])
  })

  it('is named in a note if no vectors are computed', async () => {
    const opened = await openModel(
      writeSentenceFolder(fresh(), { name: '', modules: [MEAN.modules[0]!, dense(16, 4)] }),
    )
    opened.close()
    expect(opened.leftOut.join()).toMatch(/1_Pooling, 2_Dense/)
  })
})

describe('a damaged folder', () => {
  const open = async (edit: (directory: string) => void, one: SentenceCase = MEAN): Promise<unknown> => {
    const directory = writeSentenceFolder(fresh(), one)
    edit(directory)
    return openEmbedder(directory).then(
      (model) => model.close(),
      (error: unknown) => error,
    )
  }
  it.each([
    ['{}', 'config-invalid'],
    ['[{"type": "sentence_transformers.models.Transformer", "path": "../.."}]', 'path-escapes'],
    ['[{"path": ""}]', 'config-invalid'],
    ['[', 'config-invalid'],
  ])('is refused with its file: modules.json %s', async (text, code) => {
    const error = await open((directory) => {
      writeFileSync(join(directory, 'modules.json'), text)
    })
    expect(error).toMatchObject({
      kind: 'malformed',
      code,
      place: { file: expect.stringMatching(/modules\.json$/) as string },
    })
  })

  it('is refused for a Dense of another size, and for one without weights', async () => {
    const other: SentenceCase = { name: '', modules: [MEAN.modules[0]!, dense(12, 4)] }
    expect(await open(() => undefined, other)).toMatchObject({
      code: 'config-invalid',
      place: { field: 'in_features' },
    })
    const one: SentenceCase = { name: '', modules: [MEAN.modules[0]!, dense(16, 4)] }
    const remove = (directory: string): void => {
      rmSync(join(directory, '2_Dense/model.safetensors'))
    }
    expect(await open(remove, one)).toMatchObject({ kind: 'malformed', code: 'file-missing' })
  })

  it('is refused for a pointer of Git LFS, by `convert` too', async () => {
    const directory = writeSentenceFolder(fresh(), MEAN)
    writeFileSync(
      join(directory, '1_Pooling/config.json'),
      'version https://git-lfs.github.com/spec/v1\noid sha256:a\n',
    )
    const pointer = { kind: 'malformed', message: expect.stringContaining('Git LFS') as string }
    await expect(openEmbedder(directory)).rejects.toMatchObject(pointer)
    const converted = convertModel(directory, fresh(), { targets: ['onnx'], verify: false })
    await expect(converted).rejects.toMatchObject(pointer)
  })

  it('is refused for a prompt that it has not', async () => {
    const directory = writeSentenceFolder(fresh(), MEAN)
    await expect(openEmbedder(directory, { promptName: 'query' })).rejects.toMatchObject({ code: 'name-unknown' })
  })
})

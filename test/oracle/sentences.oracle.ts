import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { embedTexts, openEmbedder } from '../../src/api/inference/embed.js'
import { omitUndefined } from '../../src/base/omit-undefined.js'
import { ACTIVATIONS } from '../../src/api/inference/sentence/activations.js'
import {
  dense,
  SENTENCE_CASES,
  SENTENCES,
  TEXTS,
  writeSentenceFolder,
  type SentenceCase,
} from '../helpers/sentence-folders.js'
import { ask, SENTENCE_TRANSFORMERS } from './python.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-sentences-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const GOLDEN = join(SENTENCES, 'expect.json')

type Vectors = readonly (readonly number[])[]

function genuine(cases: readonly SentenceCase[], texts: readonly string[]): readonly Vectors[] {
  const folders = cases.map((one, i) => ({
    path: writeSentenceFolder(join(folder, `${i}-${cases.length}`), one),
    ...omitUndefined({ prompt: one.prompt, promptName: one.promptName }),
  }))
  return ask(SENTENCE_TRANSFORMERS!, 'run_sentences.py', { texts, folders }) as readonly Vectors[]
}

function expectNear(found: readonly ArrayLike<number>[], wanted: Vectors): void {
  expect(found.map((vector) => vector.length)).toEqual(wanted.map((vector) => vector.length))
  const worst = Math.max(...wanted.flatMap((vector, i) => vector.map((x, j) => Math.abs(x - found[i]![j]!))))
  expect(worst).toBeLessThan(1e-5)
}

describe.skipIf(SENTENCE_TRANSFORMERS === null)('sentence-transformers', () => {
  it('gives the vectors in test/fixtures/sentences (ALBERTKIT_WRITE_GOLDENS=1 writes them)', () => {
    const vectors = genuine(SENTENCE_CASES, TEXTS)
    const named = Object.fromEntries(SENTENCE_CASES.map(({ name }, i) => [name, vectors[i]!]))
    if (process.env.ALBERTKIT_WRITE_GOLDENS === '1') {
      const short = Object.entries(named).map(
        ([name, list]) =>
          `${JSON.stringify(name)}: ${JSON.stringify(list.map((v) => v.map((x) => Number(x.toPrecision(8)))))}`,
      )
      writeFileSync(GOLDEN, `{\n${short.join(',\n')}\n}\n`)
    }
    const stored = JSON.parse(readFileSync(GOLDEN, 'utf8')) as Record<string, Vectors>
    expect(Object.keys(stored)).toEqual(Object.keys(named))
    for (const [name, list] of Object.entries(named)) expectNear(stored[name]!, list)
  })

  it('loads what `convert --to safetensors` makes of a folder', async () => {
    const cases = SENTENCE_CASES.filter(({ name }) => /folder|LayerNorm|default prompt|truncate|order/.test(name))
    const folders = await Promise.all(
      cases.map(async (one, i) => {
        const [source, path] = [join(folder, `source-${i}`), join(folder, `converted-${i}`)]
        await convertModel(writeSentenceFolder(source, one), path, { targets: ['safetensors'], verify: false })
        return { path }
      }),
    )
    const found = ask(SENTENCE_TRANSFORMERS!, 'run_sentences.py', { texts: TEXTS, folders }) as readonly Vectors[]
    const stored = JSON.parse(readFileSync(GOLDEN, 'utf8')) as Record<string, Vectors>
    for (const [i, { name }] of cases.entries()) expectNear(found[i]!, stored[name]!)
  })

  it('gives the vectors of `embed` for every activation and for long texts', async () => {
    const names = Object.keys(ACTIVATIONS).map((name) =>
      name === 'Identity' ? 'linear.Identity' : `activation.${name}`,
    )
    const cases = names.map((name): SentenceCase => {
      const modes = ['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken']
      const pooling = { embedding_dimension: 16, pooling_mode: modes, include_prompt: false }
      return {
        name,
        modules: [['Pooling', pooling], dense(96, 33, name)],
        config: { prompts: { a: 'the dog ! ' }, default_prompt_name: 'a' },
        settings: { max_seq_length: null, do_lower_case: false },
      }
    })
    const texts = [...TEXTS, TEXTS.join(' ').repeat(5)]
    const wanted = genuine(cases, texts)
    for (const [i] of cases.entries()) {
      await using model = await openEmbedder(join(folder, `${i}-${cases.length}`))
      expectNear(await embedTexts(model, texts), wanted[i]!)
    }
  })
})

import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { trainModel } from '../../src/api/finetune/train-model.js'
import { predictFile } from '../../src/api/inference/predict-file.js'
import type { TextJob } from '../../src/api/inference/job.js'
import { initModel } from '../../src/api/init/init.js'
import { mergeDirectory } from '../../src/api/sharded/merge.js'
import { runTextShard } from '../../src/api/sharded/shards.js'
import { AlbertkitError } from '../../src/base/errors.js'
import { finishCommit } from '../../src/files/commit-journal.js'
import { tinyLines, writeTinyClassifier } from '../helpers/tiny-files.js'
import { faultPoints, isKilled, shown, temporary, withFault } from '../helpers/faults.js'

// Every command that replaces what is there is killed, or fails, at each of its calls of the disk (a part of them, unless
// FAULTS=all): what it replaces is then the old version or the new one, whole.

const place = temporary()
const { at } = place
afterAll(() => {
  place.remove()
})

beforeAll(async () => {
  await writeTinyClassifier(at('model'), 0)
  await writeTinyClassifier(at('other'), 1)
  const lines = tinyLines(700)
  // An empty line cannot be used.
  lines[3] = '\n'
  lines[500] = '\n'
  writeFileSync(at('lines.tsv'), lines.join(''))
  writeFileSync(at('few.tsv'), lines.slice(10, 30).join(''))
}, 60_000)

const job = (model: string): TextJob => ({
  model: at(model),
  input: at('lines.tsv'),
  format: 'tsv',
  inputFormat: 'tsv',
  threads: 1,
  maxSeqLength: 8,
})

interface Case {
  readonly name: string
  /** Makes the old version in a folder. */
  readonly prepare: (folder: string) => Promise<unknown>
  /** Replaces it by the new one. */
  readonly body: (folder: string) => Promise<unknown>
  /** Number of points tried by default. */
  readonly points: number
  /** Files that each appear whole, one after another; undefined if all files appear together. */
  readonly apart?: readonly string[]
}

const predict = (folder: string, model: string): Promise<unknown> =>
  predictFile(job(model), { output: join(folder, 'out.tsv'), errors: join(folder, 'bad.jsonl'), force: true }, () =>
    Promise.resolve(true),
  )
async function shardAndMerge(folder: string, model: string): Promise<void> {
  for (const index of [0, 1]) await runTextShard('predict', job(model), { index, count: 2 }, join(folder, 'shards'))
  const merged = { output: join(folder, 'out.tsv'), errors: join(folder, 'bad.jsonl'), force: true }
  await mergeDirectory(join(folder, 'shards'), merged)
}
const train = (folder: string, seed: number): Promise<unknown> =>
  trainModel(
    at('model'),
    { train: at('few.tsv') },
    {
      output: join(folder, 'trained'),
      steps: 2,
      seed,
      batchSize: 4,
      force: true,
      inputFormat: 'tsv',
      maxSeqLength: 8,
      dropout: 0,
    },
  )

const CASES: readonly Case[] = [
  {
    name: 'convert',
    prepare: (folder) => convertModel(at('other'), join(folder, 'out'), { targets: ['onnx', 'tfjs'], verify: false }),
    body: (folder) =>
      convertModel(at('model'), join(folder, 'out'), { targets: ['onnx', 'tfjs'], verify: false, force: true }),
    points: 40,
  },
  {
    name: 'init',
    prepare: (folder) => initModel(at('model.json'), join(folder, 'out'), { seed: 1 }),
    body: (folder) => initModel(at('model.json'), join(folder, 'out'), { seed: 2, force: true }),
    points: 40,
  },
  {
    name: 'predict',
    prepare: (folder) => predict(folder, 'other'),
    body: (folder) => predict(folder, 'model'),
    points: 20,
  },
  {
    name: 'merge of shards, as a queue does it',
    prepare: (folder) => shardAndMerge(folder, 'other'),
    body: (folder) => shardAndMerge(folder, 'model'),
    points: 15,
    apart: ['out.tsv', 'bad.jsonl'],
  },
  { name: 'finetune', prepare: (folder) => train(folder, 1), body: (folder) => train(folder, 2), points: 15 },
]

describe.each(CASES)('$name', ({ prepare, body, points, apart }) => {
  let before: Readonly<Record<string, string>> = {}
  let after: Readonly<Record<string, string>> = {}
  let calls = 0

  beforeAll(async () => {
    for (const name of ['before', 'after', 'tried']) rmSync(at(name), { recursive: true, force: true })
    mkdirSync(at('before'))
    await prepare(at('before'))
    before = visible(at('before'))
    cpSync(at('before'), at('after'), { recursive: true })
    const outcome = await withFault(null, () => body(at('after')))
    expect(outcome.error).toBeNull()
    calls = outcome.calls
    after = visible(at('after'))
    expect(after).not.toEqual(before)
  }, 60_000)

  /** Files that users would read: not those of a run that can be continued. */
  function visible(folder: string): Readonly<Record<string, string>> {
    const unfinished = /\.part(\.json)?(\.new)?$|training-state|^shards\//
    return Object.fromEntries(Object.entries(shown(folder)).filter(([name]) => !unfinished.test(name)))
  }

  function expectWhole(folder: string, what: string): void {
    const now = visible(folder)
    if (apart === undefined) expect([before, after], what).toContainEqual(now)
    else for (const name of apart) expect([before[name], after[name]], `${what} ${name}`).toContain(now[name])
  }

  function fresh(): string {
    rmSync(at('tried'), { recursive: true, force: true })
    cpSync(at('before'), at('tried'), { recursive: true })
    return at('tried')
  }

  it.each(['kill', 'power'] as const)(
    '%s at any call leaves one version, and the same command ends',
    async (kind) => {
      for (const n of faultPoints(calls, points)) {
        const folder = fresh()
        const { error } = await withFault({ kind, at: n }, () => body(folder))
        if (error !== null) expect(error).toSatisfy(isKilled)
        for (const inner of readdirSync(folder))
          if (existsSync(join(folder, inner, '.'))) finishCommit(join(folder, inner))
        expectRecovered(folder, name(kind, n))
        await body(folder)
        expect(visible(folder), name(kind, n)).toEqual(after)
      }
    },
    600_000,
  )

  const name = (kind: string, n: number): string => `${kind} at ${n} of ${calls}`

  /** Before the next run of a prediction its two files may be of two versions; the next run ends what was begun. */
  function expectRecovered(folder: string, what: string): void {
    if (existsSync(join(folder, 'out.tsv.part.json'))) {
      const now = visible(folder)
      for (const file of Object.keys(before))
        expect([before[file], after[file]], `${what} ${file}`).toContain(now[file])
    } else expectWhole(folder, what)
  }

  it.each(['ENOSPC', 'EMFILE'])(
    '%s at any call: exit 5, and what was there stays',
    async (code) => {
      for (const n of faultPoints(calls, points)) {
        const folder = fresh()
        const { error } = await withFault({ kind: 'fail', at: n, code }, () => body(folder))
        if (error !== null) {
          expect(error, name(code, n)).toBeInstanceOf(AlbertkitError)
          expect((error as AlbertkitError).exitCode).toBe(5)
        }
        expectRecovered(folder, name(code, n))
      }
    },
    600_000,
  )
})

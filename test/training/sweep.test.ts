import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { evaluateFile } from '../../src/api/inference/evaluate-file.js'
import { mergeDirectory } from '../../src/api/sharded/merge.js'
import { trainSweep, trainTrial, type TrainSweepOptions } from '../../src/api/sweep/sweep.js'
import { mergeText } from '../../src/report/text/short.js'
import { temporary } from '../helpers/faults.js'
import { tinyLines, writeTinyClassifier } from '../helpers/tiny-files.js'

const place = temporary()
const { at } = place
afterAll(() => {
  place.remove()
})
let data: { train: string; dev: string }
beforeAll(async () => {
  await writeTinyClassifier(at('model'))
  data = { train: at('train.tsv'), dev: at('dev.tsv') }
  writeFileSync(data.train, tinyLines(60).join(''))
  // Words in another order than those of the training lines.
  writeFileSync(data.dev, tinyLines(61).slice(41).join(''))
  writeFileSync(at('grid.json'), '{"learning_rate": [1e-3, 3e-2], "seed": [0, 1]}')
})

const FOLDERS = ['1', '2', '3', '4'].map((i) => `trial-0000${i}-of-00004`)
const options = (output: string, more: Partial<TrainSweepOptions> = {}): TrainSweepOptions => ({
  ...{ grid: at('grid.json'), output: at(output), steps: 8, batchSize: 8, maxSeqLength: 12, evalEvery: 4 },
  ...more,
})
/** Hashes of the files of a sweep by their paths. */
const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((path) => [path.slice(folder.length), createHash('sha256').update(readFileSync(path)).digest('hex')]),
  )

describe('a sweep', () => {
  it('trains every trial, ranks them, and gives the same bytes trial by trial', async () => {
    const whole = await trainSweep(at('model'), data, options('whole'))
    for (const index of [3, 1, 0, 2])
      await trainTrial(at('model'), data, options('apart', { threads: 1 }), { index, count: 4 })
    expect(contents(at('apart'))).toEqual(contents(at('whole')))
    expect(await mergeDirectory(at('apart'), { output: at('ranking.json') })).toEqual(whole)
    expect(JSON.parse(readFileSync(at('ranking.json'), 'utf8'))).toEqual(whole)

    expect(whole.trials.map(({ trial }) => trial).sort()).toEqual([1, 2, 3, 4])
    const accuracies = whole.trials.map(({ metrics }) => metrics!.accuracy!)
    expect(accuracies).toEqual([...accuracies].sort((a, b) => b - a))
    expect(new Set(whole.trials.map(({ metrics }) => metrics!.loss)).size).toBe(4)
    expect(whole.best).toEqual(whole.trials[0])
    for (const { folder, metrics, settings, trial } of whole.trials) {
      expect([folder, settings]).toEqual([
        FOLDERS[trial - 1],
        { learningRate: trial <= 2 ? 1e-3 : 3e-2, seed: (trial - 1) % 2 },
      ])
      const model = join(at('whole'), folder!)
      const report = await evaluateFile({ model, input: data.dev, format: 'jsonl', maxSeqLength: 12 })
      expect(report).toMatchObject({ accuracy: metrics!.accuracy })
    }
    expect(mergeText(whole)).toMatch(
      /4 trials, the highest accuracy first[^]*trial +learning-rate +seed +accuracy +loss/,
    )
  })

  it('goes on after an interruption, without training a finished trial again', async () => {
    const stop = new AbortController()
    const begun: number[] = []
    const onTrial = (trial: number): void => void begun.push(trial)
    const run = trainSweep(at('model'), data, {
      ...options('stopped', { onTrial, signal: stop.signal }),
      onStep: ({ step }) => {
        if (begun.length === 2 && step === 3) stop.abort()
      },
    })
    await expect(run).rejects.toMatchObject({ kind: 'interrupted' })
    // As if the process had been killed between the model and the shard of the first trial.
    for (const name of readdirSync(at('stopped')).filter((name) => name.startsWith('shard-')))
      rmSync(join(at('stopped'), name))
    // And, in another trial, during its first steps.
    mkdirSync(join(at('stopped'), FOLDERS[2]!))
    writeFileSync(join(at('stopped'), FOLDERS[2]!, 'metrics.jsonl.part'), '{"step"')
    const steps: number[] = []
    const onStep = ({ step }: { step: number }): void => void steps.push(step)
    await trainSweep(at('model'), data, options('stopped', { onStep }))
    expect(steps).toEqual([4, 5, 6, 7, 8, ...[1, 2].flatMap(() => [1, 2, 3, 4, 5, 6, 7, 8])])
    expect(contents(at('stopped'))).toEqual(contents(at('whole')))
  })

  it('leaves alone what it has not written', async () => {
    const [first] = FOLDERS
    mkdirSync(join(at('mine'), first!), { recursive: true })
    writeFileSync(join(at('mine'), first!, 'thesis.txt'), 'mine')
    await expect(trainSweep(at('model'), data, options('mine'))).rejects.toMatchObject({ code: 'output-exists' })
    expect(readFileSync(join(at('mine'), first!, 'thesis.txt'), 'utf8')).toBe('mine')
    // A trial of other data is no result of this sweep.
    const other = { ...data, dev: data.train }
    await expect(trainSweep(at('model'), other, options('whole'))).rejects.toMatchObject({ code: 'output-exists' })
  })

  it('ranks a trial without a finite loss last', async () => {
    writeFileSync(
      at('wild.json'),
      '[{"learning_rate": 1e30, "optimizer": "lamb", "warmup": 0}, {"learning_rate": 1e-3}]',
    )
    const report = await trainSweep(at('model'), data, options('wild', { grid: at('wild.json'), evalEvery: 8 }))
    expect(report.trials.map(({ trial, metrics }) => [trial, metrics === null])).toEqual([
      [2, false],
      [1, true],
    ])
    expect(report.trials[1]!.folder).toBeNull()
    expect(report.trials[1]!.diagnoses).toEqual(expect.arrayContaining(['rate-unusual', 'loss-not-finite']))
    expect(existsSync(join(at('wild'), 'trial-00001-of-00002'))).toBe(false)
    expect(mergeText(report)).toMatch(/\n +1 .* NaN .*loss-not-finite\n/)
  })

  it('refuses shards that are not results of trials', async () => {
    await trainTrial(at('model'), data, options('damaged', { grid: at('one.json') }), { index: 0, count: 1 }).catch(
      () => undefined,
    )
    writeFileSync(at('one.json'), '{"seed": 7}')
    await trainTrial(at('model'), data, options('damaged', { grid: at('one.json') }), { index: 0, count: 1 })
    const file = join(at('damaged'), 'shard-00001-of-00001.jsonl')
    renameSync(file, `${file}.old`)
    await expect(mergeDirectory(at('damaged'), {})).rejects.toMatchObject({ code: 'file-missing' })
    writeFileSync(file, readFileSync(`${file}.old`, 'utf8').replace('"trial":1', '"trial":2'))
    await expect(mergeDirectory(at('damaged'), {})).rejects.toMatchObject({ code: 'checksum-mismatch' })
  })

  it('needs lines to evaluate on, and the number of its trials', async () => {
    const { train } = data
    await expect(trainSweep(at('model'), { train }, options('none'))).rejects.toMatchObject({ code: 'option-missing' })
    const trial = trainTrial(at('model'), data, options('none'), { index: 0, count: 3 })
    await expect(trial).rejects.toMatchObject({ kind: 'usage', place: { file: at('grid.json') } })
    expect(existsSync(at('none'))).toBe(false)
  })
})

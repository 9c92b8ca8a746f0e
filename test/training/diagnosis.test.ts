import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { initModel } from '../../src/api/init/init.js'
import { trainModel } from '../../src/api/finetune/train-model.js'
import type { TrainOptions } from '../../src/api/finetune/options.js'
import { ValuesSource } from '../../src/api/finetune/values-source.js'
import { openModel } from '../../src/api/open/open.js'
import { writeTfModel } from '../../src/export/checkpoint/tf.js'
import { readAll } from '../../src/formats/core/source.js'
import type { PlannedTensor } from '../../src/model/rewrite/translation.js'
import { ZH_NEWS } from '../helpers/shared.js'

// Broken set-ups, each with its diagnosis; the healthy runs are in train-model.test.ts.

const folder = mkdtempSync(join(tmpdir(), 'albertkit-diagnosis-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})
const at = (name: string): string => join(folder, name)
const news = (name: string): string => join(ZH_NEWS, name)
const DATA = { train: news('train.tsv'), dev: news('dev.tsv') }
const rows = readFileSync(news('train.tsv'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split('\t') as [string, string])

const write = (name: string, lines: readonly string[]): string => {
  writeFileSync(at(name), `${lines.join('\n')}\n`)
  return at(name)
}

let runs = 0
/** Codes of the diagnoses of a run. */
async function codesOf(data: { train: string; dev?: string }, options: Partial<TrainOptions> = {}, model = ZH_NEWS) {
  const report = await trainModel(model, data, {
    newHead: true,
    learningRate: 1e-4,
    maxSeqLength: 48,
    steps: 10,
    ...options,
    output: at(`run-${++runs}`),
  })
  return report.diagnoses.map(({ code }) => code)
}

describe('before training', () => {
  it('a vocabulary of another model', async () => {
    const tokens = readFileSync(news('vocab.txt'), 'utf8').split('\n').slice(0, 300)
    const vocabulary = write('vocab.txt', tokens)
    expect(await codesOf(DATA, { vocabulary })).toContain('vocabulary-wrong')
  })

  it('texts beyond the limit', async () => {
    expect(await codesOf(DATA, { maxSeqLength: 8 })).toEqual(['texts-truncated'])
  })

  it('labels without examples, and labels that dominate', async () => {
    const few = rows.filter(([label], i) => label === '财经' || i < 40)
    const [first] = rows.find(([label]) => label !== '财经')!
    const train = write(
      'few.tsv',
      few.filter(([label], i) => label !== first || i === 0).map((row) => row.join('\t')),
    )
    const codes = await codesOf({ train, dev: DATA.dev })
    expect(codes).toContain('labels-missing')
    expect(codes).toContain('labels-imbalanced')
  })

  it('evaluation texts that are trained on', async () => {
    const train = write('leak.tsv', [readFileSync(DATA.dev, 'utf8').trim(), ...rows.map((row) => row.join('\t'))])
    expect(await codesOf({ train, dev: DATA.dev })).toEqual(['dev-in-train'])
  })

  it('one class only', async () => {
    const train = write(
      'one.tsv',
      rows.filter(([label]) => label === '财经').map((row) => row.join('\t')),
    )
    await expect(codesOf({ train })).rejects.toThrow('all examples have the label 财经')
  })

  it('labels from the wrong column', async () => {
    const train = write(
      'swapped.tsv',
      rows.map(([label, text]) => `${text}\t${label}`),
    )
    await expect(codesOf({ train })).rejects.toMatchObject({
      message: expect.stringContaining('look like texts') as string,
    })
  })

  it('an encoder of random weights', async () => {
    await initModel('albert-tiny-zh', at('random'))
    const codes = await codesOf(DATA, { vocabulary: news('vocab.txt'), steps: 2 }, at('random'))
    expect(codes).toContain('encoder-untrained')
  })
})

describe('a head under other names', () => {
  it('is not passed over in silence', async () => {
    const model = at('renamed')
    cpSync(ZH_NEWS, model, { recursive: true })
    using opened = await openModel(ZH_NEWS)
    const values = [...opened.source.tensors.values()].map(({ name, dtype, shape }) => ({
      ...{ name: name.replace(/^output_(weights|bias)$/, 'my_head/$1'), dtype, shape },
      data: new Float32Array(readAll(opened.source, name).buffer as ArrayBuffer),
    }))
    const named = values
      .filter(({ dtype }) => dtype === 'F32')
      .map((one) => ({
        ...one,
        ...(one.name === 'my_head/weights' ? { name: 'my_head/kernel', shape: [128, 10] } : {}),
      }))
    const tensors = named.map((one): PlannedTensor => {
      const { name, shape, dtype } = one
      const parameter = { slot: name, variable: name, shape, storedShape: shape, layout: 'as_is', dtype } as const
      return {
        name,
        slot: name,
        logicalShape: shape,
        shape,
        transposed: false,
        dtype,
        origin: { kind: 'parameter', parameter },
      }
    })
    const config = readFileSync(news('albert_config.json'), 'utf8')
    rmSync(model, { recursive: true })
    cpSync(news('vocab.txt'), join(model, 'vocab.txt'))
    await writeTfModel({ config: opened.config, tensors }, new ValuesSource(named), model, config, {})
    expect(await codesOf(DATA, { newHead: false }, model)).toContain('head-unread')
  })
})

describe('during training', () => {
  it('a learning rate of 1', async () => {
    const codes = await codesOf(DATA, { learningRate: 1, steps: 60, evalEvery: 20 })
    expect(codes).toContain('rate-unusual')
    expect(codes.some((code) => ['not-learning', 'loss-not-finite', 'one-prediction'].includes(code))).toBe(true)
  })

  it('labels that do not belong to their texts', async () => {
    const shuffled = rows.map(([, text], i) => `${rows[(i * 1607) % rows.length]![0]}\t${text}`)
    const train = write('shuffled.tsv', shuffled)
    expect(await codesOf({ train, dev: DATA.dev }, { steps: 120 })).toContain('not-learning')
  })

  it('a loss that is not finite, with the operation', async () => {
    const report = await trainModel(ZH_NEWS, DATA, {
      newHead: true,
      learningRate: 1e38,
      warmup: 0,
      maxSeqLength: 48,
      steps: 20,
      output: at('nan'),
    })
    expect(report.ok).toBe(false)
    expect(report.files).toEqual([])
    const [found] = report.diagnoses.filter(({ code }) => code === 'loss-not-finite')
    expect(found!.message).toMatch(/first operation with such a result is (embeddings|encoder)\//)
  })
})

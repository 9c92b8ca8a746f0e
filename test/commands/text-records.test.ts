import { spawn } from 'node:child_process'
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { frameRecord } from '../../src/formats/tf-record.js'
import { encodeRecord, paddingRecord, type FeatureRecord } from '../../src/text/data/feature-record.js'
import { BIN, ROOT, albertkit, userEnv, type Result } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'

// Files of features instead of text: what was made of lines gives what the lines give.

let folder: string
const at = (name: string): string => join(folder, name)
const news = (name: string): string => join(ZH_NEWS, name)
const bytesOf = (name: string): Buffer => readFileSync(at(name))
const PRETRAINING = join(ROOT, 'test/fixtures/text/pretraining.tf_record')

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-records-test-'))
  const lines = readFileSync(news('train.tsv'), 'utf8').split('\n').slice(0, 700)
  writeFileSync(at('lines.tsv'), `${lines.join('\n')}\n`)
  await albertkit(['convert', ZH_NEWS, '--to', 'onnx', '--no-verify', '-o', at('news')])
  const made = await albertkit(['tokenize', ZH_NEWS, at('lines.tsv'), '--to', 'tfrecord', '-o', at('lines.tf_record')])
  expect(made.code, made.stderr).toBe(0)
}, 60_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Runs albertkit with a file as its standard input. */
function piped(args: readonly string[], file: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...args], { env: userEnv() })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (text) => (stdout += String(text)))
    child.stderr.on('data', (text) => (stderr += String(text)))
    child.stdin.on('error', () => undefined)
    createReadStream(file).pipe(child.stdin)
    child.on('error', reject).on('close', (code) => {
      resolve({ code, stdout, stderr })
    })
  })
}

describe('features of lines', () => {
  it('are classified, by name and through a pipe, with the bytes that the lines give', async () => {
    const lines = await albertkit(['predict', at('news'), at('lines.tsv')])
    const records = await albertkit(['predict', at('news'), at('lines.tf_record')])
    const pipe = await piped(['predict', at('news'), '--from', 'tfrecord'], at('lines.tf_record'))
    expect([lines.code, records.code, pipe.code]).toEqual([0, 0, 0])
    expect(records.stdout).toBe(lines.stdout)
    expect(pipe.stdout).toBe(lines.stdout)
    const shown = await piped(['tokenize', ZH_NEWS, '--from', 'tfrecord'], at('lines.tf_record'))
    expect(shown.stdout.split('\n')).toHaveLength(701)
  }, 60_000)

  it('are scored as the lines are', async () => {
    const score = async (file: string) =>
      JSON.parse((await albertkit(['evaluate', at('news'), at(file), '--json'])).stdout) as Record<string, unknown>
    const [lines, records] = [await score('lines.tsv'), await score('lines.tf_record')]
    for (const key of ['lines', 'accuracy', 'loss', 'batchLoss', 'classes', 'confusion', 'labels'])
      expect(records[key]).toEqual(lines[key])
    const [{ text }] = lines.worst as [{ text: string }]
    const [{ text: shown }] = records.worst as [{ text: string }]
    expect(shown.replaceAll(' ', '')).toBe(text.toLowerCase().replaceAll(' ', ''))
  }, 60_000)

  it('give the vectors of the lines, and so do shards of them', async () => {
    const vectors = async (file: string, ...flags: string[]) => albertkit(['embed', at('news'), at(file), ...flags])
    const lines = await vectors('lines.tsv')
    expect((await vectors('lines.tf_record')).stdout).toBe(lines.stdout)
    for (const i of [2, 1])
      expect((await vectors('lines.tf_record', '--shard', `${i}/2`, '-o', at('shards'))).code).toBe(0)
    expect((await albertkit(['merge', at('shards'), '-o', at('merged.jsonl')])).stdout).toContain(
      '2 shards of 700 lines',
    )
    expect(bytesOf('merged.jsonl').toString()).toBe(lines.stdout)
  }, 90_000)
})

const record = (over: Partial<FeatureRecord> = {}): FeatureRecord => ({
  input_ids: [2, 30, 31, 3, 0, 0],
  input_mask: [1, 1, 1, 1, 0, 0],
  segment_ids: [0, 0, 0, 0, 0, 0],
  label: 0,
  real: true,
  ...over,
})
const write = (name: string, ...records: readonly FeatureRecord[]): void => {
  writeFileSync(at(name), Buffer.concat(records.map((r) => frameRecord(encodeRecord(r)))))
}

describe('records', () => {
  it('that only fill a batch are no examples', async () => {
    write('padded.tf_record', record(), record({ input_ids: [2, 40, 3, 0, 0, 0] }), paddingRecord(6), paddingRecord(6))
    const { code, stdout } = await albertkit(['predict', at('news'), at('padded.tf_record'), '--format', 'results'])
    expect([code, stdout.trimEnd().split('\n').length]).toEqual([0, 2])
  })

  it('with a hole in the mask are read with it', async () => {
    write(
      'holes.tf_record',
      record(),
      record({ input_mask: [1, 0, 1, 1, 0, 0] }),
      record({ input_mask: [1, 0, 1, 1, 0, 0], input_ids: [2, 99, 31, 3, 0, 0] }),
    )
    const lines = (await albertkit(['predict', at('news'), at('holes.tf_record'), '--format', 'results'])).stdout.split(
      '\n',
    )
    expect(lines[1]).not.toBe(lines[0])
    expect(lines[2]).toBe(lines[1])
    const vectors = (await albertkit(['embed', at('news'), at('holes.tf_record')])).stdout.split('\n')
    expect(vectors[2]).toBe(vectors[1])
  })

  it('that the model does not take are named, and the rest goes on', async () => {
    write(
      'misfits.tf_record',
      record({ input_ids: [2, 30, 21128, 3, 0, 0] }),
      record({ input_mask: [0, 0, 0, 0, 0, 0] }),
      record({ segment_ids: [0, 0, 0, 2, 0, 0] }),
      record({
        input_ids: Array<number>(4000).fill(9),
        input_mask: Array<number>(4000).fill(1),
        segment_ids: Array<number>(4000).fill(0),
      }),
      record(),
    )
    const { code, stdout, stderr } = await albertkit([
      'predict',
      at('news'),
      at('misfits.tf_record'),
      '--errors',
      at('bad'),
    ])
    expect([code, stdout.split('\n').length]).toEqual([0, 2])
    expect(stderr).toMatch(
      /^record 1: the record has token 21128, and the model has \d+: is it of another vocabulary\?\nrecord 2: the record has no tokens.*\nrecord 3: the record has segment 2, but the model has 2 segments\nrecord 4: the record has 4000 tokens, but the model takes \d+\n$/,
    )
    expect(bytesOf('bad').toString().trimEnd().split('\n')).toHaveLength(4)
  })

  it('of pretraining are read too; they have no label', async () => {
    const predicted = await albertkit(['predict', at('news'), PRETRAINING, '--format', 'tsv'])
    expect([predicted.code, predicted.stdout.split('\n').length]).toEqual([0, 3])
    const scored = await albertkit(['evaluate', at('news'), PRETRAINING])
    expect([scored.code, scored.stderr]).toEqual([2, expect.stringContaining('no label')])
  })

  it('of a damaged file, or of none, end it with the byte', async () => {
    const whole = bytesOf('lines.tf_record')
    writeFileSync(at('cut.tf_record'), whole.subarray(0, 100_000))
    const cut = await albertkit(['predict', at('news'), at('cut.tf_record')])
    const damaged = Buffer.from(whole)
    damaged[100_000]! ^= 1
    writeFileSync(at('damaged.tf_record'), damaged)
    const flipped = await piped(['predict', at('news'), '--from', 'tfrecord'], at('damaged.tf_record'))
    const garbage = await albertkit(['evaluate', at('news'), at('lines.tsv'), '--from', 'tfrecord'])
    expect([cut.code, flipped.code, garbage.code]).toEqual([3, 3, 3])
    const offset = Number(/byte: +(\d+)/.exec(cut.stderr)?.[1])
    expect(offset).toBeLessThan(100_000)
    expect(flipped.stderr).toContain(`byte:   ${offset}\n`)
    expect(garbage.stderr).toContain('no TFRecord file')
    const header = await albertkit(['predict', at('news'), at('lines.tf_record'), '--header'])
    expect([header.code, header.stderr]).toEqual([2, expect.stringContaining('no columns')])
  }, 60_000)
})

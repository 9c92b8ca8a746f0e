import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BIN, albertkit, userEnv } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'

// How a reading ends: inputs that are cut off, lines that cannot be used, files that are there already, readers that go.

let folder: string
const at = (name: string): string => join(folder, name)
const news = (name: string): string => join(ZH_NEWS, name)
const text = (name: string): string => readFileSync(at(name), 'utf8')

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-ends-test-'))
  await albertkit(['convert', ZH_NEWS, '--to', 'onnx', '--no-verify', '-o', at('news')])
  // Three windows, and in the second of them lines that cannot be used.
  const lines = readFileSync(news('train.tsv'), 'utf8').split('\n').slice(0, 600)
  lines.splice(300, 2, '未知\t没有这个标签', '一列')
  writeFileSync(at('bad.tsv'), `${lines.join('\n')}\n`)
  writeFileSync(
    at('gb.tsv'),
    Buffer.concat([readFileSync(at('bad.tsv')), Buffer.from('体育\t', 'utf8'), Buffer.from([0xcc, 0xe5, 10])]),
  )
}, 60_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('an input that is cut off', () => {
  it('is answered as far as it goes', async () => {
    await albertkit([
      'tokenize',
      ZH_NEWS,
      news('train.tsv'),
      '--to',
      'tfrecord',
      '--max-seq-length',
      '16',
      '-o',
      at('whole.tf_record'),
    ])
    const whole = await albertkit(['predict', at('news'), at('whole.tf_record'), '--format', 'tsv'])
    const bytes = readFileSync(at('whole.tf_record'))
    // Records are of equal length, or nearly: the cut is in the second window.
    const record = bytes.readUInt32LE(0) + 16
    writeFileSync(at('cut.tf_record'), bytes.subarray(0, 300 * record))
    for (const threads of ['1', '2']) {
      const cut = await albertkit(['predict', at('news'), at('cut.tf_record'), '--format', 'tsv', '--threads', threads])
      expect(cut.code).toBe(3)
      expect(cut.stderr).toMatch(/byte: +\d{4,}/)
      const answered = cut.stdout.split('\n').length - 1
      expect(answered).toBeGreaterThan(256)
      // The last window is a shorter one, so that its batches are others: labels are compared.
      const labels = (lines: string): string[] => lines.split('\n').map((line) => line.split('\t')[0]!)
      expect(labels(cut.stdout).slice(0, answered)).toEqual(labels(whole.stdout).slice(0, answered))
    }
  }, 60_000)
})

describe('lines that cannot be used', () => {
  it('are a failure of an evaluation too, unless a file collects them', async () => {
    const args = ['evaluate', at('news'), at('bad.tsv'), '--json']
    const alone = await albertkit(args)
    const collected = await albertkit([...args, '--errors', at('evaluate.errors')])
    expect([alone.code, collected.code, alone.stdout]).toEqual([3, 0, collected.stdout])
    expect(
      text('evaluate.errors')
        .split('\n')
        .map((line) => line.slice(0, 11)),
    ).toEqual(['{"line":301', '{"line":302', ''])
    for (const i of [1, 2, 3])
      await albertkit(['evaluate', at('news'), at('bad.tsv'), '--shard', `${i}/3`, '-o', at('shards')])
    const merged = await albertkit([
      'merge',
      at('shards'),
      '--errors',
      at('merged.errors'),
      '-o',
      at('report.json'),
      '--json',
    ])
    expect(merged.code, merged.stderr).toBe(0)
    expect(text('merged.errors')).toBe(text('evaluate.errors'))
    expect(text('report.json')).toBe(merged.stdout)
    const { evaluation } = JSON.parse(merged.stdout) as { evaluation: object }
    expect(JSON.parse(alone.stdout)).toMatchObject(evaluation)
    const again = await albertkit(['merge', at('shards'), '--errors', at('merged.errors')])
    expect([again.code, again.stderr]).toEqual([5, expect.stringContaining('exists already')])
  }, 60_000)
})

describe('records of CSV that take several lines', () => {
  it('are one text each, also if the file is cut into shards', async () => {
    const rows = readFileSync(news('train.tsv'), 'utf8')
      .split('\n')
      .slice(0, 500)
      .map((line) => line.split('\t'))
    const halves = ([label = '', title = '']: string[]): string => `${label},"${title.slice(0, 6)}\n${title.slice(6)}"`
    writeFileSync(at('long.csv'), `label,text\n${rows.map(halves).join('\n')}\n`)
    const single = await albertkit(['predict', at('news'), at('long.csv'), '--header', '--format', 'tsv'])
    expect([single.code, single.stdout.split('\n').length - 1]).toEqual([0, rows.length])
    // A line end is white space, as a space is: the same labels, though other lines share a batch.
    const spaced = rows.map((row) => halves(row).replace('\n', ' ')).join('\n')
    writeFileSync(at('short.csv'), `label,text\n${spaced}\n`)
    const short = await albertkit(['predict', at('news'), at('short.csv'), '--header', '--format', 'tsv'])
    const labels = (lines: string): string[] => lines.split('\n').map((line) => line.split('\t')[0]!)
    expect(labels(single.stdout)).toEqual(labels(short.stdout))
    for (const i of [1, 2, 3]) {
      const args = [
        'predict',
        at('news'),
        at('long.csv'),
        '--header',
        '--format',
        'tsv',
        '--shard',
        `${i}/3`,
        '-o',
        at('csv-shards'),
      ]
      expect((await albertkit(args)).code).toBe(0)
    }
    expect((await albertkit(['merge', at('csv-shards'), '-o', at('csv.tsv')])).code).toBe(0)
    expect(text('csv.tsv')).toBe(single.stdout)
  }, 60_000)
})

describe('files that are there', () => {
  it.each<[string, string[]]>([
    ['predict', ['--errors']],
    ['evaluate', ['--errors']],
    ['evaluate', ['--results']],
    ['evaluate', ['--svg']],
    ['embed', ['--errors']],
  ])('are not replaced by %s %j, but with --force', async (command, [flag = '']) => {
    writeFileSync(at('mine'), 'mine')
    const args = [command, at('news'), at('gb.tsv'), flag, at('mine')]
    const { code, stderr } = await albertkit(args)
    expect([code, stderr, text('mine')]).toEqual([5, expect.stringContaining('exists already'), 'mine'])
    await albertkit([...args, '--force'])
    expect(text('mine')).not.toBe('mine')
  })

  it('are what a reading left that was killed before its first window: it is taken up', async () => {
    const args = [
      'predict',
      at('news'),
      at('gb.tsv'),
      '--format',
      'tsv',
      '--errors',
      at('killed.errors'),
      '-o',
      at('killed.tsv'),
    ]
    const child = spawn(process.execPath, [BIN, ...args], { env: userEnv(), stdio: 'ignore' })
    const ended = new Promise((resolve) => child.on('close', resolve))
    while (!existsSync(at('killed.tsv.part.json'))) await new Promise((resolve) => setTimeout(resolve, 5))
    child.kill('SIGKILL')
    await ended
    // As if a line had been found before the first window was done.
    writeFileSync(at('killed.errors'), 'half a li')
    const { code, stderr } = await albertkit(args)
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('error')])
    const { stdout } = await albertkit(['predict', at('news'), at('gb.tsv'), '--format', 'tsv'])
    expect(text('killed.tsv')).toBe(stdout)
    expect(text('killed.errors')).toMatch(/^\{"line":601,.*\n$/)
  }, 30_000)
})

describe('a reader that goes away', () => {
  it.each([
    ['predict', 'news'],
    ['tokenize', 'news'],
    ['embed', 'news'],
  ])(
    'ends %s, though no further line comes',
    async (command, model) => {
      const child = spawn(process.execPath, [BIN, command, at(model)], { env: userEnv() })
      let stderr = ''
      child.stderr.on('data', (chunk) => (stderr += String(chunk)))
      const ended = new Promise((resolve) => child.on('close', resolve))
      child.stdin.write('主队\n')
      await new Promise((resolve) => child.stdout.once('data', resolve))
      child.stdout.destroy()
      // The write of this one fails; standard input stays open.
      child.stdin.write('客队\n')
      expect([await ended, stderr]).toEqual([0, ''])
      child.stdin.destroy()
    },
    20_000,
  )
})

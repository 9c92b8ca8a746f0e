import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { fakeShards } from '../helpers/fake-shards.js'
import { temporary } from '../helpers/faults.js'
import { CHROMIUM } from '../helpers/gpu.js'
import { childrenOf, running } from '../helpers/processes.js'
import { NO_REDIS, REDIS, RedisServer } from '../helpers/redis.js'
import { albertkit, BIN, userEnv } from '../helpers/run.js'

// Every command ends within a second of a signal, with the exit code of the README, at a moment of real work: with
// models large enough for loading, computing, comparing and writing to take their time. Those that run the reference or
// long batches are in interrupt.test.ts.

const place = temporary()
const { at } = place
afterAll(() => {
  place.remove()
})

/** What a running command shows of its progress. */
interface Seen {
  readonly child: ChildProcess
  readonly stderr: () => string
  /** Bytes on standard output. */
  readonly printed: () => number
}
type Moment = (seen: Seen) => Promise<void>

/** After a step that `--verbose` prints. */
const step =
  (pattern: RegExp, ms = 30): Moment =>
  async ({ stderr }) => {
    while (!pattern.test(stderr())) await wait(5)
    await wait(ms)
  }
/** While a process of the command computes or loads. */
const computing =
  (ms = 150): Moment =>
  async ({ child }) => {
    while (childrenOf(child.pid).length === 0) await wait(20)
    await wait(ms)
  }
/** While it prints. */
const printing: Moment = async ({ printed }) => {
  while (printed() === 0) await wait(20)
  await wait(200)
}
/** Once it has read the first of its input. */
const reading: Moment = async ({ child }) => {
  const read = (): number => Number(/^rchar: (\d+)/.exec(readFileSync(`/proc/${child.pid}/io`, 'utf8'))?.[1])
  while (child.exitCode === null && read() < 30_000_000) await wait(5)
}
/** Once a file that it writes has grown. */
const writing =
  (folder: string): Moment =>
  async () => {
    while (!readdirSync(folder).some((name) => name.startsWith('.albertkit'))) await wait(5)
    await wait(150)
  }

interface Row {
  readonly args: readonly string[]
  readonly moment: Moment
  readonly signal?: NodeJS.Signals
  /** Reason for skipping it. */
  readonly lacks?: string | false
}

let redis: RedisServer | null = null
const url = (): string => redis?.url ?? 'redis://127.0.0.1:1'

const TEXT = '的一是了我不人在他有这个上们来到时大地为'

const ROWS: Readonly<Record<string, () => Row>> = {
  'init, writing': () => ({ args: ['init', 'albert-xlarge', '-o', at('out')], moment: step(/writing/, 300) }),
  'init, reading back': () => ({ args: ['init', 'albert-xlarge', '-o', at('out')], moment: step(/reading back/, 200) }),
  'fill-mask': () => ({ args: ['fill-mask', at('base'), '的[MASK]是'], moment: computing() }),
  'sentence-order': () => ({ args: ['sentence-order', at('base'), TEXT, TEXT], moment: computing() }),
  'inspect, in an archive': () => ({ args: ['inspect', at('large.tar.gz')], moment: reading }),
  build: () => ({
    args: ['build', '--config-file', at('building/albertkit.config.json'), '--cache', at('building/cache')],
    moment: step(/one: running the reference layer/),
  }),
  diff: () => ({ args: ['diff', at('large'), at('onnx')], moment: step(/comparing weights/) }),
  weights: () => ({ args: ['weights', at('large')], moment: step(/examining/, 200) }),
  tokenize: () => ({ args: ['tokenize', at('base'), at('lines.txt')], moment: printing }),
  'tokenize, features': () => ({
    args: ['tokenize', at('base'), at('lines.txt'), '--to', 'tfrecord', '-o', at('features/all')],
    moment: writing(at('features')),
  }),
  check: () => ({ args: ['check', at('onnx')], moment: step(/reading back/) }),
  convert: () => ({
    args: ['convert', at('large'), '--to', 'safetensors', '--to', 'tf', '-o', at('out')],
    moment: step(/comparing weights/, 100),
  }),
  merge: () => ({ args: ['merge', at('shards'), '-o', at('merged/all')], moment: writing(at('merged')) }),
  embed: () => ({ args: ['embed', at('base'), at('lines.txt')], moment: computing(500) }),
  evaluate: () => ({ args: ['evaluate', at('classifier'), at('labelled.tsv')], moment: computing(500) }),
  bench: () => ({ args: ['bench', at('onnx-base')], moment: computing(500) }),
  'bench in a browser': () => ({
    args: ['bench', at('onnx-base'), '--runner', 'browser-ort-wasm'],
    moment: computing(1500),
    lacks: CHROMIUM === null && 'there is no browser',
  }),
  'verify in a browser': () => ({
    args: ['verify', at('base'), at('onnx-base'), '--runner', 'browser-ort-wasm'],
    moment: step(/browser-ort-wasm/, 500),
    lacks: CHROMIUM === null && 'there is no browser',
  }),
  'verify in onnxruntime': () => ({
    args: ['verify', at('base'), at('onnx-base'), '--runner', 'onnxruntime'],
    moment: computing(300),
  }),
  doctor: () => ({ args: ['doctor'], moment: computing(300) }),
  finetune: () => ({
    args: [
      ...['finetune', at('classifier'), '--new-head', '--train', at('labelled.tsv'), '--batch-size', '2'],
      ...['--max-seq-length', '16', '-o', at('trained')],
    ],
    moment: step(/steps with/, 2500),
  }),
  'queue submit': () => ({
    args: ['queue', 'submit', 'predict', at('classifier'), at('many.tsv'), '-o', at('answers'), '--redis', url()],
    moment: reading,
    lacks: !REDIS && NO_REDIS,
  }),
  'queue work': () => ({
    args: ['queue', 'work', '--redis', url()],
    moment: computing(1500),
    lacks: !REDIS && NO_REDIS,
  }),
  // Nobody answers there.
  'queue status': () => ({
    args: ['queue', 'status', '--redis', 'redis://192.0.2.1:6379'],
    moment: () => wait(1500),
  }),
}

/** Puts a folder into a .tar.gz; compressing what is random would only take time. */
async function archive(folder: string, file: string): Promise<void> {
  const tar = spawn('tar', ['-c', basename(folder)], { cwd: dirname(folder), stdio: ['ignore', 'pipe', 'inherit'] })
  await pipeline(tar.stdout, createGzip({ level: 0 }), createWriteStream(file))
}

async function signalled(row: Row): Promise<{ code: number | null; stderr: string; ms: number }> {
  const { args, moment, signal = 'SIGTERM' } = row
  const env = userEnv({ TMPDIR: at('tmp') })
  const child = spawn(process.execPath, [BIN, ...args, '--verbose'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close') as Promise<[number | null]>
  let [stderr, printed] = ['', 0]
  child.stderr.on('data', (text) => (stderr += String(text)))
  child.stdout.on('data', (data: Buffer) => (printed += data.length))
  await Promise.race([closed, moment({ child, stderr: () => stderr, printed: () => printed })])
  const own = childrenOf(child.pid)
  const start = performance.now()
  child.kill(signal)
  const [code] = await closed
  const ms = performance.now() - start
  await vi.waitFor(() => {
    expect(running(own)).toEqual([])
  })
  return { code, stderr, ms }
}

describe('a signal ends each command', () => {
  beforeAll(async () => {
    for (const folder of ['tmp', 'features', 'merged', 'building']) mkdirSync(at(folder))
    for (const [preset, name, task] of [
      ['albert-base', 'base', 'pretraining'],
      ['albert-base', 'classifier', 'classify'],
      ['albert-xlarge', 'large', 'pretraining'],
    ] as const)
      expect((await albertkit(['init', preset, '--task', task, '--no-verify', '-o', at(name)])).code).toBe(0)
    for (const [from, to] of [
      ['large', 'onnx'],
      ['base', 'onnx-base'],
    ] as const)
      expect((await albertkit(['convert', at(from), '--to', 'onnx', '--no-verify', '-o', at(to)])).code).toBe(0)
    await archive(at('large'), at('large.tar.gz'))
    writeFileSync(
      at('building/albertkit.config.json'),
      JSON.stringify({ models: { one: { source: '../base', targets: ['onnx'] } } }),
    )
    writeFileSync(at('lines.txt'), `${TEXT.repeat(6)}\n`.repeat(60_000))
    writeFileSync(at('labelled.tsv'), Array.from({ length: 400 }, (_, i) => `${i % 2}\t${TEXT.repeat(6)}\n`).join(''))
    writeFileSync(at('many.tsv'), `0\t${TEXT.repeat(6)}\n`.repeat(400_000))
    await fakeShards(at('labelled.tsv'), at('shards'), { lines: 600_000, text: TEXT.repeat(6) })
    if (!REDIS) return
    redis = await RedisServer.start()
    const submit = ['queue', 'submit', 'predict', at('classifier'), at('labelled.tsv'), '-o', at('queued')]
    expect((await albertkit([...submit, '--redis', url()])).code).toBe(0)
  }, 180_000)
  afterAll(async () => {
    await redis?.stop()
  })

  it.each(Object.keys(ROWS).map((name, i) => [name, i] as const))('%s', async (name, i) => {
    const row = { signal: (['SIGINT', 'SIGTERM'] as const)[i % 2]!, ...ROWS[name]!() }
    if (typeof row.lacks === 'string') {
      console.warn(`skipped: ${row.lacks}`)
      return
    }
    const { code, stderr, ms } = await signalled(row)
    expect([code, stderr], stderr).toEqual([
      row.signal === 'SIGINT' ? 130 : 143,
      expect.stringContaining(`interrupted (${row.signal})\n`),
    ])
    // A second, and as much for what else runs on the machine.
    expect(ms).toBeLessThan(2000)
    expect(readdirSync(at('tmp'))).toEqual([])
    for (const folder of ['.', 'features', 'merged', 'building'])
      expect(readdirSync(at(folder)).filter((file) => /^(\.albertkit|out|all|answers)/.test(file))).toEqual([])
  })

  it('covers every command', () => {
    const { commands } = JSON.parse(readFileSync(new URL('../../oclif.manifest.json', import.meta.url), 'utf8')) as {
      commands: object
    }
    // Those that run the reference, or texts in batches, are in interrupt.test.ts; `completion` prints a constant;
    // a signal is how `serve` ends.
    const elsewhere = ['layers', 'params', 'predict', 'completion', 'serve']
    const tried = Object.values(ROWS).map((row) => row().args.join(' '))
    const missing = Object.keys(commands)
      .map((id) => id.replace('albertkit:', '').replaceAll(':', ' '))
      .filter((id) => !elsewhere.includes(id) && !tried.some((args) => args.startsWith(`${id} `) || args === id))
    expect(missing).toEqual([])
    rmSync(at('tmp'), { recursive: true })
  })
})

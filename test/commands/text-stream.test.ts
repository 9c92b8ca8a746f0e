import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BIN, albertkit, run, userEnv } from '../helpers/run.js'
import { NO_REDIS, REDIS, RedisServer } from '../helpers/redis.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { queueStatusSchema, queueSubmitSchema, queueWorkSchema } from '../../src/schemas/queue.js'

// Reading a lot of lines: threads, memory, interrupts, what goes on after them.

const TINY = {
  hidden_act: 'gelu',
  embedding_size: 8,
  hidden_size: 16,
  intermediate_size: 32,
  initializer_range: 0.2,
  max_position_embeddings: 32,
  num_attention_heads: 2,
  num_hidden_layers: 1,
  num_hidden_groups: 1,
  inner_group_num: 1,
  type_vocab_size: 2,
  vocab_size: 300,
  ln_type: 'postln',
}

let folder: string
const at = (name: string): string => join(folder, name)
const news = (name: string): string => join(ZH_NEWS, name)
const bytesOf = (name: string): Buffer => readFileSync(at(name))

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-stream-test-'))
  writeFileSync(at('tiny.json'), JSON.stringify(TINY))
  await albertkit(['init', at('tiny.json'), '-o', at('random'), '--task', 'classify', '--labels', '3', '--no-verify'])
  await albertkit(['convert', at('random'), '--to', 'onnx', '--no-verify', '-o', at('tiny')])
  await albertkit(['convert', ZH_NEWS, '--to', 'onnx', '--no-verify', '-o', at('news')])
  const lines = readFileSync(news('train.tsv'), 'utf8').split('\n').slice(0, 1200)
  writeFileSync(at('lines.tsv'), `${lines.join('\n')}\n`)
}, 60_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Says the largest memory of the process when it ends; a thread that inherits this says the same. */
const PEAK = `data:text/javascript,process.on('exit',()=>{process.stderr.write('peak '+process.resourceUsage().maxRSS+'\\n')})`

/** Largest memory of reading `lines` lines with the small model, in MB. */
async function peakOf(lines: number, threads: number): Promise<number> {
  // The label is long: a reader that held lines back would show. It is not tokenized, so that this stays quick.
  const label = 'x'.repeat(1500)
  const path = at(`${lines}.tsv`)
  writeFileSync(path, Array.from({ length: lines }, (_, i) => `${i}${label}\t${i} 一二三\n`).join(''))
  const args = ['--import', PEAK, BIN, 'predict', at('tiny'), path, '--format', 'tsv', '--threads', String(threads)]
  const { code, stderr } = await run(process.execPath, [...args, '-o', at('answers.tsv'), '--force'])
  expect(code, stderr).toBe(0)
  expect(bytesOf('answers.tsv').filter((byte) => byte === 10)).toHaveLength(lines)
  rmSync(path)
  return Number(/peak (\d+)/.exec(stderr)?.[1]) / 1024
}

describe('a long file', () => {
  // Holding all of the lines takes about 300 MB more.
  it.each([1, 2])(
    '100,000 lines are read in bounded memory (threads: %i)',
    async (threads) => {
      const [few, many] = [await peakOf(10_000, threads), await peakOf(100_000, threads)]
      expect(many - few).toBeLessThan(150)
    },
    120_000,
  )

  it('gives the same bytes with any number of threads', async () => {
    for (const threads of ['1', '2', '5']) {
      const name = `threads-${threads}.jsonl`
      const { code, stderr } = await albertkit([
        'predict',
        at('news'),
        at('lines.tsv'),
        '--threads',
        threads,
        '-o',
        at(name),
      ])
      expect(code, stderr).toBe(0)
      expect(bytesOf(name).equals(bytesOf('threads-1.jsonl'))).toBe(true)
    }
    expect(existsSync(at('threads-1.jsonl.part'))).toBe(false)
  }, 60_000)

  it('a reader that goes away ends threads too, quietly', async () => {
    const command = `"${process.execPath}" "${BIN}" predict "${at('news')}" "${news('train.tsv')}" --threads 2 --format tsv | head -3`
    const { code, stdout, stderr } = await run('bash', ['-o', 'pipefail', '-c', command])
    expect([code, stdout.split('\n').length, stderr.replace(/^running with .*\n/, '')]).toEqual([0, 4, ''])
  })

  it('is answered while it is being typed', async () => {
    const child = spawn(process.execPath, [BIN, 'predict', at('news'), '--format', 'tsv'], { env: userEnv() })
    let [stdout, stderr] = ['', '']
    child.stderr.on('data', (text) => (stderr += String(text)))
    const texts = ['主队逆转取胜', '央行下调存款准备金率', '主队']
    const answered = new Promise<void>((resolve) =>
      child.stdout.on('data', (text) => {
        stdout += String(text)
        // The next line is not written before this one is answered.
        const next = texts[stdout.split('\n').length - 1]
        if (next === undefined) resolve()
        else child.stdin.write(`${next}\n`)
      }),
    )
    child.stdin.write(`${texts[0]}\n`)
    await answered
    const closed = new Promise((resolve) => child.on('close', resolve))
    child.stdin.end()
    expect([await closed, stderr]).toEqual([0, ''])
    expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual(['体育', '财经', '体育', ''])
  }, 20_000)

  it('an error while threads read ends the command', async () => {
    writeFileSync(at('three.txt'), 'a\nb\nc\n')
    const { code, stderr } = await albertkit([
      'predict',
      at('news'),
      news('train.tsv'),
      '--labels',
      at('three.txt'),
      '--threads',
      '2',
    ])
    expect([code, stderr]).toEqual([2, expect.stringContaining('3 labels')])
  })
})

describe('Ctrl-C', () => {
  /** Whether a prediction has answers that it could go on behind. */
  function begun(output: string): boolean {
    if (!existsSync(`${output}.part.json`)) return false
    const { next } = JSON.parse(readFileSync(`${output}.part.json`, 'utf8')) as { next: { line: number } }
    return next.line > 1
  }

  /** Starts a prediction and interrupts it when some windows are done. */
  function interrupted(args: readonly string[], output: string): Promise<number | null> {
    const child = spawn(process.execPath, [BIN, ...args], { env: userEnv(), stdio: 'ignore' })
    const timer = setInterval(() => {
      if (!begun(output)) return
      clearInterval(timer)
      child.kill('SIGINT')
    }, 5)
    return new Promise((resolve) =>
      child.on('close', (code) => {
        clearInterval(timer)
        resolve(code)
      }),
    )
  }

  it('leaves whole lines, and the same command goes on there: byte for byte what one run writes', async () => {
    const lines = readFileSync(news('train.tsv'), 'utf8').trimEnd().split('\n')
    // Every hundredth line cannot be used.
    const input = at('train.csv')
    const rows = lines.map((line, i) => (i % 100 === 7 ? `"${line}` : line.replaceAll('"', '').replace('\t', ',')))
    writeFileSync(input, `label,text\n${rows.join('\n')}\n`)
    const args = (name: string) => [
      'predict',
      at('news'),
      input,
      '--header',
      '--text-column',
      'text',
      '-o',
      at(name),
      '--errors',
      at(`${name}.bad`),
    ]
    expect((await albertkit(args('whole'))).code).toBe(0)

    const output = at('resumed')
    expect(await interrupted(args('resumed'), output)).toBe(130)
    expect(existsSync(output)).toBe(false)
    const part = readFileSync(`${output}.part`, 'utf8')
    expect(part.endsWith('\n')).toBe(true)
    for (const line of part.trimEnd().split('\n')) JSON.parse(line)
    const { next } = JSON.parse(readFileSync(`${output}.part.json`, 'utf8')) as { next: { line: number } }
    expect(next.line).toBeLessThan(4001)

    const { code, stderr, stdout } = await albertkit(args('resumed'))
    expect([code, stderr]).toEqual([0, expect.stringContaining(`resuming at line ${next.line}`)])
    // The whole file, not what this run added.
    const written = readFileSync(output, 'utf8').trimEnd().split('\n').length
    const [, all] = /wrote [^\n]*, ([\d,]+) lines, resumed at line /.exec(stdout + stderr) ?? []
    expect(all).toBe(written.toLocaleString('en'))
    expect(bytesOf('resumed').equals(bytesOf('whole'))).toBe(true)
    expect(bytesOf('resumed.bad').equals(bytesOf('whole.bad'))).toBe(true)
    expect([existsSync(`${output}.part`), existsSync(`${output}.part.json`)]).toEqual([false, false])
  }, 60_000)

  it('in the middle of long batches ends it at once, and whole lines stay', async () => {
    const input = at('long.txt')
    const lines = readFileSync(news('train.tsv'), 'utf8').split('\n').slice(0, 1300)
    writeFileSync(input, lines.map((line) => `${line.replace('\t', '').repeat(8)}\n`).join(''))
    // A batch takes about a second.
    const args = ['predict', at('news'), input, '-o', at('twice'), '--threads', '2', '--batch-size', '256']
    const child = spawn(process.execPath, [BIN, ...args], { env: userEnv(), stdio: ['ignore', 'ignore', 'pipe'] })
    let [stderr, sent] = ['', 0]
    child.stderr.on('data', (text) => (stderr += String(text)))
    const timer = setInterval(() => {
      if (!begun(at('twice'))) return
      clearInterval(timer)
      // The threads compute by now.
      setTimeout(() => {
        sent = performance.now()
        child.kill('SIGINT')
      }, 700)
    }, 5)
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      child.on('close', (...ended) => {
        clearInterval(timer)
        resolve(ended)
      }),
    )
    expect([code, signal], stderr).toEqual([130, null])
    expect(performance.now() - sent).toBeLessThan(1000)
    const part = bytesOf('twice.part').toString()
    expect(part.length).toBeGreaterThan(0)
    expect(part.endsWith('\n')).toBe(true)
    const again = await albertkit(args)
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('resuming at line ')])
    await albertkit(args.map((arg) => (arg === at('twice') ? at('once') : arg)))
    expect(bytesOf('twice').equals(bytesOf('once'))).toBe(true)
  }, 60_000)

  it('what another input or other options left is begun anew', async () => {
    const input = at('changed.tsv')
    writeFileSync(input, readFileSync(news('train.tsv')))
    const args = ['predict', at('news'), input, '-o', at('changed')]
    expect(await interrupted(args, at('changed'))).toBe(130)
    const { code, stderr } = await albertkit([...args, '--max-seq-length', '16'])
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('going on')])
    const fresh = await albertkit(['predict', at('news'), input, '--max-seq-length', '16'])
    expect(bytesOf('changed').toString()).toBe(fresh.stdout)
  }, 60_000)
})

/** Shape and values of an .npy file of float32, read as NumPy's documentation describes it. */
function readNpy(path: string): { shape: number[]; values: Float32Array } {
  const bytes = readFileSync(path)
  expect(bytes.toString('latin1', 0, 8)).toBe('\x93NUMPY\x01\x00')
  const start = 10 + bytes.readUInt16LE(8)
  expect(start % 64).toBe(0)
  const header = bytes.toString('latin1', 10, start)
  expect(header).toMatch(/^\{'descr': '<f4', 'fortran_order': False, 'shape': \(\d+, \d+\), \} *\n$/)
  const shape = /\((\d+), (\d+)\)/.exec(header)!.slice(1).map(Number)
  return { shape, values: new Float32Array(new Uint8Array(bytes.subarray(start)).buffer) }
}

describe('vectors', () => {
  it('are the same as lines, as npy and as safetensors, whole and from shards', async () => {
    const input = at('lines.tsv')
    const lines = (await albertkit(['embed', ZH_NEWS, input])).stdout.trimEnd().split('\n')
    const expected = lines.flatMap((line) => (JSON.parse(line) as { vector: number[] }).vector)
    for (const format of ['npy', 'safetensors']) {
      const { code, stderr } = await albertkit(['embed', ZH_NEWS, input, '--format', format, '-o', at(`v.${format}`)])
      expect(code, stderr).toBe(0)
    }
    const { shape, values } = readNpy(at('v.npy'))
    expect(shape).toEqual([1200, 128])
    expect(values).toEqual(Float32Array.from(expected))
    const { openSource } = await import('../../src/api/open/source.js')
    const source = await openSource(at('v.safetensors'))
    const { shape: stored, byteLength } = source.tensors.get('vectors')!
    const bytes = new Uint8Array(byteLength)
    source.read('vectors', 0, bytes)
    source.close()
    expect(stored).toEqual([1200, 128])
    expect(new Float32Array(bytes.buffer)).toEqual(values)

    for (const i of [2, 1])
      await albertkit(['embed', ZH_NEWS, input, '--format', 'npy', '--shard', `${i}/2`, '-o', at('vectors')])
    expect((await albertkit(['merge', at('vectors'), '-o', at('merged.npy')])).code).toBe(0)
    expect(bytesOf('merged.npy').equals(bytesOf('v.npy'))).toBe(true)
  }, 90_000)

  it('of two texts are compared', async () => {
    const args = ['embed', ZH_NEWS, '--text', '主队逆转取胜', '--text', '央行下调存款准备金率', '--json']
    const { cosine } = JSON.parse((await albertkit(args)).stdout) as { cosine: number }
    writeFileSync(at('one.txt'), '央行下调存款准备金率\n')
    const line = await albertkit(['embed', ZH_NEWS, at('one.txt'), '--cosine', '主队逆转取胜'])
    expect((JSON.parse(line.stdout) as { cosine: number }).cosine).toBeCloseTo(cosine, 5)
    expect(cosine).toBeLessThan(0.999)
    expect((await albertkit(args.slice(0, 4))).code).toBe(2)
    expect((await albertkit(['embed', ZH_NEWS, at('one.txt'), '--format', 'npy'])).code).toBe(2)
  })
})

describe.skipIf(!REDIS)(`a queue${REDIS ? '' : ` (${NO_REDIS})`}`, () => {
  it('evaluates, and makes vectors, as a single process does', async () => {
    const redis = await RedisServer.start()
    try {
      const where = ['--redis', redis.url, '--queue', 'kinds']
      const submit = (...args: string[]) => albertkit(['queue', 'submit', ...args, '--shards', '3', ...where])
      expect((await submit('evaluate', at('news'), at('lines.tsv'), '-o', at('report.json'))).code).toBe(0)
      expect((await submit('embed', at('news'), at('lines.tsv'), '--format', 'npy', '-o', at('q.npy'))).code).toBe(0)
      expect((await submit('predict', at('news'), at('lines.tsv'), '--format', 'npy', '-o', at('no'))).code).toBe(2)
      const worked = await albertkit(['queue', 'work', '--until-empty', '--json', ...where])
      expect(queueWorkSchema.parse(JSON.parse(worked.stdout))).toMatchObject({ done: 8, failed: 0 })
      const status = await albertkit(['queue', 'status', '--json', ...where])
      expect(queueStatusSchema.parse(JSON.parse(status.stdout)).flows).toHaveLength(2)
      const twice = ['embed', at('news'), at('lines.tsv'), '--format', 'npy', '-o', at('q.npy'), '--json']
      expect((await submit(...twice)).code).toBe(5)
      const again = await submit(...twice, '--force')
      expect(queueSubmitSchema.parse(JSON.parse(again.stdout))).toMatchObject({ shards: 3, lines: 1200 })
      const { evaluation } = JSON.parse(bytesOf('report.json').toString()) as { evaluation: Record<string, unknown> }
      const single = JSON.parse(
        (await albertkit(['evaluate', at('news'), at('lines.tsv'), '--json'])).stdout,
      ) as Record<string, unknown>
      for (const key of ['lines', 'accuracy', 'loss', 'confusion', 'worst'])
        expect(evaluation[key]).toEqual(single[key])
      await albertkit(['embed', at('news'), at('lines.tsv'), '--format', 'npy', '-o', at('single.npy')])
      expect(bytesOf('q.npy').equals(bytesOf('single.npy'))).toBe(true)
    } finally {
      await redis.stop()
    }
  }, 90_000)
})

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SCHEMAS } from '../../src/schemas/schemas.js'
import { fillMask, sentenceOrder } from '../../src/api/inference/single.js'
import { NO_REDIS, REDIS, RedisServer } from '../helpers/redis.js'
import { describeShared, SHARED, ZH_NEWS } from '../helpers/shared.js'

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-text-test-'))
  return albertkit(['convert', ZH_NEWS, '--to', 'onnx', '--to', 'tfjs', '--no-verify', '-o', at('out')])
}, 60_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
const at = (name: string): string => join(folder, name)
const news = (name: string): string => join(ZH_NEWS, name)
const linesOf = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n')

interface Said {
  code: number | null
  stdout: string
  stderr: string
}
function albertkit(args: readonly string[], input = ''): Promise<Said> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [BIN, ...args])
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (d: Buffer) => (said.stdout += d.toString()))
    child.stderr.on('data', (d: Buffer) => (said.stderr += d.toString()))
    child.on('close', (code) => {
      resolve({ code, ...said })
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}

/** Probabilities of `test_results.tsv`. */
const results = (text: string): number[][] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t').map(Number))
const largestDifference = (a: readonly number[][], b: readonly number[][]): number => {
  expect(a.map((row) => row.length)).toEqual(b.map((row) => row.length))
  return Math.max(...a.flatMap((row, i) => row.map((x, j) => Math.abs(x - b[i]![j]!))))
}

describe('the bundled model reads text as the genuine code did', () => {
  const LENGTH = ['--max-seq-length', '64']

  it('from the source, and from what it was converted to, in each runtime', async () => {
    const expected = results(readFileSync(news('test_results.tsv'), 'utf8'))
    for (const model of [
      [ZH_NEWS],
      [at('out')],
      [at('out'), '--runner', 'tfjs-wasm'],
      [ZH_NEWS, '--runner', 'tfjs-wasm'],
      [at('out'), '--runner', 'onnxruntime-web'],
      [at('out/onnx/model.onnx')],
    ]) {
      const [path = '', ...flags] = model
      const { code, stdout, stderr } = await albertkit([
        'predict',
        path,
        news('test.tsv'),
        ...LENGTH,
        '--format',
        'results',
        ...flags,
      ])
      expect([code, stderr], model.join(' ')).toEqual([0, ''])
      expect(largestDifference(results(stdout), expected)).toBeLessThan(1e-4)
    }
  }, 60_000)

  it('with the accuracy and the loss that it wrote', async () => {
    const { code, stdout } = await albertkit([
      'evaluate',
      ZH_NEWS,
      news('dev.tsv'),
      ...LENGTH,
      '--json',
      '--results',
      at('eval.txt'),
      '--svg',
      at('confusion.svg'),
    ])
    expect(code).toBe(0)
    const report = JSON.parse(stdout) as { accuracy: number; loss: number; lines: number; confusion: number[][] }
    expect([report.accuracy, report.lines]).toEqual([0.85, 100])
    expect(report.loss).toBeCloseTo(0.54468125, 5)
    const [ours, theirs] = [linesOf(at('eval.txt')), linesOf(news('eval_results.txt'))]
    expect(ours.map((l) => l.split(' = ')[0])).toEqual(theirs.map((l) => l.split(' = ')[0]))
    ours.forEach((line, i) => {
      expect(Number(line.split(' = ')[1])).toBeCloseTo(Number(theirs[i]!.split(' = ')[1]), 5)
    })
    const svg = readFileSync(at('confusion.svg'), 'utf8')
    expect(svg).toContain('娱乐')
    expect(svg).toContain('accuracy 85.0 %')
  })

  it('a line in, a line out, in every form', async () => {
    const { stdout } = await albertkit(['predict', at('out')], '主队逆转取胜\n央行下调存款准备金率\n')
    const said = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { label: string; probabilities: Record<string, number> })
    expect(said.map((s) => s.label)).toEqual(['体育', '财经'])
    expect(Object.values(said[0]!.probabilities).reduce((a, b) => a + b)).toBeCloseTo(1, 5)
    const tsv = await albertkit(['predict', at('out'), '--format', 'tsv'], '主队逆转取胜\n')
    expect(tsv.stdout).toMatch(/^体育\t0\.\d+\n$/)
    writeFileSync(
      at('named.csv'),
      'id,sentence,label\n1,"主队逆转取胜，夺得冠军",体育\n2,"未完,财经\n3,央行下调存款准备金率,财经\n',
    )
    const csv = await albertkit(['predict', at('out'), at('named.csv'), '--header', '--errors', at('bad.jsonl')])
    expect(csv.stdout.match(/"label":"(..)"/g)).toEqual(['"label":"体育"', '"label":"财经"'])
    expect([csv.code, csv.stderr]).toEqual([0, 'line 3: a quoted field does not end\n'])
    expect(linesOf(at('bad.jsonl')).map((l) => (JSON.parse(l) as { line: number }).line)).toEqual([3])
    expect((await albertkit(['predict', at('out'), at('named.csv'), '--header'])).code).toBe(3)
    const jsonl = await albertkit(
      ['predict', at('out'), '--input-format', 'jsonl', '--text-column', 'title'],
      '{"title":"主队逆转取胜"}\n{}\n',
    )
    expect([jsonl.code, jsonl.stdout.split('\n').length]).toEqual([3, 2])
  })

  it('says what is wrong: no head, no vocabulary, wrong labels', async () => {
    writeFileSync(at('two.txt'), 'a\nb\n')
    const labels = await albertkit(['predict', at('out'), '--labels', at('two.txt')], 'x\n')
    expect([labels.code, labels.stderr]).toEqual([2, expect.stringContaining('2 labels, but the model has 10 classes')])
    const none = await albertkit(['evaluate', at('out')], '主队\n')
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('no line has a label')])
    const shard = await albertkit(['predict', at('out'), news('test.tsv'), '--shard', '0/2', '-o', at('no')])
    expect([shard.code, shard.stderr]).toEqual([2, expect.stringContaining('1/8')])
  })

  it('an output that cannot be written is exit code 5 and no bug', async () => {
    const nowhere = at('nowhere/file')
    writeFileSync(at('gap.tsv'), '体育\t主队逆转取胜\n\n')
    for (const args of [
      ['predict', at('out'), at('gap.tsv'), '-o', nowhere],
      ['predict', at('out'), at('gap.tsv'), '--errors', nowhere],
      ['evaluate', at('out'), at('gap.tsv'), '--results', nowhere],
    ]) {
      const { code, stderr } = await albertkit(args)
      expect([code, stderr], args.join(' ')).toEqual([5, expect.stringContaining('could not be written')])
    }
  })

  it('two models side by side', async () => {
    const { stdout } = await albertkit(['evaluate', ZH_NEWS, news('dev.tsv'), '--compare', at('out'), '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ comparison: { lines: 100, different: [] } })
  })
})

interface Single {
  masked: { text: string; mask_position: number; top: { id: number; probability: number; token: string }[] }[]
  order: { text_a: string; text_b: string; probabilities: [number, number] }[]
}

describe('single texts', () => {
  const { masked, order } = JSON.parse(readFileSync(news('fill_mask.json'), 'utf8')) as Single

  it('fill-mask gives the tokens and probabilities of the genuine code', async () => {
    for (const { text, mask_position, top } of masked) {
      const [mask] = await fillMask(ZH_NEWS, text, { top: top.length })
      expect(mask?.position).toBe(mask_position)
      mask?.candidates.forEach(({ probability }, i) => {
        expect(probability).toBeCloseTo(top[i]!.probability, 5)
      })
      expect(mask?.candidates[0]).toMatchObject({ id: top[0]!.id, token: top[0]!.token })
    }
    expect(await fillMask(ZH_NEWS, '央[MASK]下[MASK]', { top: 2 })).toHaveLength(2)
    await expect(fillMask(ZH_NEWS, '央行')).rejects.toMatchObject({ kind: 'usage' })
  })

  it('fill-mask reads lines in batches, and says which it cannot use', async () => {
    const texts = [...masked.map(({ text }) => text), '央行', '']
    const { code, stdout, stderr } = await albertkit(['fill-mask', ZH_NEWS, '-', '--top', '1'], `${texts.join('\n')}\n`)
    expect(code).toBe(3)
    const [first, second] = [masked.length + 1, masked.length + 2]
    expect(stderr).toBe(
      `line ${first}: there is no [MASK] in the text\nline ${second}: there is no [MASK] in the text\n`,
    )
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => SCHEMAS['fill-mask-line'].parse(JSON.parse(line)))
    expect(lines.map(({ line, text }) => [line, text])).toEqual(masked.map(({ text }, i) => [i + 1, text]))
    lines.forEach(({ masks }, i) => {
      const { mask_position, top } = masked[i]!
      expect(masks).toHaveLength(1)
      expect(masks[0]).toMatchObject({
        position: mask_position,
        candidates: [{ id: top[0]!.id, token: top[0]!.token }],
      })
      expect(masks[0]!.candidates[0]!.probability).toBeCloseTo(top[0]!.probability, 5)
    })
  })

  it('sentence-order gives its probabilities', async () => {
    expect(order.length).toBeGreaterThan(3)
    for (const { text_a, text_b, probabilities } of order) {
      const said = await sentenceOrder(ZH_NEWS, text_a, text_b)
      expect(said.probabilities.inOrder).toBeCloseTo(probabilities[0], 4)
      expect(said.inOrder).toBe(probabilities[0] >= probabilities[1])
    }
  })

  it('embed gives a vector a line, and the same line is nearest to itself', async () => {
    const vectors = await albertkit(['embed', ZH_NEWS, news('labels.txt')])
    const [first] = vectors.stdout.split('\n')
    expect((JSON.parse(first ?? '') as { vector: number[] }).vector).toHaveLength(128)
    const near = await albertkit(['embed', ZH_NEWS, news('labels.txt'), '--pooling', 'pooled', '--cosine', '财经'])
    const said = near.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { text: string; cosine: number })
    expect(said.reduce((a, b) => (a.cosine > b.cosine ? a : b))).toMatchObject({ text: '财经' })
    expect(said.find(({ text }) => text === '财经')?.cosine).toBeCloseTo(1, 5)
  })
})

describeShared('zh_text_classifier', () => {
  it('gives the probabilities, the accuracy and the loss of the genuine code', async () => {
    const model = join(SHARED, 'tf/zh_text_classifier')
    const { stdout } = await albertkit(['predict', model, join(model, 'test.tsv'), '--format', 'results'])
    const expected = results(readFileSync(join(model, 'test_results.tsv'), 'utf8'))
    expect(largestDifference(results(stdout), expected)).toBeLessThan(1e-4)
    const scored = await albertkit(['evaluate', model, join(model, 'dev.tsv'), '--json'])
    const { accuracy, loss } = JSON.parse(scored.stdout) as { accuracy: number; loss: number }
    expect(accuracy).toBe(0.94)
    expect(loss).toBeCloseTo(0.1988145411014557, 5)
  })
})

describe('a long file', () => {
  it('a reader that goes away ends it quietly, and what is held is bounded', async () => {
    const line = '央行下调存款准备金率\n'
    writeFileSync(at('long.txt'), line.repeat(20_000))
    const command = `"${process.execPath}" "${BIN}" predict "${at('out')}" "${at('long.txt')}" --format tsv | head -3`
    const { code, stdout, stderr } = await new Promise<Said>((resolve) => {
      const child = spawn('bash', ['-o', 'pipefail', '-c', command])
      const said = { stdout: '', stderr: '' }
      child.stdout.on('data', (d: Buffer) => (said.stdout += d.toString()))
      child.stderr.on('data', (d: Buffer) => (said.stderr += d.toString()))
      child.on('close', (c) => {
        resolve({ code: c, ...said })
      })
    })
    expect([code, stdout.split('\n').length, stderr.replace(/^running with .*\n/, '')]).toEqual([0, 4, ''])
  })

  it('in shards gives the bytes of a single process, and a report of all lines', async () => {
    const whole = await albertkit(['predict', at('out'), news('train.tsv'), '-o', at('whole.jsonl')])
    expect(whole.code).toBe(0)
    for (const i of [1, 2, 3]) {
      const { code } = await albertkit([
        'predict',
        at('out'),
        news('train.tsv'),
        '--shard',
        `${i}/3`,
        '-o',
        at('shards'),
      ])
      expect(code).toBe(0)
    }
    expect((await albertkit(['merge', at('shards'), '-o', at('merged.jsonl')])).code).toBe(0)
    expect(readFileSync(at('merged.jsonl')).equals(readFileSync(at('whole.jsonl')))).toBe(true)
    expect((await albertkit(['merge', at('shards'), '-o', at('merged.jsonl')])).code).toBe(5)
    // A shard that another model computed does not belong here.
    rmSync(at('shards/shard-00002-of-00003.json'))
    const missing = await albertkit(['merge', at('shards'), '-o', at('again.jsonl')])
    expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining('missing: 2')])
    await albertkit(['predict', ZH_NEWS, news('train.tsv'), '--shard', '2/3', '-o', at('shards')])
    const other = await albertkit(['merge', at('shards'), '-o', at('again.jsonl')])
    expect([other.code, other.stderr]).toEqual([3, expect.stringContaining('the model of shard 2')])
    expect(existsSync(at('again.jsonl'))).toBe(false)
    for (const i of [1, 2])
      await albertkit([
        'evaluate',
        at('out'),
        news('dev.tsv'),
        '--shard',
        `${i}/2`,
        '-o',
        at('scored'),
        '--max-seq-length',
        '64',
      ])
    const merged = await albertkit(['merge', at('scored'), '--json'])
    expect(JSON.parse(merged.stdout)).toMatchObject({ evaluation: { accuracy: 0.85, lines: 100 } })
  }, 90_000)
})

describe.skipIf(!REDIS)(`a queue of shards${REDIS ? '' : ` (${NO_REDIS})`}`, () => {
  it('outlives a worker that is killed and a server that restarts, with the bytes of a single process', async () => {
    const redis = await RedisServer.start()
    try {
      const input = at('queued.txt')
      writeFileSync(
        input,
        linesOf(news('train.tsv'))
          .map((l) => `${l.split('\t')[1] ?? ''}\n`)
          .join('')
          .repeat(4),
      )
      const single = await albertkit(['predict', at('out'), input, '--threads', '1', '-o', at('single.jsonl')])
      expect(single.code).toBe(0)
      const where = ['--redis', redis.url, '--queue', 'test']
      const submitted = await albertkit([
        'queue',
        'submit',
        'predict',
        at('out'),
        input,
        '--shards',
        '12',
        '-o',
        at('joined.jsonl'),
        ...where,
      ])
      expect([submitted.code, submitted.stdout]).toEqual([0, expect.stringContaining('12 shards of 16000 lines')])
      const worker = (): { child: ReturnType<typeof spawn>; done: Promise<number | null> } => {
        const child = spawn(
          process.execPath,
          [BIN, 'queue', 'work', '--until-empty', '--threads', '1', '--lock', '3', ...where],
          { stdio: 'ignore' },
        )
        return { child, done: new Promise((resolve) => child.on('close', resolve)) }
      }
      const workers = [worker(), worker(), worker()]
      const finished = (): number =>
        readdirSync(`${at('joined.jsonl')}.shards`).filter((n) => /^shard-.*\d\.json$/.test(n)).length
      while (!existsSync(`${at('joined.jsonl')}.shards`) || finished() < 2) await new Promise((r) => setTimeout(r, 50))
      workers[0]!.child.kill('SIGKILL')
      await redis.kill()
      await new Promise((resolve) => setTimeout(resolve, 500))
      await redis.run()
      expect(await Promise.all(workers.slice(1).map((w) => w.done))).toEqual([0, 0])
      expect(readFileSync(at('joined.jsonl')).equals(readFileSync(at('single.jsonl')))).toBe(true)
      const status = await albertkit(['queue', 'status', '--json', ...where])
      expect(JSON.parse(status.stdout)).toMatchObject({ flows: [{ state: 'completed', shards: 12, done: 12 }] })
    } finally {
      await redis.stop()
    }
  }, 180_000)
})

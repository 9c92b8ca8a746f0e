import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { childrenOf, running } from '../helpers/processes.js'
import { albertkit, BIN, userEnv } from '../helpers/run.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-interrupt-'))
const temporary = join(folder, 'tmp')
const base = join(folder, 'base')
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface End {
  readonly code: number | null
  readonly stderr: string
  /** From the signal on. */
  readonly ms: number
}

/** Sends `signal` to a command once `begun` resolves, and waits for its end. */
async function interrupted(
  args: readonly string[],
  signal: NodeJS.Signals,
  begun: (child: ChildProcess, said: () => string) => Promise<void>,
): Promise<End> {
  const env = userEnv({ TMPDIR: temporary })
  const child = spawn(process.execPath, [BIN, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(child, 'close') as Promise<[number | null]>
  let stderr = ''
  child.stderr.on('data', (text) => (stderr += String(text)))
  await Promise.race([closed, begun(child, () => stderr)])
  const start = performance.now()
  child.kill(signal)
  const [code] = await closed
  return { code, stderr, ms: performance.now() - start }
}

/** Resolves some time after a verbose command printed a step. */
const step = (pattern: RegExp) => async (_: ChildProcess, said: () => string) => {
  while (!pattern.test(said())) await wait(20)
  await wait(300)
}

/** A step of the reference. */
const REFERENCE = /layer \d+ of \d+|running the reference/

describe('a command that runs the reference of a base-sized model', () => {
  beforeAll(async () => {
    rmSync(temporary, { recursive: true, force: true })
    expect((await albertkit(['init', 'albert-base', '-o', base])).code).toBe(0)
    mkdirSync(temporary)
  }, 60_000)

  it.each([
    ['SIGINT', 130, 'layers', [base], REFERENCE],
    ['SIGTERM', 143, 'layers', [base], REFERENCE],
    ['SIGINT', 130, 'params', [base, '--report', join(folder, 'report')], REFERENCE],
    ['SIGTERM', 143, 'convert', [base, '--to', 'onnx', '-o', join(folder, 'onnx')], REFERENCE],
    ['SIGINT', 130, 'verify', [base], REFERENCE],
    ['SIGINT', 130, 'verify', [base], /running tfjs-wasm/],
    ['SIGTERM', 143, 'convert', [base, '--to', 'tfjs', '-o', join(folder, 'tfjs')], /running tfjs-wasm/],
  ] as const)('ends within a second of %s, with %i: %s', async (signal, expected, command, args, begun) => {
    const { code, stderr, ms } = await interrupted([command, ...args, '--verbose'], signal, step(begun))
    expect(stderr).toContain(`interrupted (${signal})`)
    expect(code).toBe(expected)
    expect(ms).toBeLessThan(1000)
    expect(readdirSync(temporary).filter((name) => name.startsWith('.albertkit'))).toEqual([])
    expect(readdirSync(folder).sort()).toEqual(['base', 'tmp'])
  })
})

describe('a command that runs texts through a base-sized model', () => {
  const model = join(folder, 'classifier')
  const texts = join(folder, 'texts.tsv')
  beforeAll(async () => {
    const init = ['init', 'albert-base', '--task', 'classify', '--no-verify', '-o', model]
    expect((await albertkit(init)).code).toBe(0)
    // Texts of the greatest length, so that a batch takes many seconds.
    writeFileSync(texts, '0\t的一是了我不人在他有'.padEnd(200, '这个上们来到时大地为').concat('\n').repeat(600))
  }, 60_000)
  afterAll(() => {
    rmSync(model, { recursive: true })
    rmSync(texts)
  })

  it.each([
    ['SIGINT', 130, ['predict']],
    ['SIGTERM', 143, ['predict', '--threads', '1']],
    ['SIGTERM', 143, ['predict', '--runner', 'tfjs-wasm']],
    ['SIGINT', 130, ['evaluate', '--batch-size', '256']],
    ['SIGTERM', 143, ['embed']],
  ] as const)('ends within a second of %s, with %i: %j', async (signal, expected, [command, ...flags]) => {
    let computing: readonly number[] = []
    const { code, stderr, ms } = await interrupted([command, model, texts, ...flags], signal, async ({ pid }) => {
      while ((computing = childrenOf(pid)).length === 0) await wait(50)
      await wait(1500)
    })
    expect(stderr).toContain(`error: interrupted (${signal})\n`)
    expect(stderr).not.toContain('bug')
    expect([code, ms < 1000]).toEqual([expected, true])
    expect(computing).toHaveLength(1)
    await vi.waitFor(() => {
      expect(running(computing)).toEqual([])
    })
    expect(readdirSync(temporary)).toEqual([])
  })

  it('leaves no process behind if it is killed', async () => {
    let computing: readonly number[] = []
    await interrupted(['predict', model, texts], 'SIGKILL', async ({ pid }) => {
      while ((computing = childrenOf(pid)).length === 0) await wait(50)
      await wait(1500)
    })
    await vi.waitFor(() => {
      expect(running(computing)).toEqual([])
    })
  })
})

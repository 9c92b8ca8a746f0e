import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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

/** Sends `signal` to a command once it has begun to run what takes long, and waits for its end. */
async function interrupted(args: readonly string[], signal: NodeJS.Signals, begun: RegExp): Promise<End> {
  const env = userEnv({ TMPDIR: temporary })
  const child = spawn(process.execPath, [BIN, ...args, '--verbose'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const closed = once(child, 'close') as Promise<[number | null]>
  let stderr = ''
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (text) => {
      stderr += String(text)
      if (begun.test(stderr)) resolve()
    })
    child.on('close', () => {
      resolve()
    })
  })
  await wait(300)
  const start = performance.now()
  child.kill(signal)
  const [code] = await closed
  return { code, stderr, ms: performance.now() - start }
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
    const { code, stderr, ms } = await interrupted([command, ...args], signal, begun)
    expect(stderr).toContain(`interrupted (${signal})`)
    expect(code).toBe(expected)
    expect(ms).toBeLessThan(1000)
    expect(readdirSync(temporary).filter((name) => name.startsWith('.albertkit'))).toEqual([])
    expect(readdirSync(folder).sort()).toEqual(['base', 'tmp'])
  })
})

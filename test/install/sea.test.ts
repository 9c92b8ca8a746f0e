import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT, run, type Result } from '../helpers/run.js'

// The program in a single file, where there is no Node: only tar and gzip, which unpack it.

const folder = mkdtempSync(join(tmpdir(), 'albertkit-sea-test-'))
const program = join(folder, 'albertkit')
const env = { PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache'), HOME: folder }
const albertkit = (...args: string[]): Promise<Result> => run(program, args, { cwd: folder, env })

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('the program in a single file', () => {
  beforeAll(async () => {
    const { code, stderr } = await run(process.execPath, [join(ROOT, 'scripts/sea.js'), program])
    expect(code, stderr).toBe(0)
    mkdirSync(env.PATH)
    for (const name of ['tar', 'gzip']) symlinkSync((await run('which', [name])).stdout.trim(), join(env.PATH, name))
  }, 600_000)
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it('says its version, with the Node that it holds', async () => {
    expect((await albertkit('--version')).stdout).toContain(`node-${process.version}`)
  })

  it('converts and verifies in wasm, without a Node beside it', async () => {
    const { code, stdout } = await albertkit('convert', 'fixtures/zh-news', '--to', 'tfjs', '-o', 'out')
    expect([code, stdout]).toEqual([0, expect.stringContaining('comparisons within bounds')])
  })

  it('starts threads and processes of its own', async () => {
    cpSync(join(ROOT, 'fixtures/zh-news'), join(folder, 'a'), { recursive: true })
    const config = { models: { m: { source: 'a', targets: ['tf'], evaluate: { input: 'a/dev.tsv' } } } }
    writeFileSync(join(folder, 'albertkit.config.json'), JSON.stringify(config))
    expect((await albertkit('build', '--json')).code).toBe(0)
    const { code, stdout } = await albertkit('predict', 'out', 'a/dev.tsv', '--threads', '2', '--runner', 'tfjs-wasm')
    expect([code, stdout.split('\n').length]).toEqual([0, 101])
  })

  it('keeps exit codes', async () => {
    expect((await albertkit('inspect', 'nowhere')).code).toBe(2)
  })
})

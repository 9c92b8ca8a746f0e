import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT, run, type Result } from '../helpers/run.js'

// The tarball of `oclif pack tarballs`, unpacked in an empty folder of a machine without Node: bash, and what the script
// that starts it calls.

const folder = mkdtempSync(join(tmpdir(), 'albertkit-tarballs-test-'))
const at = (...names: string[]): string => join(folder, ...names)
const albertkit = (...args: string[]): Promise<Result> =>
  run(at('albertkit/bin/albertkit'), args, { cwd: at('work'), env: { PATH: at('bin'), HOME: at('home') } })

describe.runIf(process.platform === 'linux')('the tarball', () => {
  beforeAll(async () => {
    const { code, stderr } = await run(process.execPath, [join(ROOT, 'scripts/tarballs.js'), at('packed')])
    expect(code, stderr).toBe(0)
    const packed = readdirSync(at('packed'))
    expect(packed).toEqual([expect.stringMatching(/^albertkit-v[\d.]+-[0-9a-f]+-linux-\w+\.tar\.gz$/)])
    expect((await run('tar', ['-xzf', at('packed', packed[0]!), '-C', folder])).code).toBe(0)
    for (const name of ['work', 'home', 'bin']) mkdirSync(at(name))
    for (const name of ['bash', 'env', 'dirname', 'readlink'])
      symlinkSync((await run('which', [name])).stdout.trim(), at('bin', name))
  }, 1_200_000)
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it('says its version, with the Node that it brings', async () => {
    const { oclif } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      oclif: { update: { node: { version: string } } }
    }
    expect((await albertkit('--version')).stdout).toContain(`node-v${oclif.update.node.version}`)
  })

  it('reads and converts the sample model, and proves it in every runtime it brings', async () => {
    expect((await albertkit('inspect', 'fixtures/zh-news')).stdout).toContain('brightmart albert_zh')
    const { code, stdout } = await albertkit('convert', 'fixtures/zh-news', '--to', 'onnx', '--to', 'tfjs', '-o', 'out')
    expect([code, stdout]).toEqual([0, expect.stringContaining('comparisons within bounds')])
    const { stdout: said } = await albertkit('predict', 'out', 'fixtures/zh-news/test.tsv', '--format', 'tsv')
    expect(said.split('\n')[0]).toMatch(/^游戏\t/)
  })

  it('starts a link to it, and keeps exit codes', async () => {
    symlinkSync(at('albertkit/bin/albertkit'), at('bin', 'albertkit'))
    const { code } = await run('bash', ['-c', 'albertkit inspect nowhere'], {
      env: { PATH: at('bin'), HOME: at('home') },
    })
    expect(code).toBe(2)
  })
})

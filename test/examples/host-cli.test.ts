import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT, run, userEnv, type Result } from '../helpers/run.js'

// examples/host-cli as it is, with albertkit and oclif linked into its node_modules.

const folder = mkdtempSync(join(tmpdir(), 'albertkit-example-host-'))
const host = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Result> =>
  run(process.execPath, [join(folder, 'run.js'), ...args], { cwd: folder, env: userEnv(env) })

beforeAll(() => {
  cpSync(join(ROOT, 'examples/host-cli'), folder, { recursive: true })
  mkdirSync(join(folder, 'node_modules', '@oclif'), { recursive: true })
  symlinkSync(ROOT, join(folder, 'node_modules', 'albertkit'), 'dir')
  for (const name of ['@oclif/core', '@oclif/plugin-help'])
    symlinkSync(realpathSync(join(ROOT, 'node_modules', name)), join(folder, 'node_modules', name), 'dir')
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('the host', () => {
  it('has the commands under a topic, with help in its own name', async () => {
    const { code, stdout } = await host(['albertkit', 'convert', '--help'])
    expect([code, stdout]).toEqual([0, expect.stringContaining('$ host albertkit convert MODEL')])
    expect(stdout).toContain('--min-agreement')
    expect(stdout).not.toMatch(/\$ albertkit /)
    const root = await host(['--help'])
    expect(root.stdout).toMatch(/albertkit {2,}read, convert and prove/)
    expect(root.stdout).toMatch(/release {2,}Convert a model for release/)
  })

  it('runs them with their flags, also from the environment, and their exit codes', async () => {
    const model = join(ROOT, 'fixtures/zh-news')
    expect((await host(['albertkit', 'inspect', model, '--json'])).stdout).toMatch(/^\{/)
    expect((await host(['albertkit', 'inspect', model], { ALBERTKIT_INSPECT_JSON: '1' })).stdout).toMatch(/^\{/)
    expect((await host(['albertkit', 'inspect', 'nowhere'])).code).toBe(2)
    const { stderr } = await host(['albertkit', 'convert', model, '--to', 'onyx', '-o', 'x'])
    expect(stderr).toContain('did you mean onnx?')
  })

  it('runs one of them in a command of its own, and its hooks see it', async () => {
    const args = ['release', join(ROOT, 'fixtures/zh-news'), '--to', 'made']
    const { code, stdout, stderr } = await host(args, { HOST_LOG: '1' })
    expect([code, stdout]).toEqual([0, `released ${join(ROOT, 'fixtures/zh-news')} in made\n`])
    expect(stderr).toContain('host: albertkit:convert ')
    expect(stderr).toContain('host: albertkit:convert is done')
    expect((await host(['albertkit', 'check', 'made'])).code).toBe(0)
  })
})

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandsOf } from '../helpers/manifest.js'
import { ROOT, run, userEnv, type Result } from '../helpers/run.js'

// The package as a user gets it: packed, installed into a small command line of somebody else, and run there.
const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED/

const HOST_INSPECT = `
import { Command } from '@oclif/core'
export default class Inspect extends Command {
  static summary = 'the inspect of the host'
  async run() { await this.parse(Inspect); this.log('inspected by the host') }
}
`
const HOST_RUN = `
import { execute } from '@oclif/core'
await execute({ dir: import.meta.url })
`

let folder: string
let offline: string | undefined
const npm = (args: string[], cwd: string) => run('npm', args, { cwd, env: userEnv({ CI: 'true' }) })
const host = (...args: string[]): Promise<Result> =>
  run(process.execPath, ['run.js', ...args], { cwd: join(folder, 'host'), env: userEnv() })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'albertkit-host-'))
  const packed = await npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], ROOT)
  expect(packed.code, packed.stderr).toBe(0)
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }]

  const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const root = join(folder, 'host')
  await mkdir(join(root, 'commands'), { recursive: true })
  await writeFile(
    join(root, 'package.json'),
    JSON.stringify({
      name: 'host',
      version: '1.0.0',
      type: 'module',
      dependencies: { '@oclif/core': dependencies['@oclif/core'], albertkit: `file:../${filename}` },
      oclif: { bin: 'host', dirname: 'host', commands: './commands', plugins: ['albertkit'], topicSeparator: ' ' },
    }),
  )
  await writeFile(join(root, 'commands/inspect.js'), HOST_INSPECT)
  await writeFile(join(root, 'run.js'), HOST_RUN)
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--omit=optional', '--ignore-scripts']
  const installed = await npm(['install', ...flags], root)
  if (installed.code !== 0 && OFFLINE.test(installed.stderr)) offline = installed.stderr
  else expect(installed.code, installed.stderr).toBe(0)
}, 300_000)

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('installed into a host', () => {
  it.for(['inspect', 'convert', 'verify'])('%s stands under the topic albertkit', async (id, { skip }) => {
    if (offline !== undefined) skip(`no registry: ${offline}`)
    const { code, stdout, stderr } = await host('albertkit', id, '--help')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`$ host albertkit ${id} `)
  })

  it("leaves the host's own commands alone", async ({ skip }) => {
    if (offline !== undefined) skip(`no registry: ${offline}`)
    expect(await host('inspect')).toEqual({ code: 0, stdout: 'inspected by the host\n', stderr: '' })
    const { stdout } = await host('--help')
    const topLevel = [...stdout.matchAll(/^ {2}([a-z-]+) {2}/gm)].map(([, name]) => name)
    expect(topLevel.sort()).toEqual(['albertkit', 'inspect'])
  })

  it('reports errors there as it does alone', async ({ skip }) => {
    if (offline !== undefined) skip(`no registry: ${offline}`)
    const { code, stdout, stderr } = await host('albertkit', 'verify', '--nonsense', '--json')
    expect([code, stderr]).toEqual([2, ''])
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { kind: 'usage' } })
  })

  it('brings its own command line too', async ({ skip }) => {
    if (offline !== undefined) skip(`no registry: ${offline}`)
    const bin = join(folder, 'host/node_modules/.bin/albertkit')
    const [version, help] = await Promise.all([run(bin, ['--version']), run(bin, ['--help'])])
    expect(version.stdout).toMatch(/^albertkit\/\d/)
    for (const id of Object.keys(commandsOf('standalone')))
      expect(help.stdout).toMatch(new RegExp(`^  ${id.split(':')[0] ?? ''} `, 'm'))
  })
})

import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf } from '../docs/documents.js'
import { ROOT, run, userEnv, type Result } from '../helpers/run.js'

/**
 * Each way to install albertkit, from the packed tarball (or a clone) into an empty folder. Whichever way was taken, the
 * first minute works: the examples of --help, with the sample model that comes with the package.
 */
const folder = mkdtempSync(join(tmpdir(), 'albertkit-install-'))
const env = userEnv({ CI: 'true', NO_COLOR: '1', npm_config_prefer_offline: 'true' })
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error']
let tarball: string

/** Megabytes that a folder takes. */
const megabytes = (path: string): number =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0) / 1e6

function emptyProject(name: string): string {
  const path = join(folder, name)
  mkdirSync(path)
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name, version: '1.0.0', private: true, type: 'module' }))
  return path
}

async function install(program: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, stderr } = await run(program, args, { cwd, env })
  expect(code, `${program} ${args.join(' ')}: ${stderr}`).toBe(0)
}

async function npmProject(name: string, ...args: string[]): Promise<string> {
  const cwd = emptyProject(name)
  await install('npm', ['install', ...QUIET, ...args], cwd)
  return cwd
}

/** Runs the first commands of a new user in an empty folder; `start` is how albertkit is started. */
async function firstMinute(
  name: string,
  start: readonly string[],
  { node = process.execPath, onnx = true } = {},
): Promise<void> {
  const cwd = join(folder, `${name}-work`)
  mkdirSync(cwd)
  const [program = '', ...first] = start
  const albertkit = async (...args: string[]): Promise<Result> => {
    const result = await run(program, [...first, ...args], { cwd, env })
    expect(result.code, `albertkit ${args.join(' ')} with ${node}: ${result.stderr}${result.stdout}`).toBe(0)
    return result
  }
  expect((await albertkit('inspect', 'fixtures/zh-news')).stdout).toContain('albert_zh')
  await albertkit('convert', 'fixtures/zh-news', '--to', 'tfjs', ...(onnx ? ['--to', 'onnx'] : []), '-o', 'out')
  expect(existsSync(join(cwd, 'out/tfjs/model.json'))).toBe(true)
  expect(existsSync(join(cwd, 'out/onnx/model.onnx'))).toBe(onnx)
  if (!onnx) {
    // Nothing is written that cannot be proved; the error says what to install.
    const refused = await run(program, [...first, 'convert', 'fixtures/zh-news', '--to', 'onnx', '-o', 'onnx'], {
      cwd,
      env,
    })
    expect([refused.code, refused.stderr]).toEqual([6, expect.stringContaining('npm install')])
  }
  const { stdout } = await albertkit('predict', 'out', 'fixtures/zh-news/test.tsv')
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { label: string })
  expect([lines.length, lines[0]?.label]).toEqual([150, '游戏'])
  const doctor = await run(program, [...first, 'doctor', '--json'], { cwd, env })
  const report = JSON.parse(doctor.stdout) as {
    ok: boolean
    runtimes: { name: string; required: boolean; status: string }[]
  }
  expect([doctor.code, report.ok], doctor.stdout).toEqual([0, true])
  rmSync(cwd, { recursive: true })
}

const bin = (project: string): string => join(project, 'node_modules/.bin/albertkit')
const script = (project: string): string => join(project, 'node_modules/albertkit/bin/run.js')

beforeAll(async () => {
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    env,
  })
  expect(packed.code, packed.stderr).toBe(0)
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }]
  tarball = join(folder, filename)
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('npm install', () => {
  let project: string
  beforeAll(async () => {
    project = await npmProject('full', tarball)
  })

  it('works', async () => {
    await firstMinute('full', [bin(project)])
  })

  it('has every entry of `files`, which installers of oclif plugins look for', () => {
    const { files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] }
    expect(files.filter((entry) => !existsSync(join(project, 'node_modules/albertkit', entry)))).toEqual([])
  })

  it.each(['22', '24'])('works with Node %s', async (major) => {
    const node = join(await npmProject(`node-${major}`, `node@${major}`), 'node_modules/node/bin/node')
    expect(execFileSync(node, ['--version'], { encoding: 'utf8' })).toMatch(new RegExp(`^v${major}\\.`))
    await firstMinute(`node-${major}`, [node, script(project)], { node })
  })

  it('has types that need @types/node alone, and no skipLibCheck', async () => {
    await install('npm', ['install', ...QUIET, '--save-dev', '@types/node@20', 'typescript@6'], project)
    writeFileSync(
      join(project, 'user.ts'),
      [
        `import { openModel, type ModelConfig } from 'albertkit'`,
        'export const size = (config: ModelConfig): number => config.vocab_size',
        '// @ts-expect-error it is a number',
        'export const wrong = (config: ModelConfig): string => config.vocab_size',
        'export const open = openModel',
      ].join('\n'),
    )
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node']
    expect(await run('npx', ['tsc', ...flags, 'user.ts'], { cwd: project, env })).toMatchObject({ code: 0, stdout: '' })
  })

  it('exports its JSON Schemas, each with its $id', async () => {
    const code = `const s = require('albertkit/schemas/doctor.schema.json'); console.log(s.$id)`
    const { stdout } = await run(process.execPath, ['-e', code], { cwd: project, env })
    expect(stdout).toBe('urn:albertkit:schema:doctor\n')
  })

  it('works on a platform without prebuilt binaries', async () => {
    const bare = join(folder, 'bare')
    cpSync(project, bare, { recursive: true, verbatimSymlinks: true })
    const natives = readdirSync(join(bare, 'node_modules'), { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.node'),
    )
    expect(natives.length).toBeGreaterThan(0)
    for (const path of natives) rmSync(join(bare, 'node_modules', path))
    await firstMinute('bare', [bin(bare)])
    rmSync(bare, { recursive: true })
  })
})

describe('npm install --omit=optional', () => {
  let project: string
  beforeAll(async () => {
    project = await npmProject('required', '--omit=optional', tarball)
  })

  it('works, the library too, but for the proof of ONNX files', async () => {
    await firstMinute('required', [bin(project)], { onnx: false })
    const code = `import('albertkit').then((m) => console.log(typeof m.openModel))`
    expect((await run(process.execPath, ['-e', code], { cwd: project, env })).stdout).toBe('function\n')
  })

  it('takes at most 120 MB', () => {
    expect(megabytes(join(project, 'node_modules'))).toBeLessThanOrEqual(120)
  })
})

describe('other ways', () => {
  it('the commands of README.md work, global ones and that of a project', async () => {
    const text = blocksOf(readFileSync(join(ROOT, 'README.md'), 'utf8')).find(({ text }) =>
      text.includes('install -g'),
    )!.text
    const [prefix, project] = [join(folder, 'global'), emptyProject('readme')]
    // The package is not on the registry yet; the rest is as it stands there.
    const script = text.replaceAll(/ albertkit(?= *(#|$))/gm, ` ${tarball}`)
    expect(script.split(tarball)).toHaveLength(4)
    const own = { npm_config_prefix: prefix, npm_config_audit: 'false', npm_config_fund: 'false' }
    const { code, stderr } = await run('bash', ['-euc', script], { cwd: project, env: { ...env, ...own } })
    expect(code, stderr).toBe(0)
    await firstMinute('global', [join(prefix, 'bin/albertkit')])
    await firstMinute('readme', [bin(project)], { onnx: false })
    for (const path of [prefix, project]) rmSync(path, { recursive: true })
  }, 600_000)

  it('pnpm add works', async () => {
    const project = emptyProject('pnpm')
    await install('npx', ['--yes', 'pnpm@10', 'add', tarball], project)
    await firstMinute('pnpm', [bin(project)])
    rmSync(project, { recursive: true })
  })

  it('an install from git builds what it needs', async () => {
    const repository = join(folder, 'repository')
    const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
    for (const file of files.trim().split('\n'))
      if (existsSync(join(ROOT, file))) cpSync(join(ROOT, file), join(repository, file), { recursive: true })
    const git = (...args: string[]) => execFileSync('git', args, { cwd: repository, stdio: 'ignore' })
    git('init')
    git('add', '--all')
    git('-c', 'user.name=test', '-c', 'user.email=test@localhost', 'commit', '--message', 'all')
    const project = await npmProject('git', `git+file://${repository}`)
    await firstMinute('git', [bin(project)])
    rmSync(project, { recursive: true })
  })
})

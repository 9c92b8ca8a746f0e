import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandsOf } from '../helpers/manifest.js'
import { BIN, ROOT, run, userEnv } from '../helpers/run.js'
import { matchesOutput, readSessions } from './console.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-docs-'))
const env = userEnv({ PATH: `${join(folder, 'bin')}:${process.env.PATH ?? ''}`, NO_COLOR: '1' })

beforeAll(() => {
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin/albertkit'), `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`, { mode: 0o755 })
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** A folder with the bundled model, for one session. */
function workplace(name: string): string {
  const cwd = join(folder, name)
  if (existsSync(cwd)) return cwd
  mkdirSync(cwd)
  cpSync(join(ROOT, 'fixtures'), join(cwd, 'fixtures'), { recursive: true })
  return cwd
}

/** README.md, in Chinese too, every page of docs/ and every guide, whose Chinese form has the same blocks. */
const PAGES = [
  'README.md',
  'README.zh-CN.md',
  ...['docs', 'docs/guides'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md') && !name.endsWith('.zh-CN.md'))
      .map((name) => `${folder}/${name}`),
  ),
]

describe.each(PAGES)('the console examples of %s', (page) => {
  const sessions = readSessions(readFileSync(join(ROOT, page), 'utf8'))

  it('there are some in the README', () => {
    expect(sessions.length).toBeGreaterThanOrEqual(page.startsWith('README') ? 2 : 0)
  })

  it.each(sessions.map((session, i) => [i, session] as const))('session %i prints what it says', async (i, session) => {
    // A guide goes on from what it made before; the blocks of other pages stand by themselves.
    const cwd = workplace(`${page.replaceAll('/', '-')}-${page.startsWith('docs/guides/') ? 0 : i}`)
    for (const { command, output } of session) {
      const { stdout, stderr } = await run('bash', ['-c', command], { cwd, env })
      const printed = (stdout + stderr).trimEnd().split('\n')
      if (!matchesOutput(printed, output)) expect(printed.join('\n'), command).toBe(output.join('\n'))
    }
  })
})

describe('the program of docs/guides/onnxruntime.md', () => {
  it('prints the class that predict prints', async () => {
    const cwd = workplace('onnxruntime')
    const program = /```js\n([^]*?)```/.exec(readFileSync(join(ROOT, 'docs/guides/onnxruntime.md'), 'utf8'))?.[1]
    symlinkSync(join(ROOT, 'node_modules'), join(cwd, 'node_modules'))
    writeFileSync(join(cwd, 'program.mjs'), program!.replace("'albertkit'", `'${join(ROOT, 'dist/index.js')}'`))
    await run('bash', ['-c', 'albertkit convert fixtures/zh-news --to onnx --no-verify -o out'], { cwd, env })
    const { code, stdout, stderr } = await run(process.execPath, ['program.mjs'], { cwd, env })
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '财经\n', stderr: '' })
  })
})

describe('the programs of README.md', () => {
  const programs = [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/```js\n([^]*?)```/g)].map(
    ([, code]) => code!,
  )

  it('run on the bundled model', async () => {
    expect(programs).toHaveLength(1)
    const cwd = workplace('programs')
    mkdirSync(join(cwd, 'node_modules'))
    symlinkSync(ROOT, join(cwd, 'node_modules/albertkit'))
    writeFileSync(join(cwd, 'program.mjs'), programs[0]!)
    const { code, stdout, stderr } = await run(process.execPath, ['program.mjs'], { cwd, env })
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'zh true 房产\n', stderr: '' })
  })
})

describe('the picture of README.md', () => {
  it('is what the command above it draws', async () => {
    const cwd = workplace('picture')
    const command = 'albertkit params --preset albert-base,bert-base --svg params.svg'
    expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain(`$ ${command}`)
    await run('bash', ['-c', command], { cwd, env })
    const drawn = readFileSync(join(cwd, 'params.svg'), 'utf8')
    expect(drawn).toBe(readFileSync(join(ROOT, 'docs/images/params.svg'), 'utf8'))
  })

  it('is in a README of at most 200 lines', () => {
    expect(readFileSync(join(ROOT, 'README.md'), 'utf8').split('\n').length).toBeLessThanOrEqual(201)
  })
})

describe('the examples of --help', () => {
  // What `convert` writes is what the examples of other commands read.
  const commands = Object.values(commandsOf('standalone')).sort(
    (a, b) => Number(b.id === 'convert') - Number(a.id === 'convert'),
  )
  const examples = commands.flatMap(({ id, examples = [] }) =>
    (examples as { command: string }[]).map(({ command }) =>
      command.replace('<%= config.bin %>', 'albertkit').replace('<%= command.id %>', id.replaceAll(':', ' ')),
    ),
  )

  it('work, those of convert first', async () => {
    expect(examples.length).toBeGreaterThanOrEqual(8)
    const cwd = workplace('help')
    // What `build` reads.
    const news = { source: 'fixtures/zh-news', output: 'built', targets: ['onnx'] }
    writeFileSync(join(cwd, 'albertkit.config.json'), JSON.stringify({ models: { news } }))
    for (const command of examples) {
      // A server ends when it is told to.
      const ended = command.startsWith('albertkit serve ') ? `timeout 3 ${command}; test $? = 124` : command
      const { code, stderr } = await run('bash', ['-c', ended], { cwd, env })
      expect(code, `${command}: ${stderr}`).toBe(0)
    }
  })
})

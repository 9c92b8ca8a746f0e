import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandsOf } from '../helpers/manifest.js'
import { ROOT, run } from '../helpers/run.js'
import { matchesOutput, readSessions } from './console.js'
import { DOCUMENTS, programsOf, readDocument } from './documents.js'
import { openWorkplaces, type Workplaces } from './workplace.js'

let workplaces: Workplaces
let env: NodeJS.ProcessEnv
const workplace = (name: string): string => workplaces.open(name)

beforeAll(async () => {
  workplaces = await openWorkplaces()
  env = workplaces.env
})
afterAll(async () => {
  await workplaces.close()
})

/** Every document but those in Chinese, which have the same blocks (translations.test.ts). */
const PAGES = DOCUMENTS.filter((path) => !path.endsWith('.zh-CN.md'))
/** A guide goes on from what it made before; the blocks of other pages stand by themselves. */
const isGuide = (page: string): boolean => page.startsWith('docs/guides/')

describe.each(PAGES)('the console examples of %s', (page) => {
  const text = readDocument(page)
  const sessions = readSessions(text)

  it('there are some in the README', () => {
    expect(sessions.length).toBeGreaterThanOrEqual(page.startsWith('README') ? 2 : 0)
  })

  it.each(sessions.map((session, i) => [i, session] as const))('session %i prints what it says', async (i, session) => {
    const cwd = workplace(`${page.replaceAll('/', '-')}-${isGuide(page) ? 0 : i}`)
    for (const program of programsOf(text)) writeFileSync(join(cwd, program.name), program.text)
    for (const { command, output } of session) {
      // Both outputs in their order, as on a terminal.
      const { stdout } = await run('bash', ['-c', `exec 2>&1; ${command}`], { cwd, env })
      const printed = stdout.trimEnd().split('\n')
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

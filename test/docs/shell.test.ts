import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeCertificates } from '../helpers/certificates.js'
import { NO_REDIS, REDIS, RedisServer } from '../helpers/redis.js'
import { ROOT, run, type Result } from '../helpers/run.js'
import { blocksOf, DOCUMENTS, readDocument } from './documents.js'
import { openWorkplaces, type Workplaces } from './workplace.js'

// Every block of a shell (`sh`) of every document is run; blocks with what they print (`console`) are in readme.test.ts.

let workplaces: Workplaces
beforeAll(async () => {
  workplaces = await openWorkplaces()
  // Installs, and the scripts that test the project itself, are only looked up: test/install installs in earnest.
  workplaces.addProgram('npm', `exec "${process.execPath}" "${join(ROOT, 'test/docs/pretend-npm.js')}" "$@"`)
})
afterAll(async () => {
  await workplaces.close()
})

const MODEL = join(ROOT, 'fixtures/zh-news')
/** A server ends when it is told to. */
const ended = (text: string): string => text.replaceAll(/^albertkit serve .*$/gm, '{ timeout 5 $& || test $? = 124; }')
const shell = (text: string, cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Result> =>
  run('bash', ['-euo', 'pipefail', '-c', ended(text)], { cwd, env: { ...workplaces.env, ...env } })

/** What a block needs. Without a line here it runs as it is, in a folder with the sample model. */
interface Arrangement {
  /** Makes what the block expects to find. */
  readonly before?: (cwd: string) => Promise<void> | void
  readonly env?: NodeJS.ProcessEnv
  /** Changes what cannot be as it is on this machine: addresses, folders at the root. */
  readonly change?: (text: string) => string
  /** Exit code 6 counts too: something is not installed here. */
  readonly mayBeAbsent?: true
  /** Where it is run instead. */
  readonly elsewhere?: string
}

/** A model and lines by the names that the documents give them. */
function addModel(cwd: string): void {
  cpSync(MODEL, join(cwd, 'model'), { recursive: true })
  cpSync(join(MODEL, 'test.tsv'), join(cwd, 'lines.tsv'))
}
const converted = async (cwd: string): Promise<void> => {
  const { code, stderr } = await shell('albertkit convert fixtures/zh-news --to onnx --no-verify -o out', cwd)
  expect(code, stderr).toBe(0)
}
function addHost(cwd: string): void {
  cpSync(join(ROOT, 'examples/host-cli'), cwd, { recursive: true })
  mkdirSync(join(cwd, 'node_modules/@oclif'), { recursive: true })
  symlinkSync(ROOT, join(cwd, 'node_modules/albertkit'), 'dir')
  for (const name of ['@oclif/core', '@oclif/plugin-help'])
    symlinkSync(realpathSync(join(ROOT, 'node_modules', name)), join(cwd, 'node_modules', name), 'dir')
}
function addProject(cwd: string): void {
  cpSync(join(ROOT, 'examples/project'), cwd, { recursive: true })
  cpSync(MODEL, join(cwd, 'checkpoints/news'), { recursive: true })
}
const hasRedis = (text: string): boolean => text.includes('queue')

/** By document, in the order of its blocks of a shell. */
const ARRANGED: Readonly<Record<string, readonly Arrangement[]>> = {
  'docs/browser.md': [{ elsewhere: 'test/install/browser.test.ts' }],
  'docs/build.md': [{ before: addProject }],
  'docs/gpu.md': [{ mayBeAbsent: true }, { mayBeAbsent: true }],
  'docs/guides/README.md': [
    {
      before: (cwd) => {
        mkdirSync(join(cwd, 'node_modules'))
        symlinkSync(ROOT, join(cwd, 'node_modules/albertkit'), 'dir')
      },
    },
  ],
  'docs/scale.md': [
    { before: addModel },
    {
      before: (cwd) => {
        addModel(cwd)
        makeCertificates((name) => join(cwd, name))
      },
      env: { PASSWORD: 'secret' },
    },
    { before: addModel, env: { SLURM_ARRAY_TASK_ID: '1' } },
    { before: addModel, env: { JOB_COMPLETION_INDEX: '0' }, change: (text) => text.replace('/shared', 'shared') },
  ],
  'docs/verify.md': [{ before: converted }],
  'examples/host-cli/README.md': [{ before: addHost }],
}

const BLOCKS = DOCUMENTS.flatMap((page) =>
  blocksOf(readDocument(page))
    .filter(({ language }) => language === 'sh')
    .map(({ text }, i) => ({ page, i, text, arranged: ARRANGED[page.replace('.zh-CN', '')]?.[i] ?? {} })),
)

describe('blocks of a shell', () => {
  it('have a language that is run', () => {
    const languages = new Set(DOCUMENTS.flatMap((page) => blocksOf(readDocument(page)).map(({ language }) => language)))
    for (const name of ['', 'bash', 'shell', 'zsh', 'shell-session']) expect([...languages]).not.toContain(name)
    const commands = DOCUMENTS.flatMap((page) => blocksOf(readDocument(page)))
      .filter(({ language, text }) => language === 'text' && /^\$? ?(albertkit|npm|npx|node) /m.test(text))
      .map(({ text }) => text)
    expect(commands).toEqual([])
  })

  it('are arranged for if they are there', () => {
    for (const [page, { length }] of Object.entries(ARRANGED))
      expect(BLOCKS.filter((block) => block.page === page).length, page).toBeGreaterThanOrEqual(length)
  })

  const plain = BLOCKS.filter(({ text, arranged }) => arranged.elsewhere === undefined && !hasRedis(text))
  it.each(plain)('$page, block $i', async ({ page, i, text, arranged }) => {
    const cwd = workplaces.open(`${page.replaceAll('/', '-')}-${i}`)
    await arranged.before?.(cwd)
    const { code, stdout, stderr } = await shell(arranged.change?.(text) ?? text, cwd, arranged.env)
    expect(arranged.mayBeAbsent === true ? [0, 6] : [0], `${text}\n${stdout}${stderr}`).toContain(code)
  })

  it.each(BLOCKS.filter(({ arranged }) => arranged.elsewhere !== undefined))(
    '$page, block $i, are run elsewhere',
    ({ page, arranged }) => {
      expect(readFileSync(join(ROOT, arranged.elsewhere!), 'utf8')).toContain(page.replace('.zh-CN', ''))
    },
  )
})

describe.skipIf(!REDIS)(`blocks with a queue${REDIS ? '' : ` (${NO_REDIS})`}`, () => {
  const [open, secure] = BLOCKS.filter(({ text }) => hasRedis(text))

  it('of a server on the network', async () => {
    const redis = await RedisServer.start()
    try {
      const cwd = workplaces.open('queue')
      await open!.arranged.before!(cwd)
      // The first worker would wait for more.
      const text = open!.text
        .replaceAll('redis://queue:6379', redis.url)
        .replace(/work (--redis \S+) {2,}#/, 'work $1 --until-empty #')
      const { code, stdout, stderr } = await shell(text, cwd)
      expect(code, stdout + stderr).toBe(0)
      expect(readFileSync(join(cwd, 'predictions.jsonl'), 'utf8').split('\n')).toHaveLength(151)
    } finally {
      await redis.stop()
    }
  })

  it('of a server with a password and TLS', async () => {
    const cwd = workplaces.open('secure')
    await secure!.arranged.before!(cwd)
    mkdirSync(join(cwd, 'shared'))
    const port = String(20_000 + (process.pid % 20_000))
    const text = secure!.text
      .replace(/--appendonly yes$/m, `--appendonly no --save '' >redis.log & trap "kill $!" EXIT; sleep 2`)
      .replaceAll('queue:6379', `127.0.0.1:${port}`)
      .replaceAll('6379', port)
      .replaceAll('/shared/models', 'shared')
      .replace(/--root \/shared\/texts$/m, '--root model --until-empty\nalbertkit queue status')
    const { code, stdout, stderr } = await shell(text, cwd, secure!.arranged.env)
    expect(code, stdout + stderr).toBe(0)
    expect(existsSync(join(cwd, 'redis.log'))).toBe(true)
  })
})

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { commandsOf } from '../helpers/manifest.js'
import { ROOT, run, userEnv, type Result } from '../helpers/run.js'

// The files of examples/ are run in an empty project, with this package in its node_modules.

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
const project = mkdtempSync(join(tmpdir(), 'albertkit-examples-'))
const at = (...names: string[]): string => join(project, ...names)
const PATH = `${at('node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`

const bash = (script: string, env: NodeJS.ProcessEnv = {}, args: readonly string[] = []): Promise<Result> =>
  run('bash', ['-euo', 'pipefail', '-c', script, 'bash', ...args], { cwd: project, env: userEnv({ PATH, ...env }) })

beforeAll(() => {
  cpSync(join(ROOT, 'examples/project'), project, { recursive: true })
  cpSync(join(ROOT, 'fixtures/zh-news'), at('checkpoints', 'news'), { recursive: true })
  mkdirSync(at('node_modules', '.bin'), { recursive: true })
  symlinkSync(ROOT, at('node_modules', 'albertkit'), 'dir')
  symlinkSync(join(ROOT, 'bin/run.js'), at('node_modules', '.bin', 'albertkit'))
})
afterAll(() => {
  rmSync(project, { recursive: true, force: true })
})

describe('the project', () => {
  it('has a configuration that editors accept', () => {
    const schema = JSON.parse(read('docs/schemas/config.schema.json')) as object
    expect(
      new Ajv2020({ strict: false }).validate(schema, JSON.parse(read('examples/project/albertkit.config.json'))),
    ).toBe(true)
  })

  it('plans by an npm script and builds by make, within its budgets', async () => {
    const plan = await bash('npm run --silent models:plan')
    expect([plan.code, plan.stdout]).toEqual([0, expect.stringContaining('1 planned')])
    const made = await bash('make check')
    expect(made.stderr).toContain('news: built, new')
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('out/news is as it was converted')])
  })
})

interface Action {
  readonly name: string
  readonly description: string
  readonly inputs: Readonly<Record<string, { readonly description: string }>>
  readonly outputs: Readonly<Record<string, { readonly value: string }>>
  readonly runs: {
    readonly using: string
    readonly steps: readonly {
      readonly id?: string
      readonly shell: string
      readonly run: string
      readonly env: Readonly<Record<string, string>>
    }[]
  }
}

describe('action.yml', () => {
  const action = parse(read('action.yml')) as Action
  const build = action.runs.steps.find(({ id }) => id === 'build')!

  it('is a composite action, whose expressions name what is there', () => {
    expect(action.runs.using).toBe('composite')
    for (const { shell, run: script } of action.runs.steps) expect([shell, script !== '']).toEqual(['bash', true])
    const used = [...read('action.yml').matchAll(/\binputs\.([\w-]+)/g)].map(([, name]) => name!)
    expect([...new Set(used)].sort()).toEqual(Object.keys(action.inputs).sort())
    for (const [name, { value }] of Object.entries(action.outputs)) {
      expect(value).toBe(`\${{ steps.build.outputs.${name} }}`)
      expect(build.run).toContain(`"${name}=$`)
    }
    // Its variables are flags of the command.
    const flags = Object.keys(commandsOf('standalone').build!.flags)
    const variables = Object.keys(build.env).filter((name) => name.startsWith('ALBERTKIT_BUILD_'))
    expect(variables.map((name) => name.slice(16).toLowerCase().replaceAll('_', '-')).filter((f) => !flags.includes(f))).toEqual([]) // prettier-ignore
  })

  const runBuild = async (models: string): Promise<Result & { outputs: string; summary: string }> => {
    const [GITHUB_OUTPUT, GITHUB_STEP_SUMMARY] = [at('output.txt'), at('summary.txt')]
    for (const file of [GITHUB_OUTPUT, GITHUB_STEP_SUMMARY]) writeFileSync(file, '')
    const env = { ...Object.fromEntries(Object.keys(build.env).map((name) => [name, ''])), MODELS: models }
    const ran = await bash(build.run, { ...env, GITHUB_OUTPUT, GITHUB_STEP_SUMMARY, RUNNER_TEMP: project })
    return { ...ran, outputs: readFileSync(GITHUB_OUTPUT, 'utf8'), summary: readFileSync(GITHUB_STEP_SUMMARY, 'utf8') }
  }

  it('builds, sets its outputs and puts the table of precisions into the summary', async () => {
    const { code, stderr, outputs, summary } = await runBuild('news')
    expect([code, stderr]).toEqual([0, expect.stringContaining('news: skipped')])
    expect(outputs).toContain('exit-code=0\n')
    expect(outputs).toContain('built=\nskipped=news\n')
    expect(summary).toContain('| news | onnx-int8 |')
    expect(summary).toContain('| agreement |')
  })

  it('fails with the exit code of the build', async () => {
    const { code, outputs } = await runBuild('nothing')
    expect([code, outputs]).toEqual([2, expect.stringContaining('exit-code=2\n')])
  })
})

it('the workflow of GitHub names inputs that the action has, and files that it writes', () => {
  const text = read('examples/ci/github-workflow.yml')
  const workflow = parse(text) as {
    on: unknown
    jobs: Record<string, { 'runs-on': string; steps: { uses?: string; run?: string }[] }>
  }
  for (const { 'runs-on': machine, steps } of Object.values(workflow.jobs)) {
    expect(machine).toBe('ubuntu-latest')
    for (const { uses, run: script } of steps) expect((uses === undefined) !== (script === undefined)).toBe(true)
    const local = steps.flatMap(({ uses = '' }) => (uses.startsWith('./') ? [uses] : []))
    expect(local).toEqual(['./node_modules/albertkit'])
  }
  expect(JSON.parse(read('package.json'))).toMatchObject({ files: expect.arrayContaining(['action.yml']) as string[] })
})

it('the script of GitLab CI builds, and writes the report that it names', async () => {
  const { models } = parse(read('examples/ci/gitlab-ci.yml')) as {
    models: { script: string[]; variables: Record<string, string>; artifacts: { reports: { junit: string } } }
  }
  const { code, stdout } = await bash(models.script.join('\n'), models.variables)
  expect([code, stdout]).toEqual([0, expect.stringContaining('1 model: 1 skipped')])
  expect(existsSync(at(models.artifacts.reports.junit))).toBe(true)
  expect(existsSync(at(models.variables.ALBERTKIT_BUILD_MARKDOWN!))).toBe(true)
})

it('the hooks of pre-commit pass what is right and refuse what was changed', async () => {
  interface Hook {
    readonly id: string
    readonly entry: string
    readonly files: string
    readonly pass_filenames?: boolean
  }
  const { repos } = parse(read('examples/ci/pre-commit-config.yaml')) as { repos: { hooks: Hook[] }[] }
  const [check, build] = repos[0]!.hooks
  expect(new RegExp(check!.files).test('out/news/albertkit.json')).toBe(true)
  expect(new RegExp(build!.files).test('checkpoints/news/dev.tsv')).toBe(true)
  const hook = (entry: string, ...files: string[]): Promise<Result> => bash(`${entry} "$@"`, {}, files)
  expect((await hook(check!.entry, 'out/news/albertkit.json')).code).toBe(0)
  expect((await hook(build!.entry)).code).toBe(0)
  writeFileSync(at('out', 'news', 'vocab.txt'), 'changed')
  expect((await hook(check!.entry, 'out/news/albertkit.json')).code).toBe(1)
})

it('the image has no shell, is not run as root, and starts what the package has', () => {
  const lines = read('examples/docker/Dockerfile')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  const stages = lines.filter((line) => line.startsWith('FROM '))
  expect(stages.at(-1)).toMatch(/distroless\/nodejs.*:nonroot$/)
  expect(lines).toContain('USER 65532:65532')
  const last = lines.slice(lines.indexOf(stages.at(-1)!))
  expect(last.filter((line) => line.startsWith('RUN '))).toEqual([])
  const entry = JSON.parse(last.find((line) => line.startsWith('ENTRYPOINT '))!.slice(11)) as string[]
  expect(existsSync(join(ROOT, entry[1]!.replace('/app/node_modules/albertkit/', '')))).toBe(true)
})

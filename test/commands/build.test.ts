import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BuildReport } from '../../src/index.js'
import { buildSchema } from '../../src/schemas/build.js'
import { albertkit, BIN, ROOT, userEnv } from '../helpers/run.js'

// A build of three models, as a pipeline runs it: what is skipped, what is done again, and what is said of it.

const folder = mkdtempSync(join(tmpdir(), 'albertkit-build-'))
const at = (...names: string[]): string => join(folder, ...names)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const configuration = (models: object, more: object = {}): string =>
  JSON.stringify({ defaults: { targets: ['tf'] }, models, ...more })

const MODELS = {
  one: { source: 'a', targets: ['onnx:f32,int8'], evaluate: { input: 'a/dev.tsv', maxSeqLength: 64 } },
  two: { source: 'b', output: 'made/two' },
  three: { source: 'c', goldens: ['golden.safetensors'], targets: ['onnx'] },
}

beforeAll(() => {
  for (const name of ['a', 'b', 'c']) cpSync(`${ROOT}fixtures/zh-news`, at(name), { recursive: true })
  cpSync(at('c', 'golden.safetensors'), at('golden.safetensors'))
  writeFileSync(at('albertkit.config.json'), configuration(MODELS))
})

async function build(...args: string[]): Promise<BuildReport & { stderr: string }> {
  const { code, stdout, stderr } = await albertkit(['build', '--json', ...args], { cwd: folder })
  const report = JSON.parse(stdout) as BuildReport
  expect(buildSchema.safeParse(report).error).toBeUndefined()
  expect(code).toBe(report.exitCode)
  return { ...report, stderr }
}

const outcomes = ({ models }: BuildReport): Record<string, string> =>
  Object.fromEntries(models.map(({ name, status, why }) => [name, `${status}: ${why}`]))

const SKIPPED = 'skipped: nothing has changed'

describe('a build of three models', () => {
  it('plans without doing anything', async () => {
    const report = await build('--dry-run')
    expect(outcomes(report)).toEqual({ one: 'planned: new', two: 'planned: new', three: 'planned: new' })
    expect(readdirSync(folder).sort()).toEqual(['a', 'albertkit.config.json', 'b', 'c', 'golden.safetensors'])
  })

  it('does all of them, several at once, with the figures of each artefact', async () => {
    const report = await build('--jobs', '2')
    expect(outcomes(report)).toEqual({ one: 'built: new', two: 'built: new', three: 'built: new' })
    const [one, two, three] = report.models
    expect(one!.steps.map(({ name, status }) => `${name} ${status}`)).toEqual(['convert done', 'evaluate done'])
    expect(one!.artefacts.map(({ artefact }) => artefact)).toEqual(['onnx', 'onnx-int8'])
    for (const { bytes, accuracy, maxAbs } of one!.artefacts) {
      expect(bytes).toBeGreaterThan(400_000)
      expect(accuracy).toBeGreaterThan(0.8)
      expect(maxAbs).toBeGreaterThan(0)
    }
    expect(one!.artefacts[1]!.agreement).toBeGreaterThan(0.9)
    expect(two!.output).toBe(join('made', 'two'))
    expect(three!.steps.map(({ name }) => name)).toEqual(['convert', 'golden golden.safetensors'])
    expect(existsSync(at('out', 'one', 'onnx', 'model_int8.onnx'))).toBe(true)
  })

  it('skips what has not changed, and does again what has, saying why', async () => {
    expect(outcomes(await build())).toEqual({ one: SKIPPED, two: SKIPPED, three: SKIPPED })
    writeFileSync(at('b', 'labels.txt'), `${readFileSync(at('b', 'labels.txt'), 'utf8')}\n`)
    expect(outcomes(await build())).toEqual({ one: SKIPPED, two: 'built: b/labels.txt changed', three: SKIPPED })
    expect(outcomes(await build())).toEqual({ one: SKIPPED, two: SKIPPED, three: SKIPPED })
  })

  it('sees options, files of the output, new and lost inputs', async () => {
    const changed = { ...MODELS, two: { ...MODELS.two, outputs: 'default' } }
    writeFileSync(at('albertkit.config.json'), configuration(changed))
    writeFileSync(at('c', 'notes.txt'), 'new')
    rmSync(at('out', 'one', 'onnx', 'model_int8.onnx'))
    const report = await build('--dry-run')
    expect(outcomes(report)).toMatchObject({
      two: 'planned: outputs changed in the configuration',
      three: expect.stringContaining('planned: c/notes.txt is new') as string,
    })
    expect(report.models[0]!.why).toMatch(/^out.one.onnx.model_int8\.onnx is no longer as it was written/)
    expect(outcomes(await build('two'))).toEqual({ two: 'built: outputs changed in the configuration' })
    const three = (await build('three')).models[0]!
    // The conversion gave the same files: what was found out about them holds.
    expect(three.steps.map(({ status }) => status)).toEqual(['done', 'done'])
    await build()
    rmSync(at('c', 'notes.txt'))
    expect((await build('--dry-run', 'three')).models[0]!.why).toContain('c/notes.txt is gone')
    expect((await build('--force', 'two')).models[0]!.why).toBe('forced')
  })
})

describe('budgets and reports', () => {
  const summary = (): string => readFileSync(at('summary.md'), 'utf8')

  it('a missed budget is exit code 1, in the text, JUnit and Markdown, without building again', async () => {
    writeFileSync(at('albertkit.config.json'), configuration(MODELS))
    await build()
    const one = { ...MODELS.one, budgets: { size: { 'onnx-int8': '100 kB' }, accuracy: 0.99 } }
    writeFileSync(at('albertkit.config.json'), configuration({ ...MODELS, one }))
    const args = ['build', '--junit', 'junit.xml', '--markdown', 'summary.md']
    const { code, stdout, stderr } = await albertkit(args, { cwd: folder })
    expect(code).toBe(1)
    expect(stdout).toMatch(/one: budgets: size of onnx-int8 is \d+ bytes, above 100000/)
    expect(stdout).toMatch(/one: budgets: accuracy of onnx is 0\.85\d\d, below 0\.99/)
    expect(stdout).toContain('3 models: 2 skipped, 1 failed')
    expect(stderr).toContain('wrote junit.xml')
    expect(stderr).not.toContain('one: convert')
    const xml = readFileSync(at('junit.xml'), 'utf8')
    expect(xml.match(/<testsuite /g)).toHaveLength(3)
    expect(xml).toMatch(/<testcase classname="one" name="budgets" [^>]*>\s*<failure type="check" message="accuracy of/)
    expect(summary()).toContain('| one | onnx-int8 |')
    expect(summary()).toContain('- **one** budgets: size of onnx-int8')
    expect((await albertkit(args, { cwd: folder })).code).toBe(1)
  })

  it('files that no build wrote stay', async () => {
    writeFileSync(at('summary.md'), 'mine')
    const { code, stderr } = await albertkit(['build', '--markdown', 'summary.md'], { cwd: folder })
    expect([code, summary()]).toEqual([5, 'mine'])
    expect(stderr).toContain('hint: --force replaces it')
  })

  it('the exit code is the worst: 3 of a damaged model, beside a built one', async () => {
    cpSync(at('b'), at('broken'), { recursive: true })
    truncateSync(at('broken', 'model.ckpt.data-00000-of-00001'), 1000)
    const models = { two: MODELS.two, broken: { source: 'broken' }, none: { source: 'nowhere' } }
    writeFileSync(at('albertkit.config.json'), configuration(models))
    const report = await build()
    expect(report.exitCode).toBe(3)
    expect(report.models.map(({ exitCode }) => exitCode)).toEqual([0, 3, 2])
    expect(report.models[1]!.steps[0]!.error).toMatchObject({ kind: 'malformed' })
  })

  it('a directory that no build wrote stays', async () => {
    const { code } = await albertkit(['convert', 'b', '--to', 'tf', '-o', 'foreign'], { cwd: folder })
    expect(code).toBe(0)
    writeFileSync(at('albertkit.config.json'), configuration({ two: { source: 'b', output: 'foreign' } }))
    expect((await build()).models[0]!.steps[0]!.error).toMatchObject({ code: 'output-exists' })
    expect((await build('--force')).ok).toBe(true)
  })
})

it('killed in the middle and started again, it goes on', async () => {
  writeFileSync(at('albertkit.config.json'), configuration(MODELS))
  rmSync(at('.albertkit'), { recursive: true })
  rmSync(at('out'), { recursive: true })
  rmSync(at('made'), { recursive: true })
  const child = spawn(process.execPath, [BIN, 'build', '--jobs', '1'], { cwd: folder, env: userEnv(), stdio: 'pipe' })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
    // The others are done; the last one begins to be converted, which takes a fraction of a second.
    if (said.includes('three: convert')) child.kill('SIGKILL')
  })
  await once(child, 'exit')
  const report = await build()
  const [one, two, three] = report.models
  expect([one!.status, two!.status, three!.status]).toEqual(['skipped', 'skipped', 'built'])
  expect(three!.why).toMatch(/^(the last build did not succeed|new)$/)
  expect(readdirSync(at('out')).filter((name) => name.startsWith('.'))).toEqual([])
})

describe('configurations', () => {
  const model = `{ two: { source: 'b', output: 'made/two', targets: ['tf'] } }`
  it.each([
    ['albertkit.config.yaml', `models:\n  two: { source: b, output: made/two, targets: [tf] }\n`],
    ['albertkit.config.mjs', `export default { models: ${model} }\n`],
    ['albertkit.config.cjs', `module.exports = { models: ${model} }\n`],
    ['albertkit.config.ts', `const source: string = 'b'\nexport default { models: ${model} } satisfies object\n`],
  ])('%s is read', async (name, text) => {
    rmSync(at('albertkit.config.json'), { force: true })
    writeFileSync(at(name), text)
    const report = await build()
    rmSync(at(name))
    expect(report.config).toBe(at(name))
    expect(report.models.map(({ status }) => status)).toEqual(['skipped'])
  })

  it.each([
    ['{', 3, 'cannot be parsed'],
    ['{"models": {"a": {"source": "b", "target": ["onnx"]}}}', 3, 'did you mean targets?'],
    ['{"models": {"a": {"source": "b", "targets": ["onxx"]}}}', 3, 'models.a.targets.0'],
    ['{"models": {"a": {"source": "b"}}}', 3, 'models.a.targets is missing'],
    ['{"models": {"a": {"source": "b", "targets": ["onnx"], "budgets": {"f1": 1}}}}', 3, 'needs labelled lines'],
    ['{"models": {}}', 2, 'has no models'],
  ])('%s is refused', async (text, exitCode, message) => {
    writeFileSync(at('albertkit.config.json'), text)
    const { code, stderr } = await albertkit(['build'], { cwd: folder })
    expect(code).toBe(exitCode)
    expect(stderr).toContain(message)
    expect(stderr).toContain('albertkit.config.json')
  })

  it('an unknown model, and no configuration at all, say what to do', async () => {
    writeFileSync(at('albertkit.config.json'), configuration(MODELS))
    const unknown = await albertkit(['build', 'thre'], { cwd: folder })
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('did you mean three?')])
    const none = await albertkit(['build', '--config-file', 'none.json'], { cwd: folder })
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('there is no such file')])
  })
})

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { matchesOutput, readSessions } from '../docs/console.js'
import { blocksOf, DOCUMENTS, programsOf, readDocument } from '../docs/documents.js'
import { ROOT, run, userEnv } from '../helpers/run.js'

// Each guide from an empty folder with the packed package: what docs/guides/README.md says to do first, then every command
// of the guide. The Chinese ones are walked by themselves.

const folder = mkdtempSync(join(tmpdir(), 'albertkit-guides-'))
const GUIDES = DOCUMENTS.filter((path) => /^docs\/guides\/(?!README)/.test(path))
const env = userEnv({ CI: 'true', NO_COLOR: '1', npm_config_prefer_offline: 'true', ONNXRUNTIME_NODE_INSTALL: 'skip' })
const started = join(folder, 'started')

beforeAll(async () => {
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    env,
  })
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }]
  mkdirSync(started)
  const [start] = blocksOf(readDocument('docs/guides/README.md'))
  const text = start!.text.replace('install albertkit', `install --no-audit --no-fund ${join(folder, filename)}`)
  const { code, stderr } = await run('bash', ['-euc', `${text}\ncommand -v albertkit`], { cwd: started, env })
  expect(code, stderr).toBe(0)
}, 600_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe.each(GUIDES)('%s', (path) => {
  it('prints what it says, from its first command to its last', async () => {
    const cwd = join(folder, path.replaceAll('/', '-'))
    mkdirSync(cwd)
    for (const name of ['package.json', 'fixtures']) cpSync(join(started, name), join(cwd, name), { recursive: true })
    symlinkSync(join(started, 'node_modules'), join(cwd, 'node_modules'))
    const text = readDocument(path)
    for (const program of programsOf(text)) writeFileSync(join(cwd, program.name), program.text)
    const PATH = `${join(cwd, 'node_modules/.bin')}:${process.env.PATH ?? ''}`
    const steps = readSessions(text).flat()
    expect(steps.length).toBeGreaterThan(1)
    for (const { command, output } of steps) {
      const { stdout } = await run('bash', ['-c', `exec 2>&1; ${command}`], { cwd, env: { ...env, PATH } })
      const printed = stdout.trimEnd().split('\n')
      if (!matchesOutput(printed, output)) expect(printed.join('\n'), command).toBe(output.join('\n'))
    }
  }, 600_000)
})

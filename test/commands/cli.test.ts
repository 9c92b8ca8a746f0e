import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { commandsOf } from '../helpers/manifest.js'
import { albertkit } from '../helpers/run.js'

const ids = Object.keys(commandsOf('standalone'))

describe('albertkit', () => {
  it('has no module that Node could not read, though no light command loads it', async () => {
    const folder = join(import.meta.dirname, '../../dist/cli')
    const modules = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'))
    expect(modules.length).toBeGreaterThan(ids.length)
    for (const file of modules)
      await expect(transform(readFileSync(join(folder, file), 'utf8')), file).resolves.toBeDefined()
  })

  it('has the commands of the main job', () => {
    expect(ids).toEqual(expect.arrayContaining(['convert', 'inspect', 'verify']))
  })

  it('offers a host the same commands, all under its own topic', () => {
    expect(Object.keys(commandsOf('plugin'))).toEqual(ids.map((id) => `albertkit:${id}`))
  })

  it('prints its version', async () => {
    const { code, stdout, stderr } = await albertkit(['--version'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^albertkit\/\d+\.\d+\.\d+ \S+ node-v\d+\.\d+\.\d+\n$/)
  })

  it('alone prints help', async () => {
    const [alone, help] = await Promise.all([albertkit([]), albertkit(['--help'])])
    expect(alone).toEqual(help)
    expect(help.code).toBe(0)
    for (const id of ids) expect(help.stdout).toMatch(new RegExp(`^  ${id.split(':')[0] ?? ''} `, 'm'))
    expect(help.stdout).not.toContain('\u001b')
  })
})

it.each([
  [['bench', 'out', '--batch', '0'], '--batch: expected an integer greater than or equal to 1 but received: 0'],
  [['verify', 'model', '--atol', 'x'], '--atol takes a number of at least 0, not x'],
  [
    ['verify', 'model', '--gpu', '--runner', 'tfjs-wasm'],
    '--runner=tfjs-wasm cannot also be provided when using --gpu',
  ],
])('a wrong value in %j is told in one line', async (words, message) => {
  const { code, stderr } = await albertkit(words)
  expect([code, stderr.split('\n')[0]]).toEqual([2, `error: ${message}`])
})

describe.each(ids.map((id) => id.replaceAll(':', ' ')))('albertkit %s', (id) => {
  const words = id.split(' ')
  it('--help shows examples that can be copied', async () => {
    const { code, stdout, stderr } = await albertkit([...words, '--help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`$ albertkit ${id} `)
    expect(stdout).toContain('EXAMPLES')
    expect(stdout).not.toContain('<%')
  })

  it('--nonsense is a usage error', async () => {
    const [plain, json] = await Promise.all([
      albertkit([...words, '--nonsense']),
      albertkit([...words, '--nonsense', '--json']),
    ])
    expect([plain.code, json.code]).toEqual([2, 2])
    expect(plain.stderr).toMatch(/^error: /)
    expect(plain.stderr).toContain(`hint: see \`albertkit ${id} --help\``)
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, error: { kind: 'usage' } })
  })
})

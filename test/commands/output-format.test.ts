import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { albertkit, ROOT, userEnv } from '../helpers/run.js'

// One flag for the tables of all commands.

const news = `${ROOT}fixtures/zh-news`
const folder = mkdtempSync(join(tmpdir(), 'albertkit-format-'))
const made = join(folder, 'made')
beforeAll(async () => {
  expect((await albertkit(['convert', news, '--to', 'onnx', '-o', made, '--no-verify'])).code).toBe(0)
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const COMMANDS: readonly (readonly [args: string[], head: string])[] = [
  [['inspect', news], 'variable'],
  [['check', made], 'file'],
  [['params', '--preset', 'albert-base'], 'model'],
  [['weights', news], ''],
  [['verify', news, made, '--runner', 'onnxruntime'], 'runner'],
  [['bench', made, '--runs', '1', '--length', '8', '--batch', '1'], 'file'],
  [['evaluate', news, `${news}/dev.tsv`, '--max-seq-length', '64'], ''],
  [['diff', news, made], ''],
]

it.each(COMMANDS)('%j prints its tables as Markdown, CSV and JSON', async (args, head) => {
  const as = async (format: string): Promise<string> => (await albertkit([...args, '--output-format', format])).stdout
  const [markdown, csv, json] = [await as('markdown'), await as('csv'), await as('json')]
  const lines = markdown.split('\n')
  // Every table has its line of dashes, below its head.
  const rules = lines.filter((line) => /^\|( -{3}:? \|)+$/.test(line))
  expect(rules.length).toBeGreaterThan(0)
  expect(lines.filter((line) => line !== '' && !/^(\||\*\*)/.test(line)).length).toBeLessThan(lines.length)
  const rows = csv
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd())
  expect(rows.length).toBeGreaterThan(1)
  expect(rows[0]!.split(',')[0]).toContain(head)
  // Numbers without separators of thousands.
  expect(csv).not.toMatch(/"\d{1,3}(,\d{3})+"/)
  expect(typeof JSON.parse(json)).toBe('object')
})

it('comes from the environment too, and a result without tables says so', async () => {
  const env = userEnv({ ALBERTKIT_OUTPUT_FORMAT: 'markdown' })
  expect((await albertkit(['check', made], { env })).stdout).toMatch(/^\| file \| artefact/)
  const args = ['convert', news, '--to', 'tfjs', '-o', join(folder, 'none'), '--dry-run', '--output-format', 'csv']
  const { code, stdout, stderr } = await albertkit(args)
  expect([code, stdout]).toEqual([0, expect.stringContaining('dry run')])
  expect(stderr).toContain('note: this result has no table that could be printed as csv')
})

it('another format is refused', async () => {
  const { code, stderr } = await albertkit(['check', made, '--output-format', 'html'])
  expect([code, stderr]).toEqual([2, expect.stringContaining('--output-format')])
})

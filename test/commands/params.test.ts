import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { albertkit } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { paperSchema, paramsSchema } from '../../src/schemas/params.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-params-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('albertkit params', () => {
  it('counts a file, a preset and what-ifs side by side, with the numbers of --json', async () => {
    const args = [ZH_NEWS, '--compare', 'albert-base,bert_base', '--share', 'none', '--sequence', '64', '--json']
    const { code, stdout, stderr } = await albertkit(['params', ...args])
    expect([code, stderr]).toEqual([0, ''])
    const report = paramsSchema.parse(JSON.parse(stdout))
    expect(report.columns.map((c) => [c.name, c.origin])).toEqual([
      ['zh-news', 'file'],
      ['albert-base', 'preset'],
      ['bert-base', 'preset'],
      ['not shared', 'what-if'],
    ])
    expect(report.columns[0]?.agreement).toEqual({ slots: 33, differences: [] })
    expect(report.columns.map((c) => c.stored)).toEqual([524_688, 11_683_584, 109_482_240, 1_119_504])
    expect(report.columns[3]?.stored).toBe(report.columns[0]?.used)
  })

  it('models of one name are distinguished', async () => {
    for (const name of ['old', 'new']) cpSync(ZH_NEWS, join(folder, name, 'model'), { recursive: true })
    const [a, b] = ['old', 'new'].map((name) => join(folder, name, 'model'))
    const { stdout } = await albertkit(['params', a!, '--compare', `albert-base,${b!}`, '--json'])
    const { columns } = paramsSchema.parse(JSON.parse(stdout))
    expect(columns.map((c) => c.name)).toEqual(['old/model', 'albert-base', 'new/model'])
  })

  it('prints terminal tables, Markdown and CSV', async () => {
    const [text, markdown, csv] = await Promise.all(
      [[], ['--markdown'], ['--csv']].map((form) => albertkit(['params', '--preset', 'albert-base', ...form])),
    )
    expect(text!.stdout).toContain('sharing shrinks storage, not computation')
    expect(text!.stdout).toMatch(/^attention\/query +H² \+ H +1 +590,592 +5\.1 % +7,087,104$/m)
    expect(markdown!.stdout).toContain('| attention/query | H² + H | 1 | 590,592 | 5.1 % | 7,087,104 |')
    expect(csv!.stdout).toContain('albert-base,attention/query,attention,H² + H,1,590592,7087104\r\n')
  })

  it('reads a configuration without weights', async () => {
    const { code, stdout } = await albertkit(['params', '--config', join(ZH_NEWS, 'albert_config.json'), '--json'])
    expect(code).toBe(0)
    expect(paramsSchema.parse(JSON.parse(stdout)).columns[0]).toMatchObject({ origin: 'config', fileBytes: null })
  })

  it('--paper prints the tables of the paper', async () => {
    const [json, text] = await Promise.all([
      albertkit(['params', '--paper', '--json']),
      albertkit(['params', '--paper', '--markdown']),
    ])
    const { tables, example } = paperSchema.parse(JSON.parse(json.stdout))
    expect(tables.map((t) => t.rows.length)).toEqual([7, 8, 8, 6, 4])
    expect(example.ratio).toBeCloseTo(28.156, 3)
    expect(text.stdout).toContain('| ALBERT xxlarge | 233M or 235M |')
  })

  it('draws, and replaces only what it may', async () => {
    const svg = join(folder, 'a.svg')
    const png = join(folder, 'a.png')
    const args = ['params', '--preset', 'albert-tiny-zh', '--svg', svg, '--png', png, '--look', 'dark']
    const first = await albertkit(args)
    expect([first.code, first.stderr]).toEqual([0, `wrote ${svg}\nwrote ${png}\n`])
    expect(readFileSync(svg, 'utf8')).toContain('#0d1117')
    expect(readFileSync(png).subarray(1, 4).toString()).toBe('PNG')
    writeFileSync(png, 'mine')
    rmSync(svg)
    const second = await albertkit(args)
    expect(second.code).toBe(5)
    expect([existsSync(svg), readFileSync(png, 'utf8')]).toEqual([false, 'mine'])
    expect((await albertkit([...args, '--force'])).code).toBe(0)
  })

  it('separates thousands in every table', async () => {
    const { stdout } = await albertkit(['params', '--preset', 'albert-base'])
    expect(stdout).toMatch(/^vocabulary V +30,000$/m)
    expect(stdout.match(/(?<![\d.,])\d{5,}(?![\d.])/g)).toBeNull()
  })

  it.each([
    [['--preset', 'albert-huge'], 2, 'there is no preset'],
    [[], 2, 'nothing to count'],
    [['--preset', 'albert-base', '--sequence', '513'], 2, '512 positions'],
    [['--preset', 'albert-base', '--share', 'some'], 2, 'not some'],
    [['--preset', 'albert-base', '--embedding-size', '0'], 2, 'not 0'],
    [['--preset', 'albert-base', '--groups', '13'], 2, 'more than 12 layers'],
    [['--config', join(folder, 'none.json')], 2, 'cannot be read'],
    [[join(folder, 'none')], 2, 'there is no such file'],
  ] as const)('%j ends with %d', async (args, code, words) => {
    const result = await albertkit(['params', ...args])
    expect(result.code).toBe(code)
    expect(result.stderr).toContain(words)
    expect(result.stdout).toBe('')
  })
})

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { writeRandomModel } from '../helpers/random-model.js'
import { albertkit } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { layersSchema } from '../../src/schemas/layers.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-layers-command-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
const golden = join(ZH_NEWS, 'golden.safetensors')

describe('albertkit layers', () => {
  it('gives one model as one document, several as a list', async () => {
    const one = await albertkit(['layers', ZH_NEWS, '--golden', golden, '--json'])
    expect([one.code, one.stderr]).toEqual([0, ''])
    const report = layersSchema.parse(JSON.parse(one.stdout))
    if (!('layers' in report)) throw new Error('not one model')
    expect(report.layers.map((l) => l.layer)).toEqual([0, 1, 2, 3])
    expect(Object.keys(report.layers[0]!)).toEqual(['layer', 'l2', 'cosine'])
    expect(report.heads).toHaveLength(16)
    const two = await albertkit(['layers', ZH_NEWS, ZH_NEWS, '--golden', golden, '--json'])
    const both = layersSchema.parse(JSON.parse(two.stdout))
    if (!('models' in both)) throw new Error('not several models')
    expect(both.models.map((m) => m.model)).toEqual(['zh-news', 'zh-news (2)'])
    expect(both.models[1]?.layers).toEqual(report.layers)
  })

  it('prints tables, CSV and Markdown, draws and writes a page', async () => {
    const [text, csv, markdown] = await Promise.all(
      [[], ['--csv'], ['--markdown']].map((form) => albertkit(['layers', ZH_NEWS, '--golden', golden, ...form])),
    )
    expect(text!.stdout).toMatch(/^layer +L2 +cosine$/m)
    expect(text!.stdout).toContain('entropy (nats)')
    expect(csv!.stdout.split('\r\n')[0]).toBe('model,layer,inner,head,l2,cosine,entropy,normalised,norm')
    expect(csv!.stdout.split('\r\n')).toHaveLength(1 + 4 + 16 + 1)
    expect(markdown!.stdout).toContain('| layer | L2 | cosine |')
    const svg = join(folder, 'a.svg')
    const page = join(folder, 'page')
    const drawn = await albertkit(['layers', ZH_NEWS, '--golden', golden, '--svg', svg, '--report', page])
    expect(drawn.stderr.trim().split('\n')).toEqual(
      [svg, join(folder, 'a-heads.svg'), join(page, 'index.html')].map((file) => `wrote ${file}`),
    )
    expect(readFileSync(svg, 'utf8')).toContain('cosine similarity')
    expect(readFileSync(join(page, 'index.html'), 'utf8')).toContain('attention heads')
  })

  it('names its own flags in notes of tables, wherever they are shown', async () => {
    const page = join(folder, 'flags')
    const markdown = await albertkit(['layers', ZH_NEWS, '--output-format', 'markdown', '--report', page])
    for (const shown of [markdown.stdout, readFileSync(join(page, 'index.html'), 'utf8')]) {
      expect(shown).toContain('--text gives your own')
      expect(shown).not.toContain('`text`')
    }
  })

  it('reports what does not fit', async () => {
    const other = join(folder, 'small')
    await writeRandomModel(other, 'bert', {
      layers: 1,
      groups: 1,
      inner: 1,
      hidden: 16,
      embedding: 16,
      intermediate: 32,
      sharing: 'none',
      preNorm: false,
      act: 'relu',
      heads: [],
      pooler: false,
    })
    const cases = [
      [[other, '--golden', golden], 3, 'but the model has ids from 0 to 36'],
      [[other, '--text', join(ZH_NEWS, 'test.tsv')], 2, 'there is no vocabulary beside the model'],
      [[ZH_NEWS, '--text', join(folder, 'none.txt')], 2, 'cannot be read'],
      [[ZH_NEWS, '--text', 'a', '--golden', 'b'], 2, 'cannot also be provided'],
      [[], 2, 'MODEL'],
    ] as const
    for (const [args, code, words] of cases) {
      const result = await albertkit(['layers', ...args])
      expect([result.code, result.stdout]).toEqual([code, ''])
      expect(result.stderr).toContain(words)
    }
  })
})

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkDirectory } from '../../../src/api/check/check.js'
import { cardText, inMarkdown, isOwnCard } from '../../../src/api/convert/card.js'
import { convertModel } from '../../../src/api/convert/convert.js'
import { openModel } from '../../../src/api/open/open.js'
import { readLabels } from '../../../src/api/labels.js'
import type { Manifest } from '../../../src/export/manifest.js'
import { ZH_NEWS } from '../../helpers/shared.js'

let folder: string
let out: string
let card: string
let manifest: Manifest

const textOf = (): string => readFileSync(join(out, 'README.md'), 'utf8')
const manifestOf = (): Manifest => JSON.parse(readFileSync(join(out, 'albertkit.json'), 'utf8')) as Manifest

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-card-'))
  out = join(folder, 'out')
  const report = await convertModel(ZH_NEWS, out, { targets: ['onnx:f32,int8'], card: true, minAgreement: 0.5 })
  expect(report.ok).toBe(true)
  card = textOf()
  manifest = manifestOf()
}, 300_000)

afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** Rows of the table below a heading. */
function rowsOf(text: string, heading: string): string[][] {
  const part = text.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const lines = part.split('\n').filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  )
}

describe('a model card', () => {
  it('has the fields of the hub, the licence left to the user', () => {
    const [, head = ''] = card.split('---\n')
    const lines = head.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^license: #/)
    expect(lines.slice(1)).toEqual([
      'library_name: transformers.js',
      'pipeline_tag: text-classification',
      'tags:',
      '  - albert',
      '  - onnx',
      '  - albertkit',
    ])
  })

  it('says what the manifest says: labels, files, precisions, parity, source', async () => {
    using opened = await openModel(ZH_NEWS)
    const labels = readLabels(opened) ?? []
    expect(labels.length).toBeGreaterThan(1)
    expect(rowsOf(card, 'Labels')).toEqual(labels.map((label, id) => [String(id), inMarkdown(label)]))
    const files = Object.values(manifest.artefacts).flatMap((artefact) => artefact.files)
    expect(rowsOf(card, 'Files').map((row) => [row[2], row[3]])).toEqual(
      files.map(({ name, bytes }) => [`\`${name}\``, bytes!.toLocaleString('en-US')]),
    )
    const gate = manifest.artefacts['onnx-int8']!.gate as { readonly agreement: number; readonly rows: number }
    expect(rowsOf(card, 'Precision')).toEqual([
      [
        'ONNX',
        'int8',
        manifest.artefacts['onnx-int8']!.weightBytes.toLocaleString('en-US'),
        expect.stringContaining(`${(100 * gate.agreement).toFixed(2)} %, ${gate.rows} rows`) as string,
        'not measured',
      ],
    ])
    const { comparisons } = manifest.artefacts.onnx!.verification as {
      readonly comparisons: readonly { readonly output: string; readonly rows?: string; readonly maxAbs: number }[]
    }
    const logits = comparisons.filter((c) => c.output === 'logits' && c.rows === undefined).map((c) => c.maxAbs)
    const row = rowsOf(card, 'Parity').find(([, dtype, , output]) => dtype === 'f32' && output === '`logits`')!
    expect(row[4]).toBe(Math.max(...logits).toExponential(1))
    expect(Number(row[4])).toBeLessThan(Number(row[5]))
    expect(rowsOf(card, 'Source').map(([name]) => name)).toContain('`model.ckpt.index`')
  })

  it('stands in the manifest without a hash, and may be edited', async () => {
    expect(manifest.files).toContainEqual({ name: 'README.md' })
    writeFileSync(
      join(out, 'README.md'),
      card.replace(/^license:.*$/m, 'license: mit').replace(/^What the.*$/m, 'Mine.'),
    )
    const checked = await checkDirectory(out)
    expect(checked.ok).toBe(true)
    expect(checked.files.find(({ name }) => name === 'README.md')).toMatchObject({ status: 'unhashed' })
    using opened = await openModel(join(out, 'onnx', 'model.onnx'))
    expect(opened.notes.join()).not.toContain('README')
  })

  it("keeps the user's words when its figures are written again", async () => {
    await convertModel(ZH_NEWS, out, { targets: ['tf'], card: true, force: true, verify: false })
    const text = textOf()
    const own = manifestOf().artefacts.tf!
    expect(text).toMatch(/^---\nlicense: mit\n/)
    expect(text).toContain('\nMine.\n')
    expect(rowsOf(text, 'Files').map(([format]) => format)).toEqual([
      'ONNX',
      'ONNX',
      ...own.files.map(() => 'TensorFlow checkpoint'),
    ])
    expect(text).toContain('Not verified: tf.')
    expect((await checkDirectory(out)).ok).toBe(true)
  }, 300_000)

  it('never replaces a README of somebody else', async () => {
    const other = join(folder, 'other')
    await convertModel(ZH_NEWS, other, { targets: ['tf'], verify: false })
    expect(existsSync(join(other, 'README.md'))).toBe(false)
    writeFileSync(join(other, 'README.md'), '# mine\n')
    const again = convertModel(ZH_NEWS, other, { targets: ['tf'], verify: false, force: true, card: true })
    await expect(again).rejects.toMatchObject({ code: 'output-exists', kind: 'output' })
    expect(readFileSync(join(other, 'README.md'), 'utf8')).toBe('# mine\n')
  }, 300_000)

  it('shows names of a model as text, whatever they are', () => {
    const labels = [
      '<script>x</script>',
      'a|b',
      '`c`',
      '# d',
      '[e](http://f)',
      '\u001b[31mg\nh',
      '<!-- albertkit: end -->',
    ]
    const text = cardText(manifest, { labels, parameters: 1 }, null)
    expect(rowsOf(text, 'Labels')).toHaveLength(labels.length)
    expect(text).not.toMatch(/<script>|\u001b|\[e\]\(/)
    expect(isOwnCard(text)).toBe(true)
    expect(cardText(manifest, { labels: ['new'], parameters: 1 }, text)).not.toContain('script')
    expect(inMarkdown('a_b*c')).toBe('a\\_b\\*c')
  })
})

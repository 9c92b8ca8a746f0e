import { readdirSync, readFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { describe, expect, it } from 'vitest'
import { gpuReportSchema } from '../../src/schemas/doctor.js'
import { gpuDocument } from '../../scripts/gpu-document.js'

// docs/gpu.md says of machines what their reports say.

const FOLDER = 'docs/gpu-reports'
const names = readdirSync(FOLDER)
const texts = names.toSorted().map((name) => readFileSync(`${FOLDER}/${name}`, 'utf8'))

it.each(names)('%s is a report', (name) => {
  const report = JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8')) as unknown
  expect(gpuReportSchema.parse(report)).toMatchObject({ complete: true })
})

describe('docs/gpu.md', () => {
  const document = readFileSync('docs/gpu.md', 'utf8')

  it('has the section of every report (`npm run gpu:docs` makes them)', async () => {
    const options = await resolveConfig('docs/gpu.md')
    expect(await format(gpuDocument(document, texts), { ...options, parser: 'markdown' })).toBe(document)
    expect(texts.length).toBeGreaterThan(0)
    expect(document.match(/^### /gm)).toHaveLength(texts.length)
  })

  it('changes with a report', () => {
    expect(
      gpuDocument(
        document,
        texts.map((text) => text.replaceAll('tfjs-webgpu', 'other')),
      ),
    ).toContain('| other |')
    expect(gpuDocument(document, [])).not.toContain('tfjs-webgpu |')
  })

  it('is not made of a report that has paths of its machine', () => {
    for (const path of ['/home/someone/model', 'C:\\\\Users\\\\someone'])
      expect(() => gpuDocument(document, [texts[0]!.replace('"reason": null', `"reason": "no ${path}"`)])).toThrow(
        'path of its machine',
      )
  })
})

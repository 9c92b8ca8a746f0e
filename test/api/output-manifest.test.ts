import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { ExistingOutput } from '../../src/api/convert/existing.js'
import { writeText } from '../../src/files/output-file.js'
import { readManifest } from '../../src/api/output-manifest.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-manifest-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

it.each([
  null,
  [],
  { artefacts: null },
  { artefacts: { onnx: {} } },
  { artefacts: { onnx: { task: 'classify', files: [null] } } },
])('a manifest of another form is none: %j', (value) => {
  writeFileSync(join(folder, 'albertkit.json'), JSON.stringify(value))
  expect(readManifest(folder)).toBeNull()
  expect(ExistingOutput.read(folder).filesAfter([])).toEqual([])
  expect(ExistingOutput.read(folder).replacedFiles([])).toEqual(new Set())
})

it('what a manifest holds besides is kept', () => {
  const value = {
    artefacts: { onnx: { task: 'classify', files: [{ name: 'a', bytes: 1 }], dtype: 'f16' } },
    config: {},
  }
  writeFileSync(join(folder, 'albertkit.json'), JSON.stringify(value))
  expect(readManifest(folder)).toEqual(value)
  expect(ExistingOutput.read(folder).filesAfter([])).toEqual(['a'])
})

it.skipIf(!existsSync('/dev/full'))('a disk that is full is an error of the output', () => {
  expect(() => {
    writeText('/dev/full', 'text')
  }).toThrow(expect.objectContaining({ kind: 'output', place: { file: '/dev/full' } }))
})

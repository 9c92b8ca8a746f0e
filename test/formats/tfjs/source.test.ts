import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { disk } from '../../../src/files/disk.js'
import { openTfjsWeights } from '../../../src/formats/tfjs/source.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-tfjs-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

it.each([
  ['[]', 'not a JSON object'],
  ['{}', 'format is missing or invalid'],
  [
    '{"format":"graph-model","weightsManifest":[{"paths":[1],"weights":[]}]}',
    'weightsManifest.0.paths.0 is missing or invalid',
  ],
])('%s is no model: it says where', (text, said) => {
  const path = join(folder, 'model.json')
  writeFileSync(path, text)
  expect(() => openTfjsWeights(disk, path)).toThrow(`not a tfjs graph model: ${said}`)
})

it('a shard of an impossible name is a damaged file', () => {
  const path = join(folder, 'model.json')
  writeFileSync(path, JSON.stringify({ format: 'graph-model', weightsManifest: [{ paths: ['a\0b'], weights: [] }] }))
  expect(() => openTfjsWeights(disk, path)).toThrow('no file can have this name')
})

import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { missedBudgets } from '../../../src/api/build/budgets.js'
import { InputHashes, whyAgain, type Identity, type KnownHashes } from '../../../src/api/build/identity.js'
import type { ModelBuild } from '../../../src/api/build/model-build.js'
import { readRecord } from '../../../src/api/build/record.js'
import { parseSize } from '../../../src/api/build/size.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-parts-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

it.each([
  [12, 12],
  ['800 B', 800],
  ['20 MB', 20e6],
  ['1.5 GiB', 1.5 * 2 ** 30],
  ['2kB', 2000],
])('%s is %d bytes', (size, bytes) => {
  expect(parseSize(size)).toBe(bytes)
})

describe('what has changed', () => {
  const before: Identity = { albertkit: '1', options: { a: 1 }, inputs: { x: '1', y: '2' }, converted: 'c' }
  it.each([
    [{}, null],
    [{ albertkit: '2' }, 'albertkit 1 → 2'],
    [{ options: { a: 2, b: 1 } }, 'a and b changed in the configuration'],
    [{ inputs: { x: '1', y: '3', z: '1' } }, 'y changed; z is new'],
    [{ inputs: {} }, 'x and y are gone'],
    [{ converted: 'd' }, 'the converted model changed'],
  ])('%j: %s', (more, why) => {
    expect(whyAgain(before, { ...before, ...more })).toBe(why)
  })

  it('a model on a server may have changed', () => {
    const remote = { ...before, inputs: { 'hf:a/b': null } }
    expect(whyAgain(remote, remote)).toContain('on a server')
  })
})

describe('hashes of inputs', () => {
  it('cover the whole folder, without outputs, and see a change that keeps size and time', () => {
    const at = (...names: string[]): string => join(folder, ...names)
    mkdirSync(at('model', 'inner'), { recursive: true })
    mkdirSync(at('model', 'out'))
    for (const name of ['weights', 'inner/vocab', 'out/made']) writeFileSync(at('model', name), 'one')
    const known: KnownHashes = {}
    const hashes = new InputHashes(known, new Set([at('model', 'out')]), folder)
    const first = hashes.source(at('model', 'weights'))
    expect(Object.keys(first)).toEqual(['model/inner/vocab', 'model/weights'])
    const time = new Date(1e12)
    utimesSync(at('model', 'weights'), time, time)
    hashes.source(at('model'))
    writeFileSync(at('model', 'weights'), 'two')
    utimesSync(at('model', 'weights'), time, time)
    expect(hashes.source(at('model'))['model/weights']).not.toBe(first['model/weights'])
  })
})

it('budgets hold for each artefact or for those that are named, and one that nothing measured is missed', () => {
  const figures = { files: [], bytes: 100, maxAbs: null, agreement: null, accuracy: 0.5, f1: null, p50: 3 }
  const missed = (budgets: ModelBuild['budgets']): string[] =>
    missedBudgets({ budgets } as ModelBuild, [
      { ...figures, artefact: 'onnx' },
      { ...figures, artefact: 'tf', accuracy: null, p50: null },
    ])
  expect(missed({ size: 100, accuracy: 0.5, latency: 3 })).toEqual([])
  expect(missed({ size: '99 B' })).toEqual(['size of onnx is 100 bytes, above 99', 'size of tf is 100 bytes, above 99'])
  expect(missed({ accuracy: { onnx: 0.6 } })).toEqual(['accuracy of onnx is 0.5000, below 0.6'])
  expect(missed({ f1: 0.1 })).toEqual(['F1 of onnx was not measured'])
  expect(missed({ latency: { tflite: 1 } })).toEqual(['there is no artefact tflite, which the budgets name'])
})

it('a record that cannot be read is none', () => {
  mkdirSync(join(folder, 'build'))
  writeFileSync(join(folder, 'build', 'x.json'), '{"format": "albertkit-build", "version": 1, "output": 3}')
  expect(readRecord(folder, 'x')).toMatchObject({ output: null, steps: {} })
  expect(readRecord(folder, 'y')).toMatchObject({ output: null, steps: {} })
})

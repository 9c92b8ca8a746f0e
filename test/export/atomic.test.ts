import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { AlbertkitError } from '../../src/errors.js'
import { OutputDirectory } from '../../src/export/atomic.js'
import { runCleanups } from '../../src/interrupt.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-atomic-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

it('appears whole, with the usual permissions, and nothing stays beside it', () => {
  const output = new OutputDirectory(join(folder, 'deep/out'))
  writeFileSync(join(output.staging, 'a'), '1')
  expect(existsSync(join(folder, 'deep/out'))).toBe(false)
  output.commit()
  expect(readdirSync(join(folder, 'deep'))).toEqual(['out'])
  mkdirSync(join(folder, 'usual'))
  expect(statSync(join(folder, 'deep/out')).mode).toBe(statSync(join(folder, 'usual')).mode)
  output.discard()
  expect(existsSync(join(folder, 'deep/out/a'))).toBe(true)
})

it('keeps what was not written anew', () => {
  mkdirSync(join(folder, 'out/onnx'), { recursive: true })
  writeFileSync(join(folder, 'out/onnx/old'), 'old')
  writeFileSync(join(folder, 'out/a'), 'old')
  const output = new OutputDirectory(join(folder, 'out'))
  writeFileSync(join(output.staging, 'a'), 'new')
  output.commit()
  expect(readFileSync(join(folder, 'out/a'), 'utf8')).toBe('new')
  expect(readFileSync(join(folder, 'out/onnx/old'), 'utf8')).toBe('old')
  expect(readdirSync(folder)).toEqual(['out'])
})

it('leaves nothing when it is given up, or interrupted', async () => {
  new OutputDirectory(join(folder, 'out')).discard()
  expect(readdirSync(folder)).toEqual([])
  const output = new OutputDirectory(join(folder, 'out'))
  writeFileSync(join(output.staging, 'a'), '1')
  await runCleanups()
  expect(readdirSync(folder)).toEqual([])
})

it('where nothing can be written, the error says so', () => {
  writeFileSync(join(folder, 'file'), '')
  let error: unknown
  try {
    new OutputDirectory(join(folder, 'file/out'))
  } catch (e) {
    error = e
  }
  expect(error).toBeInstanceOf(AlbertkitError)
  expect((error as AlbertkitError).exitCode).toBe(5)
  expect((error as AlbertkitError).message).toContain('out')
})

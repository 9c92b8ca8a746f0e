import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { AlbertkitError } from '../../src/base/errors.js'
import { OutputDirectory } from '../../src/files/output-directory.js'
import { WholeFile } from '../../src/files/atomic-file.js'
import { runCleanups } from '../../src/base/interrupt.js'
import { temporaryIn } from '../../src/base/temporary-folder.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-atomic-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

it('appears whole, with the usual permissions, and leaves nothing next to it', () => {
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
  const output = new OutputDirectory(join(folder, 'out'), { force: true })
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

it('if nothing can be written, there is a clear error', () => {
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

/** Writes `files` into the output directory, and says what is in it then. */
function write(output: OutputDirectory, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(output.staging, name, '..'), { recursive: true })
    writeFileSync(join(output.staging, name), text)
  }
}
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')

it('a directory that exists stays the same one: through a link, with its mode, as a current directory', () => {
  mkdirSync(join(folder, 'real'))
  chmodSync(join(folder, 'real'), 0o770)
  symlinkSync('real', join(folder, 'link'))
  const { ino } = statSync(join(folder, 'real'))
  const output = new OutputDirectory(join(folder, 'link'), { force: true })
  write(output, { 'tfjs/a': 'new' })
  output.commit()
  expect(statSync(join(folder, 'real'))).toMatchObject({ ino, mode: 0o40770 })
  expect(read('real/tfjs/a')).toBe('new')
  expect(readdirSync(folder).sort()).toEqual(['link', 'real'])
  expect(readdirSync(join(folder, 'real'))).toEqual(['tfjs'])
})

it('in shared folders files are replaced one by one, and what a new form does not have goes', () => {
  mkdirSync(join(folder, 'out/onnx'), { recursive: true })
  for (const name of ['onnx/model.onnx', 'onnx/model.onnx_data', 'onnx/model_int8.onnx', 'albertkit.json'])
    writeFileSync(join(folder, 'out', name), 'old')
  writeFileSync(join(folder, 'mine'), 'mine')
  const output = new OutputDirectory(join(folder, 'out'), { force: true })
  write(output, { 'onnx/model.onnx': 'new', 'albertkit.json': 'new' })
  output.commit(['onnx'], new Set(['onnx/model.onnx', 'onnx/model.onnx_data', '../mine', 'onnx/../../mine']))
  expect(readdirSync(join(folder, 'out/onnx')).sort()).toEqual(['model.onnx', 'model_int8.onnx'])
  expect([read('out/onnx/model.onnx'), read('out/onnx/model_int8.onnx'), read('out/albertkit.json')]).toEqual([
    'new',
    'old',
    'new',
  ])
  expect(read('mine')).toBe('mine')
  expect(readdirSync(join(folder, 'out')).sort()).toEqual(['albertkit.json', 'onnx'])
})

it('of two that write one directory the second is refused, unless it may replace', () => {
  const [first, second, third] = [{}, {}, { force: true }].map((o) => new OutputDirectory(join(folder, 'out'), o))
  for (const output of [first, second, third]) write(output!, { a: output!.staging })
  first!.commit()
  expect(() => {
    second!.commit()
  }).toThrow(/appeared during the conversion/)
  second!.discard()
  expect(read('out/a')).toBe(first!.staging)
  third!.commit()
  expect(read('out/a')).toBe(third!.staging)
  expect(readdirSync(folder)).toEqual(['out'])
})

it('directories that were made for one that never came go with it', () => {
  new OutputDirectory(join(folder, 'a/b/out')).discard()
  expect(readdirSync(folder)).toEqual([])
})

it('no name is not the current directory', () => {
  expect(() => new OutputDirectory('')).toThrow(/has no name/)
})

it('what killed processes left behind goes with the next writing', () => {
  const { pid } = spawnSync(process.execPath, ['--version'])
  const own = temporaryIn(folder)
  const dead = own.replace(`-${process.pid}-`, `-${pid}-`)
  const elsewhere = dead.replace(/albertkit-[0-9a-f]{8}/, 'albertkit-00000000')
  for (const path of [own, dead, elsewhere]) mkdirSync(join(path, 'tfjs'), { recursive: true })
  new OutputDirectory(join(folder, 'out')).discard()
  expect([own, dead, elsewhere].map((path) => existsSync(path))).toEqual([true, false, true])
  writeFileSync(dead, '')
  new WholeFile(join(folder, 'file')).discard()
  expect(existsSync(dead)).toBe(false)
})

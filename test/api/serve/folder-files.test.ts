import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { folderFiles } from '../../../src/api/serve/folder-files.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-folder-'))
const model = join(folder, 'model')
beforeAll(() => {
  mkdirSync(join(model, 'onnx'), { recursive: true })
  mkdirSync(join(model, '.git'))
  mkdirSync(join(model, 'demo'))
  for (const name of ['config.json', 'onnx/model.onnx', '.git/config', '.env', 'demo/old.js'])
    writeFileSync(join(model, name), name)
  writeFileSync(join(folder, 'secret.txt'), 'secret')
  symlinkSync(join(folder, 'secret.txt'), join(model, 'vocab.txt'))
  symlinkSync(join(model, 'config.json'), join(model, 'albert_config.json'))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

it('gives the files of the folder and of the page, nothing hidden and nothing from elsewhere', () => {
  const files = folderFiles(model)
  const own = [...files.keys()].filter((path) => !path.startsWith('demo/'))
  expect(own).toEqual(['albert_config.json', 'config.json', 'onnx/model.onnx'])
  const place = JSON.parse(Buffer.from(files.get('demo/place.json') as Uint8Array).toString()) as object
  expect(place).toEqual({
    name: 'model',
    files: { 'albert_config.json': 11, 'config.json': 11, 'onnx/model.onnx': 15 },
  })
  expect(files.has('demo/index.html')).toBe(true)
  expect(files.has('demo/old.js')).toBe(false)
})

it('gives the runtimes of the formats that are there, and all of them for a model that has none', () => {
  const runtimes = (path: string): string[] => [
    ...new Set([...folderFiles(path).keys()].flatMap((name) => /^demo\/runtimes\/([^/]+)/.exec(name)?.[1] ?? [])),
  ]
  expect(runtimes(model)).toEqual(['ort'])
  rmSync(join(model, 'onnx'), { recursive: true })
  expect(runtimes(model).sort()).toEqual(['litert', 'ort', 'tfjs'])
})

it('refuses what is no folder', () => {
  expect(() => folderFiles(join(folder, 'none'))).toThrow('there is no such directory')
  expect(() => folderFiles(join(folder, 'secret.txt'))).toThrow('there is no such directory')
})

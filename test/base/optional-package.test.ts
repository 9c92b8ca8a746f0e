import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { findPackage, importOptional, installedVersion } from '../../src/base/optional-package.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-optional-'))

function install(name: string, exports: object): void {
  const path = join(folder, 'node_modules', name)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name, version: '1.2.3', type: 'module', ...exports }))
  writeFileSync(join(path, 'index.js'), `export const who = ${JSON.stringify(name)}\n`)
}

beforeAll(() => {
  install('only-there', { main: 'index.js' })
  install('only-import', { exports: { './node': { import: './index.js' } } })
  vi.spyOn(process, 'cwd').mockReturnValue(folder)
})
afterAll(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

const absent = (): Promise<never> =>
  Promise.reject(Object.assign(new Error('no such package'), { code: 'ERR_MODULE_NOT_FOUND' }))

it("a package that albertkit does not have is imported from the user's project, for doctor and for use", async () => {
  expect(installedVersion('only-there')).toBe('1.2.3')
  expect(findPackage('only-there')).toBe(join(folder, 'node_modules/only-there/index.js'))
  expect(await importOptional('only-there', absent, 'this')).toMatchObject({ who: 'only-there' })
  expect(await importOptional('only-import/node', absent, 'this')).toMatchObject({ who: 'only-import' })
})

it('what is in neither place is an error with the command that installs it', async () => {
  expect(installedVersion('in-no-place')).toBeNull()
  await expect(importOptional('in-no-place', absent, 'a queue')).rejects.toMatchObject({
    kind: 'environment',
    code: 'package-missing',
    message: 'a queue needs the optional package in-no-place, which is not installed',
    hint: 'npm install in-no-place',
  })
})

it('what goes wrong inside a package is its own error', async () => {
  const broken = (): Promise<never> => Promise.reject(new Error('broken inside'))
  await expect(importOptional('only-there', broken, 'this')).rejects.toThrow('broken inside')
})

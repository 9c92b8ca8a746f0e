import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../helpers/run.js'

const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
) as Record<string, Record<string, string>>
const INSTALLED = { ...dependencies, ...optionalDependencies, ...peerDependencies }

/** Modules that the build bundles with the packages they import. */
const BUNDLED = /^(vendor|proto)\/|^runtime\/browser\/page/

/** Packages that a module imports when it runs, types left out. */
const packagesOf = (code: string): string[] =>
  [
    ...code.matchAll(/^(?:import|export) (?!type )[^;]*? from '([^.'][^']*)'/gms),
    ...code.matchAll(/(?<!typeof )\bimport\('([^.'][^']*)'\)(?!\.)/g),
  ].map(([, name = '']) => /^(@[^/]+\/)?[^/]+/.exec(name)![0])

it('every package that installed code imports is installed with it', () => {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  const used = files
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts') && !BUNDLED.test(file))
    .flatMap((file) => packagesOf(readFileSync(join(ROOT, 'src', file), 'utf8')).map((name) => ({ file, name })))
    .filter(({ name }) => !name.startsWith('node:') && !builtinModules.includes(name))
  expect(used.length).toBeGreaterThan(20)
  expect(used.filter(({ name }) => INSTALLED[name] === undefined)).toEqual([])
})

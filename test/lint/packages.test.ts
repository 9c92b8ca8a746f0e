import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../helpers/run.js'

const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
) as Record<string, Record<string, string>>
const INSTALLED = { ...dependencies, ...optionalDependencies, ...peerDependencies }

/** Modules that the build bundles with the packages they import. */
const BUNDLED = /^(vendor|proto|web)\/|^runtime\/browser\/page/

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

interface LockedPackage {
  readonly dev?: boolean
  readonly peer?: boolean
  readonly optional?: boolean
  readonly devOptional?: boolean
}

/** Bytes of an installed package, without those that are installed in it. */
function bytesOf(folder: string): number {
  if (!existsSync(folder)) return 0
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules')
    .reduce((sum, entry) => {
      const path = join(folder, entry.name)
      return sum + (entry.isDirectory() ? bytesOf(path) : entry.isFile() ? statSync(path).size : 0)
    }, 0)
}

/**
 * What an installation may bring: each package is code that runs with the user's rights. A new one needs a reason, and a
 * higher number here. Optional ones count for all platforms, their size for this one.
 */
const BUDGET = {
  required: { packages: 65, megabytes: 100 },
  optional: { packages: 150, megabytes: 560 },
}

it.each(Object.keys(BUDGET) as (keyof typeof BUDGET)[])('%s packages stay in their budget', (kind) => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>
  }
  const own = Object.entries(packages).filter(([path, { dev, peer, optional, devOptional }]) => {
    const isOptional = optional === true || devOptional === true
    return path !== '' && dev !== true && peer !== true && isOptional === (kind === 'optional')
  })
  const sizes = own.map(([path]) => bytesOf(join(ROOT, path)) / 1e6)
  const absent = own.filter((_, i) => sizes[i] === 0).map(([path]) => path)
  if (kind === 'required') expect(absent, 'not installed').toEqual([])
  expect(own.length, own.map(([path]) => path).join('\n')).toBeLessThanOrEqual(BUDGET[kind].packages)
  // Far below it, the budget is out of date.
  expect(own.length).toBeGreaterThan(0.8 * BUDGET[kind].packages)
  const sum = sizes.reduce((all, size) => all + size, 0)
  expect(sum).toBeLessThanOrEqual(BUDGET[kind].megabytes)
})

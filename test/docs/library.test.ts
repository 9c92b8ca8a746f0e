import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as library from '../../src/index.js'
import { ROOT } from '../helpers/run.js'

const text = readFileSync(join(ROOT, 'docs/library.md'), 'utf8')
const packages = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, Record<string, string>>

it('the functions of the table are exported', () => {
  const names = [...text.matchAll(/^\|[^|]*\|([^|]*)\|$/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
  )
  expect(names.length).toBeGreaterThan(12)
  expect(names.filter((name) => !(name in library))).toEqual([])
})

it('the optional packages are named for bundlers', () => {
  const optional = [...Object.keys(packages.optionalDependencies!), ...Object.keys(packages.peerDependencies!)]
  const named = (name: string): boolean => text.includes(`\`${name}\``) || name.startsWith('@tensorflow/')
  expect(optional.filter((name) => !named(name))).toEqual([])
})

import { readFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../helpers/run.js'

const PAGE = readFileSync(join(ROOT, 'docs/security.md'), 'utf8')

/** Value of a constant in a source file: a product of whole numbers. */
function valueOf(name: string, file: string): number {
  const text = readFileSync(join(ROOT, 'src', file), 'utf8')
  const [, value = ''] = new RegExp(`^(?:export )?const ${name} = ([\\d_ *]+)$`, 'm').exec(text) ?? []
  return value === '' ? NaN : value.split('*').reduce((n, part) => n * Number(part.trim().replaceAll('_', '')), 1)
}

it('the limits that docs/security.md lists are those of the readers', () => {
  const rows = [...PAGE.matchAll(/^\| [^|]+ \| ([\d,]+) +\| `(\w+)` in `([^`]+)` +\|$/gm)]
  expect(rows.length).toBeGreaterThan(30)
  for (const [, value = '', name = '', file = ''] of rows)
    expect(valueOf(name, file), `${name} in ${file}`).toBe(Number(value.replaceAll(',', '')))
})

it('the tests that docs/security.md names exist', () => {
  const named = [...PAGE.matchAll(/`(test\/[^`]+\.ts)`/g)].map(([, path = '']) => path)
  expect(named.length).toBeGreaterThan(7)
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT } from '../helpers/run.js'

/** Modules of dist/ that a script imports, and those of src/ that they are built from. */
function importsOf(script: string): { module: string; source: string }[] {
  const text = readFileSync(script, 'utf8')
  return [...text.matchAll(/(?:from |import\()'(\.[^']*\/dist\/[^']+)'/g)].map(([, module]) => {
    const path = relative(join(ROOT, 'dist'), join(dirname(script), module!))
    return { module: module!, source: join(ROOT, 'src', path.replace(/\.js$/, '.ts')) }
  })
}

it('scripts import modules that exist', () => {
  const scripts = readdirSync(join(ROOT, 'scripts'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => join(ROOT, 'scripts', name))
  const imports = scripts.flatMap((script) =>
    importsOf(script).map((one) => ({ ...one, script: relative(ROOT, script) })),
  )
  expect(imports.length).toBeGreaterThan(10)
  expect(
    imports.filter(({ source }) => !existsSync(source)).map(({ script, module }) => `${script}: ${module}`),
  ).toEqual([])
})

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../helpers/run.js'

/** Paths of the project that a document names between backticks; `…/name.ts` of a folder counts as its own. */
function pathsIn(document: string): string[] {
  const text = readFileSync(join(ROOT, document), 'utf8')
  return [...text.matchAll(/`((?:src|test|scripts|docs|fixtures|bin)\/[\w./-]*|eslint\.[\w.]+)`/g)].map(
    ([, path]) => path!,
  )
}

describe.each(['docs/architecture.md', 'CONTRIBUTING.md'])('%s', (document) => {
  it('names files and folders that are there', () => {
    const paths = pathsIn(document)
    expect(paths.length).toBeGreaterThan(10)
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })
})

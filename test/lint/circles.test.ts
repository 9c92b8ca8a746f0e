import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, sep } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../helpers/run.js'

/** Relative imports of each module below `folder`, those of types and those at run time included. */
function importGraph(folder: string): Map<string, string[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  return new Map(
    files.map((file) => {
      const name = file.split(sep).join('/')
      const { importedFiles } = ts.preProcessFile(readFileSync(join(folder, file), 'utf8'))
      const relative = importedFiles.map((one) => one.fileName).filter((path) => path.startsWith('.'))
      return [name, relative.map((path) => posix.join(posix.dirname(name), path).replace(/\.js$/, '.ts'))]
    }),
  )
}

/** Circles of imports, each as the path from a module back to itself (depth-first search). */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = []
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) circles.push([...path.slice(path.indexOf(name)), name].join(' → '))
    if (path.includes(name) || done.has(name)) return
    for (const next of graph.get(name) ?? []) visit(next, [...path, name])
    done.add(name)
  }
  for (const name of graph.keys()) visit(name, [])
  return circles
}

describe('imports', () => {
  const graph = importGraph(join(ROOT, 'src'))

  it('name modules that are there', () => {
    const imported = [...new Set([...graph.values()].flat())]
    expect(imported.length).toBeGreaterThan(100)
    expect(imported.filter((name) => !graph.has(name) && !/\.(json|d\.ts)$/.test(name))).toEqual([])
  })

  it('run in no circle', () => {
    expect(circlesIn(graph)).toEqual([])
  })

  it('would be found in a circle', () => {
    const circle = new Map([
      ['a', ['b', 'c']],
      ['b', ['c']],
      ['c', ['d']],
      ['d', ['b']],
    ])
    expect(circlesIn(circle)).toEqual(['b → c → d → b'])
    expect(circlesIn(new Map([['a', ['a']]]))).toEqual(['a → a'])
  })
})

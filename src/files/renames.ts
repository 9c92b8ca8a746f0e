import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { MANIFEST_FILE } from '../base/artefact-layout.js'

/** One renaming, from path to path. */
export type Rename = readonly [from: string, to: string]

/** The entries of `staging`, those of shared folders that the destination has one by one; relative paths. */
function entriesOf(staging: string, destination: string, shared: readonly string[]): string[] {
  return readdirSync(staging).flatMap((name) =>
    shared.includes(name) && existsSync(join(destination, name))
      ? readdirSync(join(staging, name)).map((inner) => `${name}/${inner}`)
      : [name],
  )
}

/**
 * The renamings that put what is in `staging` into `destination`, and what it replaces into `old`. Should the process be
 * killed between two of them, the directory has no manifest, rather than one that says something else than is there.
 */
export function planRenames(
  destination: string,
  staging: string,
  old: string,
  shared: readonly string[],
  replaced: ReadonlySet<string>,
): Rename[] {
  const entries = entriesOf(staging, destination, shared)
  const isWithin = (path: string): boolean => entries.some((entry) => path === entry || path.startsWith(`${entry}/`))
  // What is there is asked, not the manifest that named them: nothing outside the directory is touched.
  const there = [destination, ...shared.map((folder) => join(destination, folder))].flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder).map((name) => relative(destination, join(folder, name)).replaceAll(sep, '/'))
      : [],
  )
  const away = there.filter((path) => replaced.has(path) && !isWithin(path))
  const outOf = (path: string): Rename[] =>
    existsSync(join(destination, path)) ? [[join(destination, path), join(old, path)]] : []
  const into = (path: string): Rename => [join(staging, path), join(destination, path)]
  // The manifest describes the other files: it goes first and comes last.
  const others = entries.filter((entry) => entry !== MANIFEST_FILE)
  return [
    ...outOf(MANIFEST_FILE),
    ...others.flatMap((entry) => [...outOf(entry), into(entry)]),
    ...away.flatMap(outOf),
    ...entries.filter((entry) => entry === MANIFEST_FILE).map(into),
  ]
}

/**
 * Renames all; where one fails, those before it are taken back.
 * @returns what failed, when everything is as it was
 * @throws where it could not be taken back: nothing of it may be removed then
 */
export function applyRenames(moves: readonly Rename[]): { readonly error: unknown } | null {
  const done: Rename[] = []
  try {
    for (const move of moves) {
      const [from, to] = move
      mkdirSync(dirname(to), { recursive: true })
      renameSync(from, to)
      done.push(move)
    }
    return null
  } catch (error) {
    for (const [from, to] of done.reverse()) renameSync(to, from)
    return { error }
  }
}

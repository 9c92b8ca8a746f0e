import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { MANIFEST_FILE } from '../base/artefact-layout.js'

/** One rename, from path to path. */
export type Rename = readonly [from: string, to: string]

/** Lists entries of `staging` as relative paths; folders in `shared` that the destination has are listed by file. */
function entriesOf(staging: string, destination: string, shared: readonly string[]): string[] {
  return readdirSync(staging).flatMap((name) =>
    shared.includes(name) && existsSync(join(destination, name))
      ? readdirSync(join(staging, name)).map((inner) => `${name}/${inner}`)
      : [name],
  )
}

/**
 * Plans the renames that put entries of `staging` into `destination`, and those that they replace into `old`. If the
 * process is killed between two of them, the directory has no manifest, rather than one that contradicts its files.
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
  // The directory is listed rather than the manifest trusted, so that nothing outside the directory is touched.
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
 * Applies all renames; if one fails, those before it are undone.
 * @returns the error of the rename that failed, after all others were undone; null if all succeeded
 * @throws Error if undoing fails: nothing may be removed then
 */
export function applyRenames(renames: readonly Rename[]): { readonly error: unknown } | null {
  const done: Rename[] = []
  try {
    for (const rename of renames) {
      const [from, to] = rename
      mkdirSync(dirname(to), { recursive: true })
      renameSync(from, to)
      done.push(rename)
    }
    return null
  } catch (error) {
    for (const [from, to] of done.reverse()) renameSync(to, from)
    return { error }
  }
}

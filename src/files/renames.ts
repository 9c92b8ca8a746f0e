import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { MANIFEST_FILE } from '../base/artefact-layout.js'
import { outputError } from '../base/errors.js'
import type { Step } from './commit-journal.js'

/** Lists entries of `staging` as relative paths; folders in `shared` that the destination has are listed by file. */
function entriesOf(staging: string, destination: string, shared: readonly string[]): string[] {
  return readdirSync(staging).flatMap((name) =>
    shared.includes(name) && existsSync(join(destination, name))
      ? readdirSync(join(staging, name)).map((inner) => `${name}/${inner}`)
      : [name],
  )
}

/** Files of one folder enter another: neither may be a link, behind which the files of something else lie. */
function refuseLink(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return
  throw outputError('a folder of the output is a symbolic link', {
    code: 'output-failed',
    file: path,
    hint: 'write to the folder that it leads to, or remove the link',
  })
}

/**
 * Plans the steps that put entries of `staging` into `destination`, and move those that they replace out of it. In
 * between, the directory has no manifest, rather than one that contradicts its files.
 * @throws AlbertkitError `output` if a shared folder is a link
 */
export function planRenames(
  destination: string,
  staging: string,
  shared: readonly string[],
  replaced: ReadonlySet<string>,
): Step[] {
  for (const folder of shared) refuseLink(join(destination, folder))
  const entries = entriesOf(staging, destination, shared)
  const isWithin = (path: string): boolean => entries.some((entry) => path === entry || path.startsWith(`${entry}/`))
  // The directory is listed rather than the manifest trusted, so that nothing outside the directory is touched.
  const there = [destination, ...shared.map((folder) => join(destination, folder))].flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder).map((name) => relative(destination, join(folder, name)).replaceAll(sep, '/'))
      : [],
  )
  const away = there.filter((path) => replaced.has(path) && !isWithin(path))
  const outOf = (path: string): Step[] =>
    lstatSync(join(destination, path), { throwIfNoEntry: false }) === undefined ? [] : [{ move: 'out', path }]
  const into = (path: string): Step => ({ move: 'in', path })
  // The manifest describes the other files: it goes first and comes last.
  const others = entries.filter((entry) => entry !== MANIFEST_FILE)
  return [
    ...outOf(MANIFEST_FILE),
    ...others.flatMap((entry) => [...outOf(entry), into(entry)]),
    ...away.flatMap(outOf),
    ...entries.filter((entry) => entry === MANIFEST_FILE).map(into),
  ]
}

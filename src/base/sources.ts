import { AsyncLocalStorage } from 'node:async_hooks'
import { readdirSync, statSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { outputError } from './errors.js'

/**
 * Files that an operation reads: weights, configuration, vocabulary, labels, texts, goldens. None of them may be
 * written by it under any path, not even with `force`.
 */
class SourceSet {
  /** Paths by device and inode. */
  readonly #paths = new Map<string, Set<string>>()

  add(path: string, stats: Stats): void {
    const paths = this.#paths.get(idOf(stats)) ?? new Set()
    this.#paths.set(idOf(stats), paths.add(path))
  }

  /** Path under which the file at `path`, or one in the folder there, was read; null if none was. */
  find(path: string): string | null {
    if (this.#paths.size === 0) return null
    const stats = look(path)
    if (stats?.isFile() === true) return this.#same(stats)
    if (stats?.isDirectory() !== true) return null
    for (const entry of readdirSync(path)) {
      const found = this.find(join(path, entry))
      if (found !== null) return found
    }
    return null
  }

  /** A file that was removed since then has given its inode to another one. */
  #same(stats: Stats): string | null {
    for (const path of this.#paths.get(idOf(stats)) ?? []) {
      const now = look(path)
      if (now !== undefined && idOf(now) === idOf(stats)) return path
    }
    return null
  }
}

const idOf = ({ dev, ino }: Stats): string => `${dev}:${ino}`

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

const scope = new AsyncLocalStorage<SourceSet>()
let ofProcess: SourceSet | null = null

const current = (): SourceSet | null => scope.getStore() ?? ofProcess

/** Begins a new set for the whole process: a command line is one operation, with what its reports write. */
export function beginSources(): void {
  ofProcess = new SourceSet()
}

/** Runs an operation that remembers its sources; within another operation, those are remembered together. */
export const keepSources = <T>(body: () => T): T => (current() === null ? ownSources(body) : body())

/** Runs an operation with a separate set of sources, independent of other operations of the process. */
export const ownSources = <T>(body: () => T): T => scope.run(new SourceSet(), body)

/** Registers a file that is read, if it exists and is a regular file. */
export function addSource(path: string, stats = look(path)): void {
  if (stats?.isFile() === true) current()?.add(path, stats)
}

/**
 * Refuses a path to write, rename or remove if it is a source, by its real path, or a folder that holds one.
 * @throws AlbertkitError `output`
 */
export function refuseSource(path: string): void {
  const source = current()?.find(path) ?? null
  if (source === null) return
  throw outputError(`the output would replace ${source}, which is read`, {
    code: 'output-is-input',
    file: path,
    hint: 'name another path for the output: files of the source are never written, not even with `force`',
  })
}

/** Refuses each of several paths, before anything is computed; those left out are skipped. */
export function refuseSources(paths: readonly (string | undefined)[]): void {
  for (const path of paths) if (path !== undefined) refuseSource(path)
}

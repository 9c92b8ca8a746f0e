import { readdirSync, statSync, type Stats } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { unreadable, usage } from '../../base/errors.js'
import { TEMPORARY } from '../../base/temporary-folder.js'
import { hashFile } from '../../files/hash-file.js'
import { isHubPath, isUrl } from '../../hub/reference.js'
import { homeOf } from '../open/home.js'
import { localPlaceOf } from '../open/place.js'

/** What the result of a step depends on. Two runs of equal identities give the same files and figures. */
export interface Identity {
  readonly albertkit: string
  /** Options by name, as JSON. */
  readonly options: Readonly<Record<string, unknown>>
  /** SHA-256 of each input file, by its path; null of an input that cannot be hashed, which is never up to date. */
  readonly inputs: Readonly<Record<string, string | null>>
  /** SHA-256 of the manifest of the converted directory; null for the conversion itself. */
  readonly converted: string | null
}

/** A hash, and what the file looked like then. */
interface KnownHash {
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
  readonly ino: number
  /** Milliseconds since 1970 at which it was hashed. */
  readonly at: number
  readonly sha256: string
}
export type KnownHashes = Record<string, KnownHash>

/** A file that changed this shortly before it was hashed may change again without showing it, in milliseconds. */
const RACY_MS = 3000
/** Folders below that of a source, and files in them: a model has fewer. */
const [MAX_DEPTH, MAX_FILES] = [6, 20_000]
const LEFT_OUT = new Set(['node_modules', '.git'])

/** Hashes files; those that have not changed since they were last hashed are not read again. */
export class InputHashes {
  /** @param known hashes of earlier runs; filled with those of this one */
  constructor(
    readonly known: KnownHashes,
    /** Absolute paths that are no inputs: outputs, the cache, the configuration. */
    readonly except: ReadonlySet<string>,
    /** Folder that the names of inputs are relative to: that of the configuration. */
    readonly folder: string,
  ) {}

  /** Hashes of files by their names; of none, nothing. */
  files(...paths: readonly (string | undefined)[]): Record<string, string> {
    const given = paths.filter((path) => path !== undefined)
    return Object.fromEntries(given.map((path) => [this.nameOf(path), this.file(path)]))
  }

  /** The path as messages and records have it. */
  nameOf(path: string): string {
    return relative(this.folder, resolve(path)).replaceAll('\\', '/')
  }

  file(path: string): string {
    const stats = look(path)
    const key = resolve(path)
    const before = this.known[key]
    if (before !== undefined && isSame(before, stats) && before.at - stats.ctimeMs > RACY_MS) return before.sha256
    const at = Date.now()
    const { sha256 } = hashFile(path)
    const { size, mtimeMs, ctimeMs, ino } = stats
    this.known[key] = { size, mtimeMs, ctimeMs, ino, at, sha256 }
    return sha256
  }

  /** Hashes of all files of the folder in which a model lies; of a model on a server null. */
  source(source: string): Record<string, string | null> {
    const isNamed = isHubPath(source) || isUrl(source)
    let path: string
    try {
      path = localPlaceOf(source).path
    } catch (error) {
      if (isNamed) return { [source]: null }
      throw error
    }
    const home = homeOf(path)
    const folder = isFolder(home) ? home : dirname(home)
    if (!isFolder(folder)) throw unreadable('the model', source, { code: 'ENOENT' })
    const files = this.#filesIn(folder)
    const name = (file: string): string =>
      isNamed ? `${source}/${relative(folder, file).replaceAll('\\', '/')}` : this.nameOf(file)
    return Object.fromEntries(files.map((file) => [name(file), this.file(file)]))
  }

  #filesIn(folder: string, depth = 0, found: string[] = []): string[] {
    for (const entry of readdirSync(folder).sort()) {
      const path = join(folder, entry)
      if (LEFT_OUT.has(entry) || TEMPORARY.test(entry) || this.except.has(resolve(path))) continue
      const stats = statSync(path, { throwIfNoEntry: false })
      if (stats?.isDirectory() === true && depth < MAX_DEPTH) this.#filesIn(path, depth + 1, found)
      if (stats?.isFile() === true) found.push(path)
      if (found.length > MAX_FILES)
        throw usage(`the folder of the model holds more than ${MAX_FILES} files`, {
          code: 'limit-exceeded',
          file: folder,
          hint: 'give the model a folder of its own: all files of it are inputs of the build',
        })
    }
    return found
  }
}

function look(path: string): Stats {
  try {
    return statSync(path)
  } catch (error) {
    throw unreadable('an input of the build', path, error)
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

const isSame = (a: KnownHash, b: Stats): boolean =>
  a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino

const text = (value: unknown): string => JSON.stringify(value ?? null)

/** Names whose values differ in two records. */
const changed = (a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => text(a[name]) !== text(b[name]))

/** Names in a sentence, the first ones of many. */
function listed(names: readonly string[]): string {
  const [first = '', second = '', ...rest] = names
  if (names.length <= 2) return names.length === 2 ? `${first} and ${second}` : first
  return `${first}, ${second} and ${rest.length} more`
}

/** Why a step that had the identity `before` must be done again, in words; null if nothing has changed. */
export function whyAgain(before: Identity | undefined, now: Identity): string | null {
  if (before === undefined) return 'new'
  const reasons: string[] = []
  if (before.albertkit !== now.albertkit) reasons.push(`albertkit ${before.albertkit} → ${now.albertkit}`)
  const options = changed(before.options, now.options)
  if (options.length > 0) reasons.push(`${listed(options)} changed in the configuration`)
  const inputs = changed(before.inputs, now.inputs)
  const [added, gone] = [inputs.filter((i) => !(i in before.inputs)), inputs.filter((i) => !(i in now.inputs))]
  const other = inputs.filter((i) => i in before.inputs && i in now.inputs)
  if (other.length > 0) reasons.push(`${listed(other)} changed`)
  if (added.length > 0) reasons.push(`${listed(added)} ${added.length === 1 ? 'is' : 'are'} new`)
  if (gone.length > 0) reasons.push(`${listed(gone)} ${gone.length === 1 ? 'is' : 'are'} gone`)
  const remote = Object.entries(now.inputs).flatMap(([name, hash]) => (hash === null ? [name] : []))
  if (reasons.length === 0 && remote.length > 0) reasons.push(`${listed(remote)} is on a server and may have changed`)
  if (reasons.length === 0 && before.converted !== now.converted) reasons.push('the converted model changed')
  return reasons.length === 0 ? null : reasons.join('; ')
}

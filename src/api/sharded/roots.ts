import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { malformed, noDirectory, type AlbertkitError } from '../../base/errors.js'
import { homeOf } from '../open/home.js'

/** Folders of a model's folder that are looked into: artefacts, modules of sentence-transformers. */
const MODEL_DEPTH = 2
/** Entries of a model's folder that are looked at; an honest one has some dozens, Hugging Face's largest some hundreds. */
const MAX_ENTRIES = 10_000

const leaves = (path: string): AlbertkitError =>
  malformed('the job leaves the folders that this worker may use', {
    code: 'path-escapes',
    file: path,
    hint: '`roots` of the worker names the folders of inputs and outputs',
  })

/**
 * Folders that jobs of a queue may read and write. Jobs come from whoever can write to Redis: their paths are resolved
 * through all links before they are compared, and used as they were resolved. Without folders any path is allowed.
 */
export class Roots {
  readonly #folders: readonly string[] | null

  /** @throws AlbertkitError `usage` if a folder does not exist */
  constructor(folders: readonly string[] | undefined) {
    this.#folders =
      folders?.map((folder) => {
        if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw noDirectory(folder)
        return realpathSync(folder)
      }) ?? null
  }

  #check(real: string, asked: string): string {
    const isInside = (folder: string): boolean => {
      const inner = relative(folder, real)
      return inner === '' || (inner !== '..' && !inner.startsWith(`..${sep}`) && resolve(folder, inner) === real)
    }
    if (this.#folders !== null && !this.#folders.some(isInside)) throw leaves(asked)
    return real
  }

  /** Real path of what exists. */
  #existing(path: string): string {
    let real: string
    try {
      real = realpathSync(path)
    } catch (error) {
      // The error must not reveal whether a path outside exists.
      this.#check(this.#prospective(path), path)
      throw malformed('there is no such file or directory', { code: 'file-missing', file: path, cause: error })
    }
    return this.#check(real, path)
  }

  /** Real path that something will have: that of the nearest folder that exists, and the rest. */
  #prospective(path: string): string {
    const whole = resolve(path)
    let folder = whole
    while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
    return join(realpathSync(folder), relative(folder, whole))
  }

  /** @returns the real path of a regular file @throws AlbertkitError `malformed` if it lies elsewhere */
  input(path: string): string {
    const real = this.#existing(path)
    if (statSync(real).isFile()) return real
    throw malformed('not a regular file', { code: 'file-not-regular', file: path })
  }

  /**
   * @param path folder, file or prefix of a checkpoint
   * @returns its real path
   * @throws AlbertkitError `malformed` if it, or a file next to it, is elsewhere
   */
  model(path: string): string {
    const isPrefix = !existsSync(path)
    const real = isPrefix ? join(this.#existing(dirname(path)), basename(path)) : this.#existing(path)
    const isFolder = !isPrefix && statSync(real).isDirectory()
    const home = homeOf(real)
    const folder = isFolder || home !== real ? home : dirname(real)
    if (this.#folders !== null) this.#checkBelow(this.#check(folder, path), MODEL_DEPTH, { left: MAX_ENTRIES })
    return real
  }

  #checkBelow(folder: string, depth: number, entries: { left: number }): void {
    for (const name of readdirSync(folder)) {
      if (--entries.left < 0)
        throw malformed('the folder of the model has too many files', { code: 'limit-exceeded', file: folder })
      const path = join(folder, name)
      // Nothing can be read through a link that leads nowhere.
      if (!existsSync(path)) continue
      const real = this.#existing(path)
      if (depth > 0 && statSync(real).isDirectory()) this.#checkBelow(real, depth - 1, entries)
    }
  }

  /** @returns the real path of a file or folder to write @throws AlbertkitError `malformed` if it lies elsewhere */
  output(path: string): string {
    // The file itself is replaced, even if it is a link; a folder is written into.
    const whole = resolve(path)
    const real = join(this.#prospective(dirname(whole)), basename(whole))
    this.#check(real, path)
    if (existsSync(real)) this.#check(realpathSync(real), path)
    return real
  }
}

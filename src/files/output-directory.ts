import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { interruption } from '../base/abort.js'
import { AlbertkitError, outputError, usage } from '../base/errors.js'
import { onInterrupt } from '../base/interrupt.js'
import { refuseSource } from '../base/sources.js'
import { commitInto, finishCommit, flushTree, newIn, syncTree } from './commit-journal.js'
import { asOutputError, writing } from './output-file.js'
import { removeEmptyFolders } from './parents.js'
import { planRenames } from './renames.js'
import { JOURNAL, removeAbandoned, temporaryIn } from '../base/temporary-folder.js'
import { writes } from './write-port.js'

export interface OutputDirectoryOptions {
  /** Adds to a directory that exists, whether from the start or since the conversion began. */
  readonly force?: boolean
}

/** @throws AlbertkitError `output` if `path` exists and `force` is false */
export function refuseTaken(path: string, force: boolean): void {
  if (force || !existsSync(path)) return
  throw outputError('the output directory exists already', {
    code: 'output-exists',
    file: path,
    hint: 'use `force` to replace its files',
  })
}

/** Creates `folder` and its parents; returns the created ones, innermost first. */
function makeParents(folder: string): string[] {
  const first = writes.makeFolders(folder)
  const made: string[] = []
  if (first === undefined) return made
  for (let at = folder; at.length >= first.length; at = dirname(at)) made.push(at)
  return made
}

/**
 * A directory that appears whole or not at all: everything is written into `staging`, in a hidden directory on the same
 * file system (next to the destination or, if that exists, inside it), and renamed when complete and on the disk. An
 * existing directory keeps its identity, since it may be a mount, the target of a symbolic link or the current
 * directory of a process; a journal makes its new version whole even if the process is killed (commit-journal.ts).
 */
export class OutputDirectory {
  readonly staging: string
  readonly #work: string
  readonly #destination: string
  readonly #force: boolean
  readonly #parents: readonly string[]
  readonly #forget: () => void
  #done = false

  /** @throws AlbertkitError `output` if nothing can be written there, `usage` for an empty path */
  constructor(destination: string, { force = false }: OutputDirectoryOptions = {}) {
    // An empty path, e.g. from an unset shell variable, would resolve to the current directory.
    if (destination === '') throw usage('the output directory has no name', { code: 'option-invalid' })
    const path = resolve(destination)
    this.#force = force
    const exists = existsSync(path)
    this.#destination = exists ? realpathSync(path) : path
    const folder = exists ? this.#destination : dirname(path)
    writing(path, () => {
      finishCommit(folder)
    })
    removeAbandoned(folder)
    this.#parents = writing(path, () => makeParents(folder))
    // Not mkdtemp: its directories are private to the user (mode 0700), and stay so after renaming.
    this.#work = temporaryIn(folder)
    this.staging = newIn(this.#work)
    try {
      writing(path, () => {
        writes.makeFolder(this.#work)
        writes.makeFolder(this.staging)
      })
    } catch (error) {
      this.#sweep()
      removeEmptyFolders(this.#parents)
      throw error
    }
    this.#forget = onInterrupt(() => {
      this.discard()
    })
  }

  /**
   * Brings what was written to the disk, so that `commit` has little to wait for.
   * @throws AlbertkitError `output`, or `interrupted` if it was discarded meanwhile
   */
  async flush(): Promise<void> {
    try {
      await flushTree(this.staging)
    } catch (error) {
      throw this.#done ? interruption(undefined) : asOutputError(error, this.#destination)
    }
    if (this.#done) throw interruption(undefined)
  }

  /**
   * Makes the directory appear. Files of an existing destination that `staging` lacks are kept.
   * @param shared folders whose files are kept one by one; paths relative to the directory
   * @param replaced files that are removed, whether or not new ones take their place
   * @throws AlbertkitError `output`; the destination is then unchanged
   */
  commit(shared: readonly string[] = [], replaced: ReadonlySet<string> = new Set()): void {
    writing(this.#destination, () => {
      if (!existsSync(this.#destination)) this.#appear()
      else if (this.#force) this.#replace(shared, replaced)
      else
        throw outputError('the output directory exists: it appeared during the conversion', {
          code: 'output-exists',
          file: this.#destination,
          hint: 'is another conversion writing there?',
        })
    })
    this.#done = true
    this.#forget()
  }

  #appear(): void {
    syncTree(this.staging)
    writes.rename(this.staging, this.#destination)
    writes.syncPath(dirname(this.#destination))
    this.#sweep()
  }

  #replace(shared: readonly string[], replaced: ReadonlySet<string>): void {
    // The destination may have appeared since: files that enter it must lie within it, as its journal does.
    const work = dirname(this.#work) === this.#destination ? this.#work : temporaryIn(this.#destination)
    if (work !== this.#work) writes.rename(this.#work, work)
    try {
      const steps = planRenames(this.#destination, newIn(work), shared, replaced)
      for (const { path } of steps) refuseSource(join(this.#destination, path))
      commitInto(this.#destination, work, steps)
    } catch (error) {
      // What could not be taken back is finished by the next command, with the files that are there.
      if (!existsSync(join(this.#destination, JOURNAL)) && work !== this.#work) writes.rename(work, this.#work)
      throw error
    }
  }

  #sweep(): void {
    try {
      writes.removeTree(this.#work)
    } catch {
      // Removed later, by the next command that writes here.
    }
  }

  /** Replaces `staging` in an error by the destination, which the user knows. */
  named(error: unknown): unknown {
    return error instanceof AlbertkitError ? error.withPath(this.staging, this.#destination) : error
  }

  /** Removes what was written, unless it was committed. */
  discard(): void {
    if (this.#done) return
    this.#done = true
    this.#forget()
    // An unfinished commit needs its files.
    if (!existsSync(join(this.#destination, JOURNAL))) this.#sweep()
    removeEmptyFolders(this.#parents)
  }
}

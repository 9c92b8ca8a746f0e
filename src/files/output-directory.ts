import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { AlbertkitError, outputError, usage } from '../base/errors.js'
import { onInterrupt } from '../base/interrupt.js'
import { writing } from './output-file.js'
import { applyRenames, planRenames } from './renames.js'
import { removeAbandoned, temporaryIn } from '../base/temporary-folder.js'

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
  const first = mkdirSync(folder, { recursive: true })
  const made: string[] = []
  if (first === undefined) return made
  for (let at = folder; at.length >= first.length; at = dirname(at)) made.push(at)
  return made
}

/**
 * A directory that appears whole or not at all: everything is written into `staging`, a hidden directory on the same
 * file system (beside the destination or, if that exists, inside it), and renamed when complete. An existing directory
 * keeps its identity, since it may be a mount, the target of a symbolic link or the current directory of a process.
 */
export class OutputDirectory {
  readonly staging: string
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
    removeAbandoned(folder)
    const [parents, staging] = writing(path, () => {
      const made = makeParents(folder)
      // Not mkdtemp: its directories are private to the user (mode 0700), and stay so after renaming.
      const name = temporaryIn(folder)
      mkdirSync(name)
      return [made, name] as const
    })
    this.#parents = parents
    this.staging = staging
    this.#forget = onInterrupt(() => {
      this.discard()
    })
  }

  /**
   * Makes the directory appear. Files of an existing destination that `staging` lacks are kept.
   * @param shared folders whose files are kept one by one; paths relative to the directory
   * @param replaced files that are removed, whether or not new ones take their place
   * @throws AlbertkitError `output`; the destination is then unchanged
   */
  commit(shared: readonly string[] = [], replaced: ReadonlySet<string> = new Set()): void {
    writing(this.#destination, () => {
      if (!existsSync(this.#destination)) renameSync(this.staging, this.#destination)
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

  #replace(shared: readonly string[], replaced: ReadonlySet<string>): void {
    const old = `${this.staging}.old`
    mkdirSync(old)
    const failure = applyRenames(planRenames(this.#destination, this.staging, old, shared, replaced))
    rmSync(old, { recursive: true, force: true })
    rmSync(this.staging, { recursive: true, force: true })
    if (failure !== null) throw failure.error
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
    rmSync(this.staging, { recursive: true, force: true })
    for (const parent of this.#parents) {
      try {
        if (readdirSync(parent).length > 0) break
        rmdirSync(parent)
      } catch {
        // Another process removed it first, or writes there.
        break
      }
    }
  }
}

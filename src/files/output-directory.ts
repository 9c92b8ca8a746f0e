import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { AlbertkitError, outputError, usage } from '../base/errors.js'
import { onInterrupt } from '../base/interrupt.js'
import { writing } from './output-file.js'
import { applyRenames, planRenames } from './renames.js'
import { removeAbandoned, temporaryIn } from '../base/temporary-folder.js'

export interface OutputDirectoryOptions {
  /** What is there already is added to, whether it was there before or appears meanwhile. */
  readonly force?: boolean
}

/** The directories above and at `folder` that were made for it, the innermost first. */
function makeParents(folder: string): string[] {
  const first = mkdirSync(folder, { recursive: true })
  const made: string[] = []
  if (first === undefined) return made
  for (let at = folder; at.length >= first.length; at = dirname(at)) made.push(at)
  return made
}

/**
 * A directory that appears whole or not at all: everything is written into `staging`, a hidden directory on the same file
 * system, beside the destination or, where that exists, in it, and moved by renaming when all of it is there. A directory
 * that exists stays the same one: a mount, the target of a symbolic link, somebody's current directory.
 */
export class OutputDirectory {
  readonly staging: string
  readonly #destination: string
  readonly #force: boolean
  readonly #parents: readonly string[]
  readonly #forget: () => void
  #done = false

  /** @throws AlbertkitError `output` where nothing can be written there, `usage` for an empty path */
  constructor(destination: string, { force = false }: OutputDirectoryOptions = {}) {
    // `-o "$OUT"` with nothing in it would be the current directory.
    if (destination === '') throw usage('the output directory has no name')
    const path = resolve(destination)
    this.#force = force
    const exists = existsSync(path)
    this.#destination = exists ? realpathSync(path) : path
    const folder = exists ? this.#destination : dirname(path)
    removeAbandoned(folder)
    const [parents, staging] = writing(path, () => {
      const made = makeParents(folder)
      // Not mkdtemp: what it makes is closed to everybody else, and stays so when it is renamed.
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
   * Makes the directory appear. What an existing destination holds and `staging` does not is kept.
   * @param shared folders whose files are kept one by one; paths relative to the directory
   * @param replaced files that go, whether or not there are new ones in their place
   * @throws AlbertkitError `output`; the destination is then what it was
   */
  commit(shared: readonly string[] = [], replaced: ReadonlySet<string> = new Set()): void {
    writing(this.#destination, () => {
      if (!existsSync(this.#destination)) renameSync(this.staging, this.#destination)
      else if (this.#force) this.#replace(shared, replaced)
      else
        throw outputError('the output directory is there already: it appeared meanwhile', {
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

  /** An error of something in `staging` names the destination, which a person knows. */
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
        // Somebody else was faster, or writes there.
        break
      }
    }
  }
}

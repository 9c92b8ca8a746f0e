import { randomUUID } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { onInterrupt } from '../interrupt.js'
import { writing } from './files.js'

/**
 * A directory that appears whole or not at all: everything is written into `staging`, a hidden directory beside the
 * destination on the same file system, and renamed when all of it is there.
 */
export class OutputDirectory {
  readonly staging: string
  readonly #destination: string
  readonly #forget: () => void
  #done = false

  /** @throws AlbertkitError `output` where nothing can be written beside `destination` */
  constructor(destination: string) {
    this.#destination = resolve(destination)
    const parent = dirname(this.#destination)
    this.staging = writing(this.#destination, () => {
      mkdirSync(parent, { recursive: true })
      // Not mkdtemp: what it makes is closed to everybody else, and stays so when it is renamed.
      const staging = join(parent, `.${basename(this.#destination)}.${randomUUID().slice(0, 8)}`)
      mkdirSync(staging)
      return staging
    })
    this.#forget = onInterrupt(() => {
      this.discard()
    })
  }

  /**
   * Makes the directory appear. What an existing destination holds and `staging` does not is kept.
   * @param shared folders whose files are kept one by one, but for those of `replaced`; paths relative to the directory
   * @throws AlbertkitError `output`; the destination is then what it was
   */
  commit(shared: readonly string[] = [], replaced: ReadonlySet<string> = new Set()): void {
    writing(this.#destination, () => {
      const old = `${this.staging}.old`
      if (existsSync(this.#destination)) {
        this.#keepOthers(shared, replaced)
        renameSync(this.#destination, old)
        try {
          renameSync(this.staging, this.#destination)
        } catch (error) {
          renameSync(old, this.#destination)
          throw error
        }
        rmSync(old, { recursive: true, force: true })
      } else renameSync(this.staging, this.#destination)
    })
    this.#done = true
    this.#forget()
  }

  /** Brings along what was not written anew, so that one rename replaces all. */
  #keepOthers(shared: readonly string[], replaced: ReadonlySet<string>): void {
    const within = shared.filter((folder) => existsSync(join(this.#destination, folder)))
    const inner = within.flatMap((folder) =>
      readdirSync(join(this.#destination, folder)).map((name) => `${folder}/${name}`),
    )
    for (const name of [...readdirSync(this.#destination), ...inner]) {
      const target = join(this.staging, name)
      if (!existsSync(target) && !replaced.has(name))
        cpSync(join(this.#destination, name), target, { recursive: true, preserveTimestamps: true })
    }
  }

  /** Removes what was written, unless it was committed. */
  discard(): void {
    if (this.#done) return
    this.#done = true
    this.#forget()
    rmSync(this.staging, { recursive: true, force: true })
  }
}

import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { interruption } from '../base/abort.js'
import { outputError, usage } from '../base/errors.js'
import { onInterrupt } from '../base/interrupt.js'
import { refuseSource } from '../base/sources.js'
import { asOutputError, makeFolders, OutputFile, tidy, writing } from './output-file.js'
import { writes } from './write-port.js'
import { removeAbandoned, temporaryIn } from '../base/temporary-folder.js'

/**
 * Checks the path of a file before anything is computed.
 * @throws AlbertkitError `output` if `path` exists and `force` is false, if it is not a regular file, or if it is read
 */
export function refuseExisting(path: string, force: boolean): void {
  const there = statSync(path, { throwIfNoEntry: false })
  if (there === undefined) return
  // `force` never replaces a device or a directory by a file.
  if (!there.isFile())
    throw outputError('the output is not a regular file', {
      code: 'output-failed',
      file: path,
      hint: 'name a file',
    })
  refuseSource(path)
  if (force) return
  throw outputError('the output exists already', { code: 'output-exists', file: path, hint: '`force` replaces it' })
}

/**
 * A file that appears whole or not at all: data is written to a hidden file next to it until `commit`. `discard` does
 * nothing after that, so it may be called in a `finally`.
 */
export class WholeFile {
  readonly #file: OutputFile
  readonly #forget: () => void
  #open = true
  #committed = false

  /** @throws AlbertkitError `output` if no file can be created next to `path`, or if `path` is a source */
  constructor(readonly path: string) {
    refuseSource(path)
    removeAbandoned(dirname(path))
    this.#file = new OutputFile(temporaryIn(dirname(path)))
    this.#forget = onInterrupt(() => {
      this.discard()
    })
  }

  get bytes(): number {
    return this.#file.bytes
  }

  /** @throws AlbertkitError `output`, or `interrupted` if it was discarded meanwhile */
  write(bytes: Uint8Array): void {
    if (!this.#open) throw interruption(undefined)
    this.#file.write(bytes)
  }

  /** Overwrites bytes that were written before. */
  writeAt(offset: number, bytes: Uint8Array): void {
    this.#file.writeAt(offset, bytes)
  }

  /**
   * Brings what was written to the disk, so that `commit` has little to wait for.
   * @throws AlbertkitError `output`, or `interrupted` if it was discarded meanwhile
   */
  async flush(): Promise<void> {
    try {
      await writes.flush(this.#file.path)
    } catch (error) {
      throw this.#open ? asOutputError(error, this.path) : interruption(undefined)
    }
    if (!this.#open) throw interruption(undefined)
  }

  /**
   * Lets the file appear.
   * @param sync false if there is no time to wait for the disk
   * @throws AlbertkitError `output`
   */
  commit({ sync = true }: { readonly sync?: boolean } = {}): void {
    if (sync) this.#file.sync()
    this.#close()
    writing(this.path, () => {
      writes.rename(this.#file.path, this.path)
      if (sync) writes.syncPath(dirname(this.path))
    })
    this.#committed = true
  }

  discard(): void {
    this.#close()
    if (!this.#committed) tidy(this.#file.path)
  }

  #close(): void {
    if (!this.#open) return
    this.#open = false
    this.#forget()
    this.#file.close()
  }
}

/**
 * Writes a file that appears whole or not at all, and creates its directory if that is absent.
 * @throws AlbertkitError `output`
 */
export function writeWhole(path: string, data: string | Uint8Array, force = false): void {
  refuseExisting(path, force)
  makeFolders(dirname(path))
  const file = new WholeFile(path)
  try {
    file.write(typeof data === 'string' ? new TextEncoder().encode(data) : data)
    file.commit()
  } finally {
    file.discard()
  }
}

/** True if two paths name one file. */
function isSameFile(a: string, b: string): boolean {
  if (resolve(a) === resolve(b)) return true
  const [x, y] = [statSync(a, { throwIfNoEntry: false }), statSync(b, { throwIfNoEntry: false })]
  return x?.isFile() === true && y?.isFile() === true && x.dev === y.dev && x.ino === y.ino
}

/**
 * Checks, before anything is written, that no two files of a command are the same.
 * @param files paths by their role in messages, e.g. `the output`; undefined and `-` are skipped
 * @throws AlbertkitError `usage`
 */
export function refuseSame(files: Readonly<Record<string, string | undefined>>): void {
  const named = Object.entries(files).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '-',
  )
  named.forEach(([what, file], i) => {
    const other = named.slice(0, i).find(([, before]) => isSameFile(before, file))
    if (other !== undefined) throw usage(`${what} is ${other[0]}: name another file`, { code: 'output-is-input', file })
  })
}

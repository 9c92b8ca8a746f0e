import { closeSync, constants, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import type { AlbertkitError } from '../../base/errors.js'
import { environment, malformed } from '../../base/errors.js'

// Opening a named pipe otherwise waits for its other end, and no signal ends that. Windows has no such flag.
const NO_WAITING = (constants.O_NONBLOCK as number | undefined) ?? 0

/** A read-only file of known size, read by ranges, synchronously: the fastest way there is in Node. */
export class RangedFile {
  readonly path: string
  readonly size: number
  #descriptor: number | null

  /** @throws AlbertkitError `malformed` where there is no such file, `environment` where it may not be read */
  constructor(path: string) {
    this.path = path
    try {
      this.#descriptor = openSync(path, constants.O_RDONLY | NO_WAITING)
    } catch (error) {
      throw fileError(error, path)
    }
    const stat = fstatSync(this.#descriptor)
    if (!stat.isFile()) {
      this.close()
      throw malformed('not a regular file', { file: path })
    }
    this.size = stat.size
  }

  /**
   * Fills `target` with the bytes from `offset` on.
   * @throws AlbertkitError `malformed` where the file ends before
   */
  read(offset: number, target: Uint8Array): void {
    if (this.#descriptor === null) throw new RangeError(`${this.path} is closed`)
    let done = 0
    while (done < target.length) {
      let n: number
      try {
        n = readSync(this.#descriptor, target, done, target.length - done, offset + done)
      } catch (error) {
        throw fileError(error, this.path)
      }
      if (n === 0) {
        throw malformed(`the file ends at byte ${this.size}, but ${target.length} bytes from ${offset} are asked for`, {
          file: this.path,
          offset,
          hint: 'the file is truncated: fetch it again',
        })
      }
      done += n
    }
  }

  /** A fresh copy of a range; the caller has checked that its length is sane. */
  bytes(offset: number, length: number): Uint8Array {
    const target = new Uint8Array(length)
    this.read(offset, target)
    return target
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor)
    this.#descriptor = null
  }
}

/**
 * Refuses what is neither a file nor a directory before it is opened: opening a pipe that nobody writes to never ends, and
 * a device has no ranges. What is absent is left to whoever opens it.
 * @throws AlbertkitError `malformed`
 */
export function refuseSpecial(path: string): void {
  let stat
  try {
    stat = statSync(path)
  } catch {
    return
  }
  if (stat.isFile() || stat.isDirectory()) return
  const what = stat.isFIFO() ? 'a pipe' : stat.isSocket() ? 'a socket' : 'a device'
  throw malformed('not a regular file', {
    file: path,
    hint: `it is ${what}, and models are read by ranges: save it to a file and give that`,
  })
}

/** The text of a file; null where it is longer than `maxBytes`. @throws AlbertkitError `malformed`, `environment` */
export function readTextUpTo(path: string, maxBytes: number): string | null {
  refuseSpecial(path)
  try {
    return statSync(path).size > maxBytes ? null : readFileSync(path, 'utf8')
  } catch (error) {
    throw fileError(error, path)
  }
}

/** The text of a file. @throws AlbertkitError `malformed`, `environment` */
export function readText(path: string): string {
  const text = readTextUpTo(path, Infinity) ?? ''
  if (!text.startsWith(LFS_POINTER)) return text
  throw malformed('the file is a Git LFS pointer, not the file itself', {
    code: 'not-a-model',
    file: path,
    hint: 'the repository was cloned without git-lfs: run `git lfs pull` there, or download the file itself',
  })
}

/** The first words of what git leaves in place of a large file. */
export const LFS_POINTER = 'version https://git-lfs'

/** Whether there is a directory at `path`. */
export function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** What the operating system says of a file, in our words. */
export function fileError(error: unknown, file: string): AlbertkitError {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return malformed('there is no such file or directory', { file, cause: error })
  if (code === 'EACCES' || code === 'EPERM') return environment('the file may not be read', { file, cause: error })
  // A path that a damaged file names.
  if (code === 'ERR_INVALID_ARG_VALUE' || code === 'ENAMETOOLONG' || code === 'ELOOP')
    return malformed('there can be no file of this name', { file, cause: error })
  if (code === 'EISDIR') return malformed('a directory where a file is expected', { file, cause: error })
  return environment(`reading failed: ${code}`, { file, cause: error })
}

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
  type BigIntStats,
  type Stats,
} from 'node:fs'
import { sep } from 'node:path'
import { environment, malformed, type AlbertkitError } from '../base/errors.js'
import { addSource } from '../base/sources.js'
import type { FilePort, FileStat, OpenFile } from '../formats/core/file-port.js'
import { brokenLink } from '../formats/core/file.js'
import { settle } from './settle.js'

// Opening a named pipe otherwise blocks until its other end is opened, and no signal interrupts that. Windows lacks the
// flag.
const NO_WAITING = (constants.O_NONBLOCK as number | undefined) ?? 0

/** True if there is a link at `path`, wherever it leads. */
function isLink(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
  } catch {
    return false
  }
}

/** Converts an error of the operating system into an AlbertkitError. */
export function fileError(error: unknown, file: string): AlbertkitError {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if ((code === 'ENOENT' || code === 'ELOOP') && isLink(file)) return brokenLink(file, error)
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return malformed('there is no such file or directory', { code: 'file-missing', file, cause: error })
  if (code === 'EACCES' || code === 'EPERM')
    return environment('the file may not be read', { code: 'permission-denied', file, cause: error })
  // Such paths come from damaged files.
  if (code === 'ERR_INVALID_ARG_VALUE' || code === 'ENAMETOOLONG' || code === 'ELOOP')
    return malformed('no file can have this name', { code: 'file-missing', file, cause: error })
  if (code === 'EISDIR')
    return malformed('a directory where a file is expected', { code: 'file-not-regular', file, cause: error })
  return environment(`reading failed: ${code}`, { code: 'file-unreadable', file, cause: error })
}

/** Runs `body`; rethrows an error of the operating system as an AlbertkitError about `path`. */
function asking<T>(path: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw fileError(error, path)
  }
}

/** Opens a file, pipe or device at `path` without blocking. @throws AlbertkitError */
export const openReadable = (path: string): number =>
  asking(path, () => openSync(path, constants.O_RDONLY | NO_WAITING))

function kindOf(stats: Stats): FileStat['kind'] {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isFIFO()) return 'pipe'
  return stats.isSocket() ? 'socket' : 'device'
}

/**
 * A file on disk, read by plain synchronous calls, which are the fastest in Node. Readers verify bytes in one pass and
 * use them in another: a file that is changed or replaced meanwhile is refused.
 */
class DiskFile implements OpenFile {
  readonly size: number
  readonly #opened: BigIntStats
  #descriptor: number | null

  constructor(readonly path: string) {
    this.#descriptor = openReadable(path)
    const stats = fstatSync(this.#descriptor)
    if (!stats.isFile()) {
      this.close()
      throw malformed('not a regular file', { code: 'file-not-regular', file: path })
    }
    this.size = stats.size
    this.#opened = fstatSync(this.#descriptor, { bigint: true })
    addSource(path, stats)
  }

  read(offset: number, target: Uint8Array): number {
    if (this.#descriptor === null) throw new RangeError(`${this.path} is closed`)
    let length: number
    let now: BigIntStats
    try {
      length = readSync(this.#descriptor, target, 0, target.length, offset)
      now = fstatSync(this.#descriptor, { bigint: true })
    } catch (error) {
      throw fileError(error, this.path)
    }
    const { size, mtimeNs, ctimeNs } = this.#opened
    if (now.size !== size || now.mtimeNs !== mtimeNs || now.ctimeNs !== ctimeNs)
      throw malformed('the file was changed while it was read', {
        code: 'file-changed',
        file: this.path,
        hint: 'wait until it is written, and try again',
      })
    return length
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor)
    this.#descriptor = null
  }
}

/** Files of the local file system. */
export const disk: FilePort = {
  stat(path) {
    settle(path)
    let stats: Stats | undefined
    try {
      stats = statSync(path, { throwIfNoEntry: false })
    } catch {
      // A circle of links is a link that leads nowhere; what may not be looked at is not there.
    }
    if (stats === undefined) return isLink(path) ? { kind: 'broken link', size: 0 } : null
    const kind = kindOf(stats)
    return { kind, size: kind === 'file' ? stats.size : 0 }
  },
  list(path) {
    settle(path)
    return asking(path, () => readdirSync(path))
  },
  open(path) {
    settle(path)
    return new DiskFile(path)
  },
  realPath(path) {
    try {
      return diskPath(realpathSync(path))
    } catch {
      return null
    }
  },
}

/** Converts a path of the operating system into one of `disk`, which separates by `/`. */
export const diskPath = (path: string): string => (sep === '/' ? path : path.replaceAll(sep, '/'))

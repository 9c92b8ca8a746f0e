import { AlbertkitError, outputError } from '../base/errors.js'
import { utf8Bytes } from '../base/bytes.js'
import { writes } from './write-port.js'

/** Message and remedy of the common system errors of writing, by their codes. */
const REMEDIES: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOSPC: ['no space left on the device', 'free some space or write somewhere else'],
  EDQUOT: ['the disk quota is used up', 'free some space or write somewhere else'],
  EACCES: ['permission denied', 'write somewhere else'],
  EPERM: ['permission denied', 'write somewhere else'],
  EROFS: ['the file system is read-only', 'write somewhere else'],
  EEXIST: ['a file is in the way', 'check the path of the output'],
  ENOTDIR: ['a part of the path is not a directory', 'check the path of the output'],
  ENOENT: ['a folder of the path does not exist', 'check the path of the output'],
  ENAMETOOLONG: ['the name is too long', 'check the path of the output'],
  EMFILE: ['too many files are open', 'raise the limit of open files (ulimit -n)'],
  ENFILE: ['too many files are open on this system', 'close other programs, or raise the limit'],
  EIO: ['the device reports an error', 'write somewhere else'],
  EFBIG: ['the file system does not take files this large', 'write somewhere else'],
}

/** Name of standard output in messages. */
export const STANDARD_OUTPUT = 'standard output'

/** Converts an error of writing `path` into an `output` error; an AlbertkitError is returned unchanged. */
export function asOutputError(error: unknown, path: string): AlbertkitError {
  if (error instanceof AlbertkitError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const [what, hint] = REMEDIES[code] ?? [error instanceof Error ? error.message : String(error), undefined]
  return outputError(`${path} could not be written: ${what}`, {
    code: 'output-failed',
    file: path,
    cause: error,
    // The hints suggest another path, which standard output does not have.
    ...(hint === undefined || path === STANDARD_OUTPUT ? {} : { hint }),
  })
}

/** Runs `body`; rethrows any error as an `output` error for `path`. */
export function writing<T>(path: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw asOutputError(error, path)
  }
}

/** Creates a folder and its parents; one that exists is fine. @throws AlbertkitError `output` */
export function makeFolders(path: string): void {
  writing(path, () => writes.makeFolders(path))
}

/** Writes a small text file, replacing an existing one. @throws AlbertkitError `output` */
export const writeText = (path: string, text: string): void => {
  writeBytes(path, utf8Bytes(text))
}

/** Writes a small binary file, replacing an existing one. @throws AlbertkitError `output` */
export function writeBytes(path: string, bytes: Uint8Array): void {
  const file = new OutputFile(path, 'w')
  try {
    file.write(bytes)
  } finally {
    file.close()
  }
}

/** A file that is written from start to end. */
export class OutputFile {
  readonly #descriptor: number
  #bytes = 0

  /**
   * @param flags `w` truncates an existing file (or writes to a device), `a` appends to it
   * @throws AlbertkitError `output`, also if `path` exists and the flag is `wx`
   */
  constructor(
    readonly path: string,
    flags: 'wx' | 'w' | 'a' = 'wx',
  ) {
    this.#descriptor = writing(path, () => writes.open(path, flags))
  }

  get bytes(): number {
    return this.#bytes
  }

  write(bytes: Uint8Array): void {
    this.#put(bytes, null)
    this.#bytes += bytes.length
  }

  /** Overwrites bytes that were written before; the file does not grow. */
  writeAt(offset: number, bytes: Uint8Array): void {
    this.#put(bytes, offset)
  }

  #put(bytes: Uint8Array, offset: number | null): void {
    writing(this.path, () => {
      for (let at = 0; at < bytes.length;)
        at += writes.write(this.#descriptor, bytes.subarray(at), offset === null ? null : offset + at)
    })
  }

  /** Waits until what was written is on the disk. @throws AlbertkitError `output` */
  sync(): void {
    writing(this.path, () => {
      writes.sync(this.#descriptor)
    })
  }

  close(): void {
    writing(this.path, () => {
      writes.close(this.#descriptor)
    })
  }
}

/** Removes what a failed run leaves; the error that made it fail is the one to report. */
export function tidy(...paths: readonly string[]): void {
  for (const path of paths)
    try {
      writes.remove(path)
    } catch {
      // It stays until the next run.
    }
}

/** Cuts a file that is there to its first bytes. @throws AlbertkitError `output` */
export function cutFile(path: string, bytes: number): void {
  writing(path, () => {
    const descriptor = writes.open(path, 'r+')
    try {
      writes.truncate(descriptor, bytes)
    } finally {
      writes.close(descriptor)
    }
  })
}

import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { AlbertkitError, outputError } from '../base/errors.js'

/** What a person can do about the errors of writing that have a remedy. */
const REMEDIES: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOSPC: ['no space left on the device', 'free some space or write somewhere else'],
  EDQUOT: ['the disk quota is used up', 'free some space or write somewhere else'],
  EACCES: ['permission denied', 'write somewhere else'],
  EPERM: ['permission denied', 'write somewhere else'],
  EROFS: ['the file system is read-only', 'write somewhere else'],
  EEXIST: ['a file is in the way', 'check the path of the output'],
  ENOTDIR: ['a part of the path is not a directory', 'check the path of the output'],
  ENAMETOOLONG: ['the name is too long', 'check the path of the output'],
  EFBIG: ['the file system does not take files this large', 'write somewhere else'],
}

/** Name of standard output in messages. */
export const STANDARD_OUTPUT = 'standard output'

/** An error of writing `path` as an `output` error; one that is already typed stays what it is. */
export function asOutputError(error: unknown, path: string): AlbertkitError {
  if (error instanceof AlbertkitError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const [what, hint] = REMEDIES[code] ?? [error instanceof Error ? error.message : String(error), undefined]
  return outputError(`${path} could not be written: ${what}`, {
    file: path,
    cause: error,
    // There is no other place for standard output.
    ...(hint === undefined || path === STANDARD_OUTPUT ? {} : { hint }),
  })
}

/** Runs `body`, whose every failure is one of writing `path`. */
export function writing<T>(path: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw asOutputError(error, path)
  }
}

/** Writes a small file, over one that is there. @throws AlbertkitError `output` */
export const writeText = (path: string, text: string): void => {
  writing(path, () => {
    writeFileSync(path, text)
  })
}

/** Writes a small file of bytes, over one that is there. @throws AlbertkitError `output` */
export const writeBytes = (path: string, bytes: Uint8Array): void => {
  writing(path, () => {
    writeFileSync(path, bytes)
  })
}

/** A file that is written from start to end. */
export class OutputFile {
  readonly #descriptor: number
  #bytes = 0

  /**
   * @param flags `w` empties what is there (or writes to the device that it is), `a` adds to it
   * @throws AlbertkitError `output`, also where `path` exists with `wx`
   */
  constructor(
    readonly path: string,
    flags: 'wx' | 'w' | 'a' = 'wx',
  ) {
    this.#descriptor = writing(path, () => openSync(path, flags))
  }

  get bytes(): number {
    return this.#bytes
  }

  write(bytes: Uint8Array): void {
    writing(this.path, () => {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at, bytes.length - at)
    })
    this.#bytes += bytes.length
  }

  /** Writes over what was written before; the file grows no longer. */
  writeAt(offset: number, bytes: Uint8Array): void {
    writing(this.path, () => {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at, bytes.length - at, offset + at)
    })
  }

  close(): void {
    writing(this.path, () => {
      closeSync(this.#descriptor)
    })
  }
}

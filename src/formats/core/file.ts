import { utf8Text } from '../../base/bytes.js'
import { malformed, type AlbertkitError } from '../../base/errors.js'
import type { FilePort, OpenFile } from './file-port.js'

/** A read-only file of known size, read by ranges. */
export class RangedFile {
  readonly size: number
  readonly #file: OpenFile

  /** @throws AlbertkitError `malformed` if there is no such file, `environment` if it may not be read */
  constructor(
    files: FilePort,
    readonly path: string,
  ) {
    this.#file = files.open(path)
    this.size = this.#file.size
  }

  /**
   * Fills `target` with the bytes from `offset` on.
   * @throws AlbertkitError `malformed` if the file ends early
   */
  read(offset: number, target: Uint8Array): void {
    for (let done = 0; done < target.length;) {
      const n = this.#file.read(offset + done, done === 0 ? target : target.subarray(done))
      if (n === 0) throw this.#ends(offset, target.length)
      done += n
    }
  }

  #ends(offset: number, length: number): Error {
    return malformed(`the file ends at byte ${this.size}, but ${length} bytes from ${offset} are asked for`, {
      code: 'file-truncated',
      file: this.path,
      offset,
      hint: 'the file is truncated: fetch it again',
    })
  }

  /** New array with the bytes of a range; the caller has checked that its length is plausible. */
  bytes(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const target = new Uint8Array(length)
    this.read(offset, target)
    return target
  }

  close(): void {
    this.#file.close()
  }
}

/** Runs `body` with the file open. */
export function withFile<T>(files: FilePort, path: string, body: (file: RangedFile) => T): T {
  const file = new RangedFile(files, path)
  try {
    return body(file)
  } finally {
    file.close()
  }
}

/** The error of a link that leads nowhere, as those of a snapshot that was copied without its blobs. */
export const brokenLink = (file: string, cause?: unknown): AlbertkitError =>
  malformed('the file is a link that leads to no file', {
    code: 'file-missing',
    file,
    hint: 'fetch the file that it leads to, or copy the folder again with its links followed: cp -rL',
    cause,
  })

/**
 * Refuses pipes, sockets and devices before they are opened: opening a pipe without a writer blocks forever, and a
 * device cannot be read by ranges. A missing path is left to the caller's open.
 * @throws AlbertkitError `malformed`
 */
export function refuseSpecial(files: FilePort, path: string): void {
  const kind = files.stat(path)?.kind ?? 'file'
  if (kind === 'file' || kind === 'directory') return
  if (kind === 'broken link') throw brokenLink(path)
  throw malformed('not a regular file', {
    code: 'file-not-regular',
    file: path,
    hint: `it is a ${kind}, and models are read by ranges: save it to a file and give that`,
  })
}

/** All bytes of a file. @throws AlbertkitError `malformed`, `environment` */
export function readBytes(files: FilePort, path: string): Uint8Array<ArrayBuffer> {
  refuseSpecial(files, path)
  return withFile(files, path, (file) => file.bytes(0, file.size))
}

/** The text of a file; null if it is longer than `maxBytes`. @throws AlbertkitError `malformed`, `environment` */
export function readTextUpTo(files: FilePort, path: string, maxBytes: number): string | null {
  refuseSpecial(files, path)
  return withFile(files, path, (file) => (file.size > maxBytes ? null : utf8Text(file.bytes(0, file.size))))
}

/**
 * Bytes of a text that describes a model. Configurations, manifests and labels have kilobytes; the parsed JSON of two
 * bytes takes up to thirty in memory.
 */
const MAX_TEXT_BYTES = 16 * 1024 * 1024

/** Reads a text file next to weights. @throws AlbertkitError `malformed`, `environment` */
export function readText(files: FilePort, path: string): string {
  const text = readTextUpTo(files, path, MAX_TEXT_BYTES)
  if (text === null)
    throw malformed(`the file has more than the ${MAX_TEXT_BYTES} bytes that such a file may have`, {
      code: 'limit-exceeded',
      file: path,
    })
  if (!text.startsWith(LFS_POINTER)) return text
  throw malformed('the file is a Git LFS pointer, not the file itself', {
    code: 'not-a-model',
    file: path,
    hint: 'the repository was cloned without git-lfs: run `git lfs pull` there, or download the file itself',
  })
}

/** First words of the pointer that Git LFS leaves in place of a large file. */
export const LFS_POINTER = 'version https://git-lfs'

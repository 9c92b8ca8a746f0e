import type { OpenFile } from '../core/file-port.js'
import type { TreeFile } from '../core/tree-port.js'

/** Files of an archive by their paths within it, and its folders. */
export interface Members {
  readonly files: ReadonlyMap<string, TreeFile>
  readonly folders: readonly string[]
}

/** Bytes that several readers may read at a time, as a file. */
class MemberFile implements OpenFile {
  #isOpen = true

  constructor(
    readonly size: number,
    readonly readBytes: (offset: number, target: Uint8Array) => number,
  ) {}

  read(offset: number, target: Uint8Array): number {
    if (!this.#isOpen) throw new RangeError('the file is closed')
    return this.readBytes(offset, target)
  }

  close(): void {
    this.#isOpen = false
  }
}

/**
 * A file of an archive.
 * @param reader makes what reads its bytes, once, when they are first asked for under some path
 */
export function member(
  size: number,
  reader: (path: string) => (offset: number, target: Uint8Array) => number,
): TreeFile {
  let read: ((offset: number, target: Uint8Array) => number) | null = null
  return { size, open: (path) => new MemberFile(size, (read ??= reader(path))) }
}

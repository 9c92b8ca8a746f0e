import type { FilePort, OpenFile } from '../formats/core/file-port.js'
import { treeFiles } from '../formats/core/tree-port.js'

class MemoryFile implements OpenFile {
  readonly size: number
  #bytes: Uint8Array | null

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.size = bytes.length
  }

  read(offset: number, target: Uint8Array): number {
    if (this.#bytes === null) throw new RangeError('the file is closed')
    const part = this.#bytes.subarray(offset, offset + target.length)
    target.set(part)
    return part.length
  }

  close(): void {
    this.#bytes = null
  }
}

/**
 * Creates a file port over files in memory; folders exist by the paths of the files in them.
 * @param contents path and bytes of each file; the bytes are not copied
 */
export const memoryFiles = (contents: Iterable<readonly [path: string, bytes: Uint8Array]>): FilePort =>
  treeFiles(
    [...contents].map(([path, bytes]) => [path, { size: bytes.length, open: () => new MemoryFile(bytes) }] as const),
  )

import { malformed } from '../base/errors.js'
import type { FilePort, FileStat, OpenFile } from '../formats/core/file-port.js'
import { join } from '../formats/core/paths.js'

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
 * Files that are held in memory, by their paths; folders are there by the files in them.
 * @param contents the bytes of each file, which are not copied
 */
export function memoryFiles(contents: Iterable<readonly [path: string, bytes: Uint8Array]>): FilePort {
  const files = new Map<string, Uint8Array>()
  const folders = new Map<string, Set<string>>([['.', new Set()]])
  for (const [path, bytes] of contents) {
    const whole = join(path)
    files.set(whole, bytes)
    const parts = whole.split('/')
    parts.forEach((name, i) => {
      const folder = join(i === 0 ? '.' : parts.slice(0, i).join('/') || '/')
      const names = folders.get(folder)
      if (names === undefined) folders.set(folder, new Set([name]))
      else names.add(name)
    })
  }
  const stat = (path: string): FileStat | null => {
    const whole = join(path)
    const bytes = files.get(whole)
    if (bytes !== undefined) return { kind: 'file', size: bytes.length }
    return folders.has(whole) ? { kind: 'directory', size: 0 } : null
  }
  const missing = (file: string) => malformed('there is no such file or directory', { code: 'file-missing', file })
  return {
    stat,
    list(path) {
      const names = folders.get(join(path))
      if (names === undefined) throw missing(path)
      return [...names].filter((name) => name !== '')
    },
    open(path) {
      const bytes = files.get(join(path))
      if (bytes !== undefined) return new MemoryFile(bytes)
      if (!folders.has(join(path))) throw missing(path)
      throw malformed('a directory where a file is expected', { code: 'file-not-regular', file: path })
    },
  }
}

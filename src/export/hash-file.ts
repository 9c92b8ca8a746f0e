import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'

export interface FileHash {
  readonly sha256: string
  readonly bytes: number
}

const PIECE = 1024 * 1024
let buffer: Uint8Array | null = null

/** Hashes a file in pieces. */
export function hashFile(path: string): FileHash {
  const descriptor = openSync(path, 'r')
  try {
    const hash = createHash('sha256')
    // One buffer for all files: a fresh one for each would pile up until the collector comes.
    buffer ??= new Uint8Array(PIECE)
    let bytes = 0
    for (;;) {
      const n = readSync(descriptor, buffer, 0, PIECE, null)
      if (n === 0) return { sha256: hash.digest('hex'), bytes }
      hash.update(buffer.subarray(0, n))
      bytes += n
    }
  } finally {
    closeSync(descriptor)
  }
}

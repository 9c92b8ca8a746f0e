import { createHash, type Hash } from 'node:crypto'
import { closeSync, readSync } from 'node:fs'
import type { FilePort } from '../formats/core/file-port.js'
import { RangedFile, withFile } from '../formats/core/file.js'
import { openReadable } from './disk.js'
import { Turns } from '../base/yield.js'

export interface FileHash {
  readonly sha256: string
  readonly bytes: number
}

const PIECE = 1024 * 1024
let buffer: Uint8Array | null = null

/** Time between two checks whether a file has grown, in milliseconds. */
const WAIT_MS = 2

const start = (file: RangedFile) => ({
  hash: createHash('sha256'),
  piece: new Uint8Array(Math.min(PIECE, file.size)),
})

/** Adds the piece of a file that begins at `at`. */
function update(hash: Hash, file: RangedFile, at: number, piece: Uint8Array): void {
  const part = piece.subarray(0, Math.min(piece.length, file.size - at))
  file.read(at, part)
  hash.update(part)
}

/**
 * Hashes a file in pieces.
 * @param complete for a file that is still being written: a flag that becomes 1 when it is complete. Bytes already
 *   written are hashed at once.
 * @throws AlbertkitError if it cannot be opened
 */
export function hashFile(path: string, complete: Int32Array | null = null): FileHash {
  const descriptor = openReadable(path)
  try {
    const hash = createHash('sha256')
    // One buffer for all files: a fresh one for each would pile up until the collector comes.
    buffer ??= new Uint8Array(PIECE)
    let bytes = 0
    for (;;) {
      // Loaded before reading, so that everything written before the flag was set is read.
      const growing = complete !== null && Atomics.load(complete, 0) === 0
      const n = readSync(descriptor, buffer, 0, PIECE, null)
      if (n === 0 && !growing) return { sha256: hash.digest('hex'), bytes }
      if (n === 0 && growing) Atomics.wait(complete, 0, 0, WAIT_MS)
      hash.update(buffer.subarray(0, n))
      bytes += n
    }
  } finally {
    closeSync(descriptor)
  }
}

/** Hashes a file of a port in pieces, while signals are handled. @throws AlbertkitError if it cannot be read */
export async function hashInTurns(files: FilePort, path: string): Promise<FileHash> {
  const turns = new Turns()
  const file = new RangedFile(files, path)
  try {
    const { hash, piece } = start(file)
    for (let at = 0; at < file.size; at += piece.length) {
      update(hash, file, at, piece)
      await turns.next()
    }
    return { sha256: hash.digest('hex'), bytes: file.size }
  } finally {
    file.close()
  }
}

/** Hashes a file of a port in pieces. @throws AlbertkitError if it cannot be read */
export const hashThrough = (files: FilePort, path: string): FileHash =>
  withFile(files, path, (file) => {
    const { hash, piece } = start(file)
    for (let at = 0; at < file.size; at += piece.length) update(hash, file, at, piece)
    return { sha256: hash.digest('hex'), bytes: file.size }
  })

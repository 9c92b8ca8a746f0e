import { Readable } from 'node:stream'
import { malformed } from '../../base/errors.js'
import type { RangedFile } from '../core/file.js'

type Yauzl = typeof import('yauzl')
type YauzlFile = import('yauzl').ZipFile

/** Bytes of an entry that are read at a time. */
const PIECE = 256 * 1024

/**
 * Opens a zip archive for yauzl through our own reads: what its directory says of places is checked against the size of
 * the file first (yauzl hands any number to the operating system, outside of every handler). The file stays open.
 * @throws Error of yauzl, or AlbertkitError `malformed` where the archive points outside of itself
 */
export async function openZip(file: RangedFile, options: { readonly decodeStrings: boolean }): Promise<YauzlFile> {
  const yauzl: Yauzl = (await import('yauzl')).default
  const check = (position: number, length: number): void => {
    if (Number.isSafeInteger(position) && position >= 0 && position + length <= file.size) return
    throw malformed(`the zip archive points to byte ${position + length}, but the file has ${file.size}`, {
      file: file.path,
      hint: 'the file is damaged or cut off: fetch it again',
    })
  }

  class Reader extends yauzl.RandomAccessReader {
    override _readStreamForRange(start: number, end: number): Readable {
      function* pieces(): Generator<Uint8Array> {
        check(start, end - start)
        for (let at = start; at < end; at += PIECE) yield file.bytes(at, Math.min(PIECE, end - at))
      }
      return Readable.from(pieces())
    }

    override read(
      buffer: Buffer,
      offset: number,
      length: number,
      position: number,
      callback: (error: Error | null) => void,
    ): void {
      let failure: Error | null = null
      try {
        check(position, length)
        file.read(position, buffer.subarray(offset, offset + length))
      } catch (error) {
        failure = error as Error
      }
      setImmediate(callback, failure)
    }
  }
  return yauzl.fromRandomAccessReaderPromise(new Reader(), file.size, {
    autoClose: false,
    lazyEntries: true,
    validateEntrySizes: true,
    ...options,
  })
}

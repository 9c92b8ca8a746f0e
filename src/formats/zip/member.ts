import { malformed, unsupported, type AlbertkitError, type ErrorPlace } from '../../base/errors.js'
import { crc32 } from '../core/checksums.js'
import type { RangedFile } from '../core/file.js'
import { DeflateError } from '../deflate/bits.js'
import { InflatedBytes, type SegmentCache } from '../deflate/inflated.js'
import { DEFLATED, type ZipEntry } from './directory.js'

/** Bytes that are read at a time to compute a checksum. */
const PIECE = 1024 * 1024

/** The bytes of a zip entry, read in place; before the first of them is given out, all were compared with their CRC-32. */
export class ZipMember {
  readonly #inflated: InflatedBytes | null
  #checksum: boolean
  #crc = 0
  #came = 0

  /**
   * @param place what errors name
   * @param checksum false to give bytes out as they are
   * @param cache keeps what was decompressed, of other entries too
   * @throws AlbertkitError `unsupported` if it is compressed by another method than DEFLATE
   */
  constructor(
    readonly archive: RangedFile,
    readonly entry: ZipEntry,
    readonly place: ErrorPlace,
    checksum: boolean,
    cache?: SegmentCache,
  ) {
    this.#checksum = checksum
    const { name, method, stored, dataStart, storedSize } = entry
    if (!stored && method !== DEFLATED)
      throw unsupported(`${name} is packed by method ${method}`, { code: 'compression-unsupported', ...place })
    this.#inflated = stored
      ? null
      : new InflatedBytes(
          archive,
          dataStart,
          dataStart + storedSize,
          (piece) => {
            this.#add(piece)
          },
          cache,
        )
  }

  /** Copies bytes from `offset` on, as many as there are. @throws AlbertkitError `malformed` if they are damaged */
  read(offset: number, target: Uint8Array): number {
    this.verify()
    const { size, dataStart } = this.entry
    const part = target.subarray(0, Math.max(0, size - offset))
    if (this.#inflated === null) this.archive.read(dataStart + offset, part)
    else if (this.#inflating((inflated) => inflated.read(offset, part)) < part.length)
      throw this.#damaged('compressed bytes are wrong')
    return part.length
  }

  /** Compares size and CRC-32 of all bytes, once. @throws AlbertkitError `malformed` if they differ */
  verify(): void {
    if (!this.#checksum) return
    const { size, dataStart, crc32: expected } = this.entry
    if (this.#inflated !== null) this.#inflating((inflated) => inflated.finish())
    else
      for (let at = 0; at < size; at += PIECE) this.#add(this.archive.bytes(dataStart + at, Math.min(PIECE, size - at)))
    if (this.#came !== size || this.#crc !== expected) throw this.#damaged('checksum is wrong')
    this.#checksum = false
  }

  #add(piece: Uint8Array): void {
    this.#came += piece.length
    // A member that is larger than its header says would otherwise take unbounded time and memory.
    if (this.#came > this.entry.size) throw this.#damaged('checksum is wrong')
    if (this.#checksum) this.#crc = crc32(piece, this.#crc)
  }

  #inflating<T>(body: (inflated: InflatedBytes) => T): T {
    try {
      return body(this.#inflated!)
    } catch (error) {
      if (error instanceof DeflateError) throw this.#damaged('compressed bytes are wrong', error)
      throw error
    }
  }

  #damaged(what: string, cause?: Error): AlbertkitError {
    return malformed(`${this.entry.name} is damaged: its ${what}`, {
      code: 'checksum-mismatch',
      ...this.place,
      hint: 'the archive is damaged: fetch it again',
      cause,
    })
  }
}

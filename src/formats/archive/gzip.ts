import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, unsupported, type AlbertkitError } from '../../base/errors.js'
import { crc32 } from '../core/checksums.js'
import type { RangedFile } from '../core/file.js'
import { DeflateError } from '../deflate/bits.js'
import { InflatedBytes } from '../deflate/inflated.js'

/** Header and trailer around a DEFLATE stream (RFC 1952, 2.3). */
const HEADER_BYTES = 10
const TRAILER_BYTES = 8
const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const
/** Names and comments are short. */
const MAX_TEXT = 64 * 1024

/** The decompressed bytes of a gzip file, read in place by ranges. */
export class GzipBytes {
  readonly path: string
  readonly sequential = true
  readonly #inflated: InflatedBytes
  #crc = 0

  /**
   * @param onNew is given each piece once, in order, when it first comes out; it may throw to stop
   * @throws AlbertkitError `malformed` if the header is damaged
   */
  constructor(
    readonly file: RangedFile,
    onNew: (piece: Uint8Array) => void,
  ) {
    this.path = file.path
    this.#inflated = new InflatedBytes(file, this.#dataStart(), file.size, (piece) => {
      onNew(piece)
      this.#crc = crc32(piece, this.#crc)
    })
  }

  #fail(what: string, code: ErrorCode = 'header-invalid', cause?: unknown): AlbertkitError {
    return malformed(`the archive cannot be unpacked: ${what}`, {
      code,
      file: this.path,
      cause,
      hint: 'is the file whole? fetch it again',
    })
  }

  #dataStart(): number {
    if (this.file.size < HEADER_BYTES + TRAILER_BYTES) throw this.#fail('the file is too short', 'file-truncated')
    const header = this.file.bytes(0, HEADER_BYTES)
    const [first, second, method, flags = 0] = header
    if (first !== 0x1f || second !== 0x8b || method !== 8) throw this.#fail('it has no header of gzip')
    let at = HEADER_BYTES
    const bytes = this.file.bytes(0, Math.min(MAX_TEXT, this.file.size))
    if ((flags & FLAG.extra) !== 0) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0)
    for (const flag of [FLAG.name, FLAG.comment]) {
      if ((flags & flag) === 0) continue
      const end = bytes.indexOf(0, at)
      if (end === -1) throw this.#fail('its header does not end')
      at = end + 1
    }
    return (flags & FLAG.headerCrc) === 0 ? at : at + 2
  }

  /** Copies bytes from `offset` on, as many as there are. @throws AlbertkitError `malformed` */
  read(offset: number, target: Uint8Array): number {
    return this.#inflating(() => this.#inflated.read(offset, target))
  }

  /**
   * Goes through what did not come out yet, and compares the checksum.
   * @throws AlbertkitError `malformed` if it differs, `unsupported` if another gzip stream follows
   */
  finish(): void {
    const { size, endsAt } = this.#inflating(() => this.#inflated.finish())
    if (endsAt + TRAILER_BYTES > this.file.size) throw this.#fail('it ends early', 'file-truncated')
    const trailer = new DataView(this.file.bytes(endsAt, TRAILER_BYTES).buffer)
    if (trailer.getUint32(0, true) !== this.#crc || trailer.getUint32(4, true) !== size % 2 ** 32)
      throw this.#fail('its checksum is wrong', 'checksum-mismatch')
    const rest = this.file.bytes(endsAt + TRAILER_BYTES, Math.min(2, this.file.size - endsAt - TRAILER_BYTES))
    if (rest[0] === 0x1f && rest[1] === 0x8b)
      throw unsupported('the archive is several gzip streams, one behind the other', {
        code: 'compression-unsupported',
        file: this.path,
        hint: 'unpack it by hand',
      })
  }

  #inflating<T>(body: () => T): T {
    try {
      return body()
    } catch (error) {
      if (error instanceof DeflateError) throw this.#fail(error.message, error.code, error)
      throw error
    }
  }
}

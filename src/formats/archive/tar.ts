import { latin1Text, utf8Text } from '../../base/bytes.js'
import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, type AlbertkitError } from '../../base/errors.js'
import { Turns } from '../../base/yield.js'
import type { RangedFile } from '../core/file.js'
import type { TreeFile } from '../core/tree-port.js'
import type { ArchiveLimits } from './limits.js'
import { member, type Members } from './members.js'

/** Bytes of a tar archive, stored in the file or decompressed. */
export interface TarBytes {
  readonly path: string
  /** True if the bytes before an offset must be decompressed first, which takes time. */
  readonly sequential: boolean
  /** Copies bytes from `offset` on, as many as there are. */
  read(offset: number, target: Uint8Array): number
}

/** POSIX.1-1988 ustar and its extensions: pax (POSIX.1-2001) and GNU's long names. */
const BLOCK = 512
const FIELD = {
  name: [0, 100],
  size: [124, 136],
  checksum: [148, 156],
  magic: [257, 262],
  prefix: [345, 500],
} as const
const TYPE_AT = 156
const FILE_TYPES = '\0' + '07'
const FOLDER_TYPE = '5'
const LINK_TYPES = '12'
const SPACE = 32
const PAX = 'x'
const LONG_NAME = 'L'
/** Bytes of an extended header: a path, or a few attributes. */
const MAX_EXTENSION = 64 * 1024
/** Headers, those of what is no file among them: as many as files may be, each with two extended headers. */
const MAX_HEADERS = 30_000

/** An entry: `dataStart` is the offset of its bytes. */
interface TarEntry {
  readonly name: string
  readonly type: string
  readonly size: number
  readonly dataStart: number
}

class TarReader {
  constructor(readonly bytes: TarBytes) {}

  fail(what: string, offset: number, code: ErrorCode = 'header-invalid'): AlbertkitError {
    return malformed(`the archive cannot be unpacked: ${what}`, {
      code,
      file: this.bytes.path,
      offset,
      hint: 'is the file whole? fetch it again',
    })
  }

  #take(offset: number, length: number): Uint8Array {
    const target = new Uint8Array(length)
    if (this.bytes.read(offset, target) < length) throw this.fail('it ends early', offset, 'file-truncated')
    return target
  }

  /** Text of a field, up to the first zero byte. */
  #text(header: Uint8Array, [start, end]: readonly [number, number]): string {
    const bytes = header.subarray(start, end)
    const zero = bytes.indexOf(0)
    return utf8Text(zero === -1 ? bytes : bytes.subarray(0, zero))
  }

  /** Number of a field: octal, or base 256 if its first bit is set (GNU, for 8 GiB and more). */
  #number(header: Uint8Array, [start, end]: readonly [number, number], offset: number): number {
    const bytes = header.subarray(start, end)
    let value = 0
    if ((bytes[0]! & 0x80) !== 0) for (const byte of bytes.subarray(1)) value = value * 256 + byte
    else {
      const digits = latin1Text(bytes).replaceAll('\0', ' ').trim()
      if (!/^[0-7]*$/.test(digits)) throw this.fail('a header is damaged', offset)
      value = digits === '' ? 0 : parseInt(digits, 8)
    }
    if (!Number.isSafeInteger(value)) throw this.fail('a header is damaged', offset)
    return value
  }

  /** Bytes of an entry: those of its extended header, in decimal, go before its own. */
  #size(header: Uint8Array, extended: string | undefined, offset: number): number {
    if (extended === undefined) return this.#number(header, FIELD.size, offset)
    const size = Number(extended)
    if (!/^\d+$/.test(extended) || !Number.isSafeInteger(size)) throw this.fail('an extended header is damaged', offset)
    return size
  }

  #checkHeader(header: Uint8Array, offset: number): void {
    const [start, end] = FIELD.checksum
    const sum = header.reduce((n, byte, i) => n + (i >= start && i < end ? SPACE : byte), 0)
    if (sum !== this.#number(header, FIELD.checksum, offset))
      throw this.fail('the checksum of a header is wrong', offset, 'checksum-mismatch')
  }

  /** Attributes of a pax extension: lines of length, key and value. */
  #attributes(bytes: Uint8Array, offset: number): Map<string, string> {
    const found = new Map<string, string>()
    for (let at = 0; at < bytes.length;) {
      const space = bytes.indexOf(SPACE, at)
      const length = space === -1 ? NaN : Number(latin1Text(bytes.subarray(at, space)))
      if (!Number.isInteger(length) || length < 5 || at + length > bytes.length)
        throw this.fail('an extended header is damaged', offset)
      const line = utf8Text(bytes.subarray(space + 1, at + length - 1))
      const equals = line.indexOf('=')
      found.set(line.slice(0, equals), line.slice(equals + 1))
      at += length
    }
    return found
  }

  *entries(): Generator<TarEntry> {
    let longName: string | null = null
    let attributes = new Map<string, string>()
    const header = new Uint8Array(BLOCK)
    let headers = 0
    for (let at = 0; ;) {
      const read = this.bytes.read(at, header)
      // Two empty blocks end an archive; many programs leave them out.
      if (read === 0 || header.every((byte) => byte === 0)) return
      if (read < BLOCK) throw this.fail('it ends early', at, 'file-truncated')
      if (++headers > MAX_HEADERS) throw this.fail(`it has more than ${MAX_HEADERS} headers`, at, 'limit-exceeded')
      this.#checkHeader(header, at)
      const type = String.fromCharCode(header[TYPE_AT]!)
      const size = this.#size(header, attributes.get('size'), at)
      const dataStart = at + BLOCK
      if (type === PAX || type === LONG_NAME) {
        if (size > MAX_EXTENSION)
          throw this.fail(`an extended header is longer than ${MAX_EXTENSION} bytes`, at, 'limit-exceeded')
        const bytes = this.#take(dataStart, size)
        if (type === PAX) attributes = this.#attributes(bytes, at)
        else longName = this.#text(bytes, [0, size])
      } else {
        yield { name: attributes.get('path') ?? longName ?? this.#name(header), type, size, dataStart }
        longName = null
        attributes = new Map()
      }
      at = dataStart + Math.ceil(size / BLOCK) * BLOCK
      if (!Number.isSafeInteger(at)) throw this.fail('a header is damaged', dataStart)
    }
  }

  #name(header: Uint8Array): string {
    const given = this.#text(header, FIELD.magic) === 'ustar' ? this.#text(header, FIELD.prefix) : ''
    // GNU has times there; a program that took them for a prefix wrote paths into headers of GNU (golang.org/issue/21005).
    const isTime = header[FIELD.magic[1]] === SPACE && /^[0-7 ]*$/.test(given)
    const prefix = isTime ? '' : given
    const name = this.#text(header, FIELD.name)
    return prefix === '' ? name : `${prefix}/${name}`
  }
}

/** Bytes that are decompressed before it is another's turn. */
const STRIDE = 1024 * 1024

/** Decompresses what comes before `end` little by little, so that signals are noticed meanwhile. */
async function advance(bytes: TarBytes, from: number, end: number, turns: Turns): Promise<void> {
  const byte = new Uint8Array(1)
  for (let at = from; bytes.sequential && at < end && bytes.read(at, byte) > 0; at += STRIDE) await turns.next()
}

/**
 * The files of a tar archive, found by going from header to header.
 * @throws AlbertkitError `malformed` if it is damaged or a path leaves it, `unsupported` for links and bombs
 */
export async function tarMembers(bytes: TarBytes, limits: ArchiveLimits): Promise<Members> {
  const files = new Map<string, TreeFile>()
  const folders: string[] = []
  const reader = new TarReader(bytes)
  const turns = new Turns()
  for (const { name, type, size, dataStart } of reader.entries()) {
    await advance(bytes, dataStart, dataStart + size, turns)
    if (LINK_TYPES.includes(type)) limits.refuseLink(name)
    if (type === FOLDER_TYPE) folders.push(limits.path(name))
    else if (FILE_TYPES.includes(type)) {
      const path = limits.path(name)
      if (files.has(path)) throw reader.fail(`it holds ${path} twice`, dataStart)
      // Reads the last byte at once: a truncated file is reported before anything of it is used.
      if (size > 0 && bytes.read(dataStart + size - 1, new Uint8Array(1)) === 0)
        throw reader.fail('it ends early', dataStart, 'file-truncated')
      const read = (offset: number, target: Uint8Array): number =>
        bytes.read(dataStart + offset, target.subarray(0, Math.max(0, size - offset)))
      files.set(
        path,
        member(size, () => read),
      )
    }
  }
  return { files, folders }
}

/** A file as the bytes of a tar archive. */
export const tarOf = (file: RangedFile): TarBytes => ({
  path: file.path,
  sequential: false,
  read(offset, target) {
    const part = target.subarray(0, Math.max(0, file.size - offset))
    file.read(offset, part)
    return part.length
  },
})

import { latin1Text } from '../../base/bytes.js'
import { unsupported, type AlbertkitError } from '../../base/errors.js'
import type { RangedFile } from '../core/file.js'
import { findDirectory, zipBytes, zipError } from './end-record.js'

/** Entries: a sharded checkpoint has tens of files, a PyTorch file one a tensor; a forged directory has millions. */
const MAX_ENTRIES = 50_000
/** Bytes of a file name: those of checkpoints have some fifty. */
const MAX_NAME_BYTES = 4096

export const STORED = 0
export const DEFLATED = 8

const CENTRAL = 0x02014b50
const CENTRAL_BYTES = 46
const LOCAL = 0x04034b50
const LOCAL_BYTES = 30
const ENCRYPTED = 0x0001
/** Flag: sizes follow the data instead of being in the local header. */
const SIZES_LATER = 0x0008
/** Value of sizes that are in the extra field. */
const ZIP64 = 0xffffffff
const ZIP64_EXTRA = 1
/** Attribute of a folder of MS-DOS, which programs write for folders whatever the machine. */
const FOLDER = 0x10
/** Made-by byte of archives with Unix attributes. */
const UNIX = 3

export interface ZipEntry {
  readonly name: string
  readonly directory: boolean
  /** True if the bytes of the entry are those of the file. */
  readonly stored: boolean
  readonly method: number
  /** Bytes in the archive. */
  readonly storedSize: number
  /** Bytes of the file. */
  readonly size: number
  readonly crc32: number
  /** Offset of the first byte in the archive. */
  readonly dataStart: number
  /** Mode of Unix; 0 if the archive was made elsewhere. */
  readonly mode: number
}

/** An entry as the directory has it. */
interface Listed {
  readonly nameBytes: Uint8Array
  readonly flags: number
  readonly method: number
  readonly crc32: number
  readonly storedSize: number
  readonly size: number
  readonly header: number
  readonly mode: number
  /** True if its attributes say that it is a folder. */
  readonly folder: boolean
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The name as UTF-8, which nearly every program writes, even without the flag for it. */
function nameOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    return latin1Text(bytes)
  }
}

/** Values of the ZIP64 field, which has only those that do not fit their 32 bits, in this order. */
function* largeValues(extra: DataView): Generator<number> {
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const end = at + 4 + extra.getUint16(at + 2, true)
    if (extra.getUint16(at, true) === ZIP64_EXTRA)
      for (let value = at + 4; value + 8 <= Math.min(end, extra.byteLength); value += 8)
        yield Number(extra.getBigUint64(value, true))
    at = end
  }
}

class DirectoryReader {
  constructor(readonly file: RangedFile) {}

  entries(): ZipEntry[] {
    const { offset, size, count } = findDirectory(this.file)
    if (count > MAX_ENTRIES)
      throw zipError(
        this.file,
        `the zip archive lists ${count} files, more than the limit of ${MAX_ENTRIES}`,
        undefined,
        'limit-exceeded',
      )
    const bytes = zipBytes(this.file, offset, size)
    const placed: ZipEntry[] = []
    const headers: { from: number; entry: ZipEntry }[] = []
    let at = 0
    while (placed.length < count) {
      const { listed, next } = this.#listed(bytes, at, offset)
      const entry = this.#place(listed)
      placed.push(entry)
      headers.push({ from: listed.header, entry })
      at = next
    }
    if (at !== bytes.length)
      throw zipError(this.file, `the zip archive lists more files than the ${count} of its end record`, offset + at)
    this.#checkOverlap(headers)
    return placed
  }

  /** The entry at byte `at` of the directory. */
  #listed(bytes: Uint8Array, at: number, offset: number): { listed: Listed; next: number } {
    const damaged = (): AlbertkitError =>
      zipError(this.file, 'the zip archive is damaged: its directory cannot be read', offset + at)
    if (at + CENTRAL_BYTES > bytes.length) throw damaged()
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at)
    if (view.getUint32(0, true) !== CENTRAL) throw damaged()
    const [nameLength, extraLength] = [view.getUint16(28, true), view.getUint16(30, true)]
    const next = at + CENTRAL_BYTES + nameLength + extraLength + view.getUint16(32, true)
    if (next > bytes.length) throw damaged()
    if (nameLength > MAX_NAME_BYTES)
      throw zipError(
        this.file,
        `an entry of the zip archive has a name of more than ${MAX_NAME_BYTES} bytes`,
        offset + at,
        'limit-exceeded',
      )
    const extra = at + CENTRAL_BYTES + nameLength
    const large = largeValues(new DataView(bytes.buffer, bytes.byteOffset + extra, extraLength))
    const number = (field: number): number => {
      const value = view.getUint32(field, true)
      if (value !== ZIP64) return value
      const wide = large.next()
      return wide.done === true ? value : wide.value
    }
    const [size, storedSize, header] = [number(24), number(20), number(42)]
    return {
      listed: {
        nameBytes: bytes.subarray(at + CENTRAL_BYTES, extra),
        flags: view.getUint16(8, true),
        method: view.getUint16(10, true),
        crc32: view.getUint32(16, true),
        storedSize,
        size,
        header,
        mode: bytes[at + 5] === UNIX ? view.getUint16(40, true) : 0,
        folder: (view.getUint32(38, true) & FOLDER) !== 0,
      },
      next,
    }
  }

  /** The entry with its offset; the directory is compared with the local header. */
  #place(listed: Listed): ZipEntry {
    const { nameBytes, flags, method, crc32, storedSize, size, header, mode } = listed
    const name = nameOf(nameBytes)
    const lies = (what: string): AlbertkitError =>
      zipError(this.file, `the zip archive says two things of the ${what} of ${name}`, header)
    const local = zipBytes(this.file, header, LOCAL_BYTES)
    const view = new DataView(local.buffer)
    if (view.getUint32(0, true) !== LOCAL)
      throw zipError(this.file, `the zip archive is damaged: ${name} is not where its directory says`, header)
    const nameLength = view.getUint16(26, true)
    const localName = zipBytes(this.file, header + LOCAL_BYTES, nameLength)
    if (nameLength !== nameBytes.length || localName.some((byte, i) => byte !== nameBytes[i])) throw lies('name')
    if (view.getUint16(8, true) !== method) throw lies('compression')
    const later = (view.getUint16(6, true) & SIZES_LATER) !== 0
    for (const [here, there] of [
      [view.getUint32(18, true), storedSize],
      [view.getUint32(22, true), size],
    ] as const)
      if (here !== there && here !== ZIP64 && !(later && here === 0)) throw lies('size')
    // PyTorch reads no bytes of a folder, other programs do.
    if (listed.folder && size > 0) throw lies('kind')
    if ((flags & ENCRYPTED) !== 0)
      throw unsupported(`${name} in the zip archive is encrypted`, {
        code: 'compression-unsupported',
        file: this.file.path,
        offset: header,
      })
    const dataStart = header + LOCAL_BYTES + nameLength + view.getUint16(28, true)
    const end = dataStart + storedSize
    if (end > this.file.size)
      throw zipError(
        this.file,
        `${name} in the zip archive runs to byte ${end}, but the file has ${this.file.size}`,
        header,
        'file-truncated',
      )
    const stored = method === STORED
    if (stored && storedSize !== size) throw lies('size')
    return { name, directory: name.endsWith('/'), stored, method, storedSize, size, crc32, dataStart, mode }
  }

  #checkOverlap(headers: { from: number; entry: ZipEntry }[]): void {
    headers.sort((a, b) => a.from - b.from)
    headers.forEach(({ entry }, i) => {
      const next = headers[i + 1]
      if (next !== undefined && entry.dataStart + entry.storedSize > next.from)
        throw zipError(
          this.file,
          `${entry.name} and ${next.entry.name} overlap in the zip archive`,
          next.from,
          'range-invalid',
        )
    })
    const names = new Set<string>()
    for (const { from, entry } of headers) {
      if (names.has(entry.name)) throw zipError(this.file, `the zip archive holds ${entry.name} twice`, from)
      names.add(entry.name)
    }
  }
}

/**
 * The entries of a zip archive with the places of their bytes, read through its directory alone.
 * @throws AlbertkitError `malformed` if entries are inconsistent, overlap, leave the file or occur twice;
 * `unsupported` if they are encrypted
 */
export const readZipDirectory = (file: RangedFile): ZipEntry[] => new DirectoryReader(file).entries()

import { concatBytes, utf8Bytes } from '../../base/bytes.js'
import { crc32 } from '../core/checksums.js'

/** A file to put into an archive. */
export interface ZipFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** Largest offset and length that the records of 32 bits hold. */
export const MAX_ZIP_OFFSET = 0xfffffffe

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
/** Version needed to extract a stored file. */
const VERSION = 10
/** Flag: the name is UTF-8. */
const UTF8 = 0x0800
/** 1 January 1980, the earliest date there is: the same files give the same bytes. */
const DATE = 0x21

/** Numbers of 16 or 32 bits, little-endian. */
function record(...fields: readonly (readonly [bits: 16 | 32, value: number])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(fields.reduce((bytes, [bits]) => bytes + bits / 8, 0)))
  let at = 0
  for (const [bits, value] of fields) {
    if (bits === 16) view.setUint16(at, value, true)
    else view.setUint32(at, value, true)
    at += bits / 8
  }
  return new Uint8Array(view.buffer)
}

/** What an archive says of a file. */
export interface ZipEntry {
  readonly name: string
  readonly bytes: number
  readonly crc32: number
}

/** The records around the contents of an archive: one before each file, the others behind the last. */
export interface ZipRecords {
  readonly before: readonly Uint8Array[]
  readonly end: Uint8Array
}

/**
 * Records of a zip archive of stored files, to be put at offset `start` of a file. Its offsets count from the beginning
 * of that file, as programs that append an archive write them.
 * @throws RangeError if it would end beyond `MAX_ZIP_OFFSET`
 */
export function zipRecords(files: readonly ZipEntry[], start = 0): ZipRecords {
  const before: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let at = start
  for (const { name, bytes, crc32: sum } of files) {
    const nameBytes = utf8Bytes(name)
    const common = [
      [16, VERSION],
      [16, UTF8],
      [16, 0],
      [16, 0],
      [16, DATE],
      [32, sum],
      [32, bytes],
      [32, bytes],
      [16, nameBytes.length],
      [16, 0],
    ] as const
    const local = concatBytes([record([32, LOCAL], ...common), nameBytes])
    directory.push(record([32, CENTRAL], [16, VERSION], ...common, [16, 0], [16, 0], [16, 0], [32, 0], [32, at]))
    directory.push(nameBytes)
    before.push(local)
    at += local.length + bytes
  }
  const listed = concatBytes(directory)
  if (at + listed.length > MAX_ZIP_OFFSET) throw new RangeError(`a zip archive that ends at byte ${at + listed.length}`)
  const counts = [
    [16, 0],
    [16, 0],
    [16, files.length],
    [16, files.length],
  ] as const
  const end = concatBytes([listed, record([32, END], ...counts, [32, listed.length], [32, at], [16, 0])])
  return { before, end }
}

/** A zip archive of stored files, as `zipRecords` describes it. @throws RangeError as there */
export function zipArchive(files: readonly ZipFile[], start = 0): Uint8Array {
  const entries = files.map(({ name, bytes }) => ({ name, bytes: bytes.length, crc32: crc32(bytes) }))
  const { before, end } = zipRecords(entries, start)
  return concatBytes([...files.flatMap(({ bytes }, i) => [before[i]!, bytes]), end])
}

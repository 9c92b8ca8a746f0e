import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, type AlbertkitError } from '../../base/errors.js'
import type { RangedFile } from '../core/file.js'

/** Position of the central directory of a zip archive (APPNOTE.TXT 4.3.14 to 4.3.16). */
export interface DirectoryPlace {
  readonly offset: number
  readonly size: number
  readonly count: number
}

const END_BYTES = 22
const END = 0x06054b50
const LOCATOR_BYTES = 20
const LOCATOR = 0x07064b50
const END64_BYTES = 56
const END64 = 0x06064b50
const MAX_COMMENT = 0xffff

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** An error about the directory or a header of an archive. */
export const zipError = (
  file: RangedFile,
  what: string,
  offset?: number,
  code: ErrorCode = 'header-invalid',
): AlbertkitError =>
  malformed(what, { code, file: file.path, ...(offset === undefined ? {} : { offset }), hint: 'fetch it again' })

/** Reads bytes at an offset from the archive. @throws AlbertkitError `malformed` if it is outside of the file */
export function zipBytes(file: RangedFile, offset: number, length: number): Uint8Array {
  if (!Number.isSafeInteger(offset) || offset < 0 || length < 0 || offset + length > file.size)
    throw malformed(`the zip archive points to byte ${offset + length}, but the file has ${file.size}`, {
      code: 'file-truncated',
      file: file.path,
      hint: 'the file is damaged or cut off: fetch it again',
    })
  return file.bytes(offset, length)
}

/** Place of the record that ends every archive; a comment may follow it. */
function endOffset(file: RangedFile): number {
  const length = Math.min(file.size, END_BYTES + MAX_COMMENT)
  const start = file.size - length
  const view = viewOf(file.bytes(start, length))
  for (let at = length - END_BYTES; at >= 0; at--)
    if (view.getUint32(at, true) === END && at + END_BYTES + view.getUint16(at + 20, true) === length) return start + at
  throw malformed('the zip archive is damaged: its end is missing', {
    code: 'file-truncated',
    file: file.path,
    offset: file.size,
    hint: 'the end of a zip archive says what is in it: the file may be cut off, fetch it again',
  })
}

/** The record of archives beyond 4 GiB or 65,535 entries; null if there is none. */
function findZip64(file: RangedFile, end: number): DirectoryPlace | null {
  if (end < LOCATOR_BYTES) return null
  const locator = viewOf(file.bytes(end - LOCATOR_BYTES, LOCATOR_BYTES))
  if (locator.getUint32(0, true) !== LOCATOR) return null
  const at = Number(locator.getBigUint64(8, true))
  const record = viewOf(zipBytes(file, at, END64_BYTES))
  if (record.getUint32(0, true) !== END64) throw zipError(file, 'the zip archive is damaged: no ZIP64 record', at)
  const number = (offset: number): number => Number(record.getBigUint64(offset, true))
  return { count: number(32), size: number(40), offset: number(48) }
}

/** Finds the directory. @throws AlbertkitError `malformed` if the end of the archive is missing or damaged */
export function findDirectory(file: RangedFile): DirectoryPlace {
  const end = endOffset(file)
  const large = findZip64(file, end)
  if (large !== null) return large
  const record = viewOf(file.bytes(end, END_BYTES))
  if (record.getUint16(4, true) !== 0 || record.getUint16(6, true) !== 0)
    throw zipError(file, 'the zip archive is one of several parts', end, 'format-unsupported')
  if (record.getUint16(8, true) !== record.getUint16(10, true))
    throw zipError(file, 'the zip archive says two things of the number of its files', end)
  return {
    count: record.getUint16(10, true),
    size: record.getUint32(12, true),
    offset: record.getUint32(16, true),
  }
}

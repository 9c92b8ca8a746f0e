import { malformed, unsupported } from '../errors.js'
import { crcOf, maskCrc } from './crc32c.js'
import { RangedFile } from './file.js'

/**
 * TFRecord, TensorFlow's file of records (core/lib/io/record_writer.h): length as uint64, its masked CRC-32C, the bytes,
 * their masked CRC-32C; all little-endian.
 */

const HEADER = 12
const FOOTER = 4
/** A record of features is some KiB. More than this is a damaged length, or a file of something else. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024

export interface TfRecord {
  /** Counted from 1. */
  readonly number: number
  /** Where it starts in the file. */
  readonly offset: number
  readonly bytes: Uint8Array
}

/** A record as it stands in a file. */
export function frameRecord(record: Uint8Array): Uint8Array {
  const framed = new Uint8Array(HEADER + record.length + FOOTER)
  const view = new DataView(framed.buffer)
  view.setBigUint64(0, BigInt(record.length), true)
  view.setUint32(8, maskCrc(crcOf(framed.subarray(0, 8))), true)
  framed.set(record, HEADER)
  view.setUint32(HEADER + record.length, maskCrc(crcOf(record)), true)
  return framed
}

function recordLength(header: Uint8Array, file: RangedFile, offset: number): number {
  const view = new DataView(header.buffer, header.byteOffset)
  const place = { file: file.path, offset }
  if (view.getUint32(8, true) !== maskCrc(crcOf(header.subarray(0, 8)))) {
    if (offset > 0) throw malformed('the length of a record is damaged', { ...place, hint: 'fetch the file again' })
    if (header[0] === 0x1f && header[1] === 0x8b)
      throw unsupported('the TFRecord file is compressed', { ...place, hint: 'unpack it first: gunzip -c FILE' })
    throw malformed('this is no TFRecord file', place)
  }
  const length = view.getBigUint64(0, true)
  if (length > BigInt(MAX_RECORD_BYTES))
    throw unsupported(`a record has ${length} bytes, and 64 MiB is the limit`, place)
  if (Number(length) + FOOTER > file.size - offset - HEADER)
    throw malformed(`a record of ${length} bytes starts here, and the file ends before it does`, { ...place, hint: 'the file is truncated: fetch it again' }) // prettier-ignore
  return Number(length)
}

/**
 * The records of a file, one at a time, checksums compared.
 * @throws AlbertkitError `malformed` where it is damaged or none, `unsupported` where it is compressed
 */
export function* readTfRecords(path: string): Generator<TfRecord> {
  const file = new RangedFile(path)
  try {
    let offset = 0
    for (let number = 1; offset < file.size; number++) {
      const rest = file.size - offset
      if (rest < HEADER + FOOTER)
        throw malformed(offset === 0 ? 'this is no TFRecord file' : `${rest} bytes are left, fewer than a record has`, { file: path, offset }) // prettier-ignore
      const length = recordLength(file.bytes(offset, HEADER), file, offset)
      const body = file.bytes(offset + HEADER, length + FOOTER)
      const bytes = body.subarray(0, length)
      if (new DataView(body.buffer).getUint32(length, true) !== maskCrc(crcOf(bytes)))
        throw malformed(`record ${number} is damaged: its checksum is another`, { file: path, offset, hint: 'fetch the file again' }) // prettier-ignore
      yield { number, offset, bytes }
      offset += HEADER + length + FOOTER
    }
  } finally {
    file.close()
  }
}

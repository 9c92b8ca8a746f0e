import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { malformed, unsupported } from '../base/errors.js'
import { crcOf, maskCrc } from './core/crc32c.js'
import { fileError } from './core/file.js'

/**
 * TFRecord, TensorFlow's file of records (core/lib/io/record_writer.h): length as uint64, its masked CRC-32C, the bytes,
 * their masked CRC-32C; all little-endian.
 */

const HEADER = 12
const FOOTER = 4
/** A record of features is some KiB. More than this is a damaged length, or a file of something else. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024
const CHUNK = 1 << 18

export interface TfRecord {
  /** Counted from 1. */
  readonly number: number
  /** Where it starts in the file, and where the next one does. */
  readonly offset: number
  readonly end: number
  readonly bytes: Uint8Array
  /** The same with length and checksums, as it stands in the file. */
  readonly framed: Uint8Array
}

/** A part of a file: whole records, the first of which has that number. */
export interface RecordRange {
  readonly offset: number
  readonly bytes: number
  readonly first: number
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

/** Bytes of a stream that are looked at before they are taken. */
class Ahead {
  #chunks: Buffer[] = []
  #length = 0

  constructor(readonly stream: AsyncIterator<Buffer>) {}

  /** The next `n` bytes, or fewer where the stream ends before; they stay where they are. */
  async peek(n: number): Promise<Buffer> {
    while (this.#length < n) {
      const next = await this.stream.next()
      if (next.done === true) break
      this.#chunks.push(next.value)
      this.#length += next.value.length
    }
    const [first] = this.#chunks
    if (first !== undefined && first.length >= n) return first.subarray(0, n)
    const whole = Buffer.concat(this.#chunks)
    this.#chunks = [whole]
    return whole.subarray(0, n)
  }

  /** Leaves out the first `n` of the bytes that were peeked at. */
  skip(n: number): void {
    this.#chunks[0] = this.#chunks[0]!.subarray(n)
    if (this.#chunks[0].length === 0) this.#chunks.shift()
    this.#length -= n
  }
}

function recordLength(header: Buffer, file: string, offset: number): number {
  const place = { file, offset }
  if (header.length < HEADER)
    throw malformed(
      offset === 0 ? 'this is no TFRecord file' : `${header.length} bytes are left, fewer than a record has`,
      place,
    )
  if (header.readUInt32LE(8) !== maskCrc(crcOf(header.subarray(0, 8)))) {
    if (offset > 0) throw malformed('the length of a record is damaged', { ...place, hint: 'fetch the file again' })
    if (header[0] === 0x1f && header[1] === 0x8b)
      throw unsupported('the TFRecord file is compressed', { ...place, hint: 'unpack it first: gunzip -c FILE' })
    throw malformed('this is no TFRecord file', place)
  }
  const length = header.readBigUInt64LE(0)
  if (length > BigInt(MAX_RECORD_BYTES))
    throw unsupported(`a record has ${length} bytes, and 64 MiB is the limit`, place)
  return Number(length)
}

async function* split(ahead: Ahead, file: string, offset: number, first: number): AsyncGenerator<TfRecord> {
  for (let number = first; ; number++) {
    const header = await ahead.peek(HEADER)
    if (header.length === 0) return
    const length = recordLength(header, file, offset)
    const framed = await ahead.peek(HEADER + length + FOOTER)
    if (framed.length < HEADER + length + FOOTER)
      throw malformed(`a record of ${length} bytes starts here, and the file ends before it does`, {
        file,
        offset,
        hint: 'the file is truncated: fetch it again',
      })
    const bytes = framed.subarray(HEADER, HEADER + length)
    if (framed.readUInt32LE(HEADER + length) !== maskCrc(crcOf(bytes)))
      throw malformed(`record ${number} is damaged: its checksum is another`, {
        file,
        offset,
        hint: 'fetch the file again',
      })
    ahead.skip(framed.length)
    yield { number, offset, end: offset + framed.length, bytes, framed }
    offset += framed.length
  }
}

/**
 * The records of a file, of a part of it, or of standard input (`-`), one at a time, checksums compared.
 * @throws AlbertkitError `malformed` where it is damaged or none, `unsupported` where it is compressed, `environment`
 */
export async function* readTfRecords(
  path: string,
  range?: RecordRange,
  stdin: Readable = process.stdin,
): AsyncGenerator<TfRecord> {
  if (range?.bytes === 0) return
  const part = range === undefined ? {} : { start: range.offset, end: range.offset + range.bytes - 1 }
  const stream = path === '-' ? stdin : createReadStream(path, { highWaterMark: CHUNK, ...part })
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const name = path === '-' ? 'standard input' : path
  try {
    yield* split(new Ahead(chunks), name, range?.offset ?? 0, range?.first ?? 1)
  } catch (error) {
    throw error instanceof Error && 'code' in error && 'syscall' in error ? fileError(error, name) : error
  } finally {
    await chunks.return?.()
  }
}

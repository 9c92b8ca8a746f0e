import { concatBytes } from '../base/bytes.js'
import { malformed, unsupported } from '../base/errors.js'
import { crc32c, maskCrc } from './core/checksums.js'

/**
 * TFRecord, TensorFlow's record file (tensorflow/core/lib/io/record_writer.h): length as uint64, its masked CRC-32C,
 * the bytes, their masked CRC-32C; all little-endian.
 */

const HEADER = 12
const FOOTER = 4
/** A record of features has some KiB; a length above this limit is damaged, or the file is something else. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024

export interface TfRecord {
  /** Number of the record, from 1. */
  readonly number: number
  /** Offset of the record in the file, and of the next one. */
  readonly offset: number
  readonly end: number
  readonly bytes: Uint8Array
  /** The record with length and checksums, as stored in the file. */
  readonly framed: Uint8Array
}

/** A part of a file that holds whole records; `first` is the number of its first record. */
export interface RecordRange {
  readonly offset: number
  readonly bytes: number
  readonly first: number
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** A record with length and checksums, as stored in a file. */
export function frameRecord(record: Uint8Array): Uint8Array {
  const framed = new Uint8Array(HEADER + record.length + FOOTER)
  const view = new DataView(framed.buffer)
  view.setBigUint64(0, BigInt(record.length), true)
  view.setUint32(8, maskCrc(crc32c(framed.subarray(0, 8))), true)
  framed.set(record, HEADER)
  view.setUint32(HEADER + record.length, maskCrc(crc32c(record)), true)
  return framed
}

/** A stream whose next bytes can be read without consuming them. */
class Ahead {
  #chunks: Uint8Array[] = []
  #length = 0

  constructor(readonly stream: AsyncIterator<Uint8Array>) {}

  /** Next `n` bytes without consuming them; fewer if the stream ends early. */
  async peek(n: number): Promise<Uint8Array> {
    while (this.#length < n) {
      const next = await this.stream.next()
      if (next.done === true) break
      this.#chunks.push(next.value)
      this.#length += next.value.length
    }
    const [first] = this.#chunks
    if (first !== undefined && first.length >= n) return first.subarray(0, n)
    const whole = concatBytes(this.#chunks)
    this.#chunks = [whole]
    return whole.subarray(0, n)
  }

  /** Consumes the first `n` of the bytes that were peeked at. */
  skip(n: number): void {
    this.#chunks[0] = this.#chunks[0]!.subarray(n)
    if (this.#chunks[0].length === 0) this.#chunks.shift()
    this.#length -= n
  }
}

function recordLength(header: Uint8Array, file: string, offset: number): number {
  const place = { file, offset }
  if (header.length < HEADER)
    throw malformed(
      offset === 0 ? 'this is no TFRecord file' : `${header.length} bytes are left, fewer than a record has`,
      { code: offset === 0 ? 'not-a-model' : 'file-truncated', ...place },
    )
  const view = viewOf(header)
  if (view.getUint32(8, true) !== maskCrc(crc32c(header.subarray(0, 8)))) {
    if (offset > 0)
      throw malformed('the length of a record is damaged', {
        code: 'checksum-mismatch',
        ...place,
        hint: 'fetch the file again',
      })
    if (header[0] === 0x1f && header[1] === 0x8b)
      throw unsupported('the TFRecord file is compressed', {
        code: 'compression-unsupported',
        ...place,
        hint: 'unpack it first: gunzip -c FILE',
      })
    throw malformed('this is no TFRecord file', { code: 'not-a-model', ...place })
  }
  const length = view.getBigUint64(0, true)
  if (length > BigInt(MAX_RECORD_BYTES))
    throw unsupported(`a record has ${length} bytes, and 64 MiB is the limit`, { code: 'limit-exceeded', ...place })
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
        code: 'file-truncated',
        file,
        offset,
        hint: 'the file is truncated: fetch it again',
      })
    const bytes = framed.subarray(HEADER, HEADER + length)
    if (viewOf(framed).getUint32(HEADER + length, true) !== maskCrc(crc32c(bytes)))
      throw malformed(`record ${number} is damaged: its checksum is another`, {
        code: 'checksum-mismatch',
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
 * Splits a stream of bytes into records, one at a time, and verifies their checksums.
 * @param name name of the stream, for messages
 * @param range location of the stream, if it is a part of a file
 * @throws AlbertkitError `malformed` if it is damaged or not a TFRecord file, `unsupported` if it is compressed
 */
export async function* splitRecords(
  stream: AsyncIterable<Uint8Array>,
  name: string,
  range?: RecordRange,
): AsyncGenerator<TfRecord> {
  const chunks = stream[Symbol.asyncIterator]()
  try {
    yield* split(new Ahead(chunks), name, range?.offset ?? 0, range?.first ?? 1)
  } finally {
    await chunks.return?.()
  }
}

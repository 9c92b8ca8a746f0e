import type { Readable } from 'node:stream'
import { byteStream, isSystemError, streamName } from '../../files/byte-stream.js'
import { fileError } from '../../files/disk.js'
import { splitRecords, type RecordRange, type TfRecord } from '../../formats/tf-record.js'

/**
 * Records of a TFRecord file, of a part of it, or of standard input (`-`), one at a time, checksums compared.
 * @throws AlbertkitError `malformed` if it is damaged or no TFRecord file, `unsupported` if it is compressed,
 *   `environment`
 */
export async function* readTfRecords(path: string, range?: RecordRange, stdin?: Readable): AsyncGenerator<TfRecord> {
  try {
    yield* splitRecords(byteStream(path, range, stdin), streamName(path), range)
  } catch (error) {
    throw isSystemError(error) ? fileError(error, streamName(path)) : error
  }
}

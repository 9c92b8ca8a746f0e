import { malformed, usage } from '../../base/errors.js'
import { refuseExisting, WholeFile } from '../../files/atomic-file.js'
import { readTfRecords } from '../input/records.js'
import { frameRecord, type RecordRange } from '../../formats/tf-record.js'
import { classIndexOf } from '../../text/data/classes.js'
import { isBad, recordsOf, type BadLine, type ExampleReader } from '../../text/data/examples.js'
import { decodeRecord, encodeRecord, RecordError, type FeatureRecord } from '../../text/data/feature-record.js'
import { makeFeatures, padFeatures } from '../../text/data/features.js'
import type { Line } from '../../text/data/lines.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'

export interface WriteFeaturesOptions {
  /** Tokens per record; shorter texts are padded, longer ones truncated. */
  readonly maxLength: number
  /** Names of the classes; null if unknown. */
  readonly labels: readonly string[] | null
  readonly force?: boolean
  readonly onBad?: (bad: BadLine) => void
}

/** Bytes per write. */
const PIECE = 1 << 20

/**
 * Writes the features of examples as a TFRecord file of run_classifier, one record per line, in order. A line without a
 * label gets the first one, as in run_classifier's test sets.
 * @returns records written
 * @throws AlbertkitError `usage` if lines have labels but the class names are unknown; `output`
 */
export async function writeFeatures(
  path: string,
  tokenizer: Tokenizer,
  lines: AsyncIterable<Line>,
  reader: ExampleReader,
  { maxLength, labels, force = false, onBad }: WriteFeaturesOptions,
): Promise<number> {
  if (maxLength < 3)
    throw usage('features have at least 3 tokens: [CLS], one of the text, [SEP]', { code: 'option-invalid' })
  let count = 0
  refuseExisting(path, force)
  const file = new WholeFile(path)
  try {
    let [pieces, bytes]: [Uint8Array[], number] = [[], 0]
    const flush = (): void => {
      file.write(Buffer.concat(pieces))
      ;[pieces, bytes] = [[], 0]
    }
    for await (const line of recordsOf(lines, reader.options.format)) {
      const example = reader.read(line)
      if (example === null) continue
      if (isBad(example)) {
        onBad?.(example)
        continue
      }
      const { text, textB, label, labelName } = example
      if (label !== null && labels === null)
        throw usage('the lines have labels, but the names of the classes are not known', {
          code: 'labels-mismatch',
          hint: 'give a file with one name per line as `labels`',
        })
      const place = label === null ? 0 : classIndexOf(labels ?? [], label, labelName)
      if (place === undefined) {
        onBad?.({ line: line.number, reason: `the label ${label} is not among the labels`, content: line.text })
        continue
      }
      const features = padFeatures(makeFeatures(tokenizer, text, textB, maxLength), maxLength)
      const framed = frameRecord(encodeRecord({ ...features, label: place, real: true }))
      pieces.push(framed)
      count++
      if ((bytes += framed.length) >= PIECE) flush()
    }
    flush()
    await file.flush()
    file.commit()
  } finally {
    file.discard()
  }
  return count
}

/** Record of a file, and its position. */
export interface NumberedRecord {
  /** Number of the record, from 1. */
  readonly number: number
  /** Byte offset of its end. */
  readonly end: number
  readonly record: FeatureRecord
}

/**
 * Reads features from a TFRecord file, a part of it, or standard input (`-`), one record at a time.
 * @throws AlbertkitError `malformed` if the file or a record is damaged or has other contents
 */
export async function* readFeatures(path: string, range?: RecordRange): AsyncGenerator<NumberedRecord> {
  for await (const { number, offset, end, bytes } of readTfRecords(path, range)) {
    let record: FeatureRecord
    try {
      record = decodeRecord(bytes)
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      const file = path === '-' ? 'standard input' : path
      throw malformed(`record ${number} holds no features: ${error.message}`, {
        code: 'record-invalid',
        file,
        offset,
        cause: error,
      })
    }
    yield { number, end, record }
  }
}

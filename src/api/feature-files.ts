import { randomUUID } from 'node:crypto'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { malformed, outputError, usage } from '../errors.js'
import { OutputFile, writing } from '../export/files.js'
import { frameRecord, readTfRecords } from '../formats/tf-record.js'
import { onInterrupt } from '../interrupt.js'
import { isBad, type BadLine, type ExampleReader } from '../text/examples.js'
import { decodeRecord, encodeRecord, RecordError, type FeatureRecord } from '../text/feature-record.js'
import { makeFeatures, padFeatures } from '../text/features.js'
import type { Line } from '../text/lines.js'
import type { Tokenizer } from '../text/tokenizer.js'

export interface WriteFeaturesOptions {
  /** Tokens of every record; shorter texts are padded, longer ones cut off. */
  readonly maxLength: number
  /** Names of the classes; null where lines have no labels. */
  readonly labels: readonly string[] | null
  readonly force?: boolean
  readonly onBad?: (bad: BadLine) => void | Promise<void>
}

/** Writes go to the file in pieces of this size. */
const PIECE = 1 << 20

/** A file that appears when it is whole. */
async function wholeFile(path: string, force: boolean, body: (write: (bytes: Uint8Array) => void) => Promise<void>) {
  if (existsSync(path) && !force)
    throw outputError('the output exists already', { file: path, hint: 'use --force to replace it' })
  const part = join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}`)
  const file = new OutputFile(part)
  const remove = (): void => {
    rmSync(part, { force: true })
  }
  const forget = onInterrupt(remove)
  try {
    try {
      await body((bytes) => {
        file.write(bytes)
      })
    } finally {
      file.close()
    }
    writing(path, () => {
      renameSync(part, path)
    })
  } catch (error) {
    remove()
    throw error
  } finally {
    forget()
  }
}

/**
 * Writes the features of examples as run_classifier's TFRecord file, a record a line, in order. A line without a label
 * gets the first one, as those of a test set do there.
 * @returns records written
 * @throws AlbertkitError `usage` where lines have labels and none are known; `output`
 */
export async function writeFeatures(
  path: string,
  tokenizer: Tokenizer,
  lines: AsyncIterable<Line>,
  reader: ExampleReader,
  { maxLength, labels, force = false, onBad }: WriteFeaturesOptions,
): Promise<number> {
  if (maxLength < 3) throw usage('features need three tokens at least: [CLS], one of the text, [SEP]')
  const places = labels === null ? null : new Map(labels.map((label, place) => [label, place]))
  let count = 0
  await wholeFile(path, force, async (write) => {
    let [pieces, bytes]: [Uint8Array[], number] = [[], 0]
    const flush = (): void => {
      write(Buffer.concat(pieces))
      ;[pieces, bytes] = [[], 0]
    }
    for await (const line of lines) {
      const example = reader.read(line)
      if (example === null) continue
      if (isBad(example)) {
        await onBad?.(example)
        continue
      }
      const { text, textB, label } = example
      if (label !== null && places === null)
        throw usage('the lines have labels, and none are known', { hint: '--labels FILE names them, a line each' })
      const place = label === null ? 0 : places?.get(label)
      if (place === undefined) {
        await onBad?.({ line: line.number, reason: `the label ${label} is not among the labels`, content: line.text })
        continue
      }
      const features = padFeatures(makeFeatures(tokenizer, text, textB, maxLength), maxLength)
      const framed = frameRecord(encodeRecord({ ...features, label: place, real: true }))
      pieces.push(framed)
      count++
      if ((bytes += framed.length) >= PIECE) flush()
    }
    flush()
  })
  return count
}

/**
 * Features of a TFRecord file, one record at a time.
 * @throws AlbertkitError `malformed` where the file, or a record, is damaged or holds something else
 */
export function* readFeatures(path: string): Generator<FeatureRecord> {
  for (const { number, offset, bytes } of readTfRecords(path)) {
    try {
      yield decodeRecord(bytes)
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      throw malformed(`record ${number} holds no features: ${error.message}`, { file: path, offset, cause: error })
    }
  }
}

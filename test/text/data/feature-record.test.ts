import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readFeatures, writeFeatures } from '../../../src/api/tokenize/feature-files.js'
import { AlbertkitError } from '../../../src/base/errors.js'
import { readTfRecords } from '../../../src/api/input/records.js'
import { frameRecord, type TfRecord } from '../../../src/formats/tf-record.js'
import { readable } from '../../../src/text/tokenizers/detokenize.js'
import { ExampleReader } from '../../../src/text/data/examples.js'
import { decodeRecord, encodeRecord, paddingRecord, type FeatureRecord } from '../../../src/text/data/feature-record.js'
import { makeFeatures, padFeatures } from '../../../src/text/data/features.js'
import type { Line } from '../../../src/text/data/lines.js'
import { loadTokenizer } from '../../../src/api/tokenize/load-tokenizer.js'
import { describeShared, SHARED, ZH_NEWS } from '../../helpers/shared.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-records-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
const at = (name: string): string => join(folder, name)

const TEXT = join(SHARED, 'text')
interface Cases {
  labels: string[]
  cases: {
    tokenizer: string
    do_lower_case: boolean
    text_a: string
    text_b: string | null
    label: string
    max_seq_length: number
  }[]
}

describeShared("run_classifier's own TFRecord file", () => {
  it('is written again byte for byte from the texts, and read back', async () => {
    const { labels, cases } = JSON.parse(readFileSync(join(TEXT, 'features_cases.json'), 'utf8')) as Cases
    const tokenizer = loadTokenizer(join(TEXT, 'wordpiece_vocab.txt'), { lowerCase: true })
    const own = cases.filter((c) => c.tokenizer === 'wordpiece' && c.do_lower_case && c.max_seq_length === 16)
    const records: FeatureRecord[] = own.map((c) => ({
      ...padFeatures(makeFeatures(tokenizer, c.text_a, c.text_b, 16), 16),
      label: labels.indexOf(c.label),
      real: true,
    }))
    records.push(paddingRecord(16))
    expect(records.length).toBeGreaterThan(10)
    const file = join(TEXT, 'features_wordpiece_16.tf_record')
    const written = Buffer.concat(records.map((record) => frameRecord(encodeRecord(record))))
    expect(written.equals(readFileSync(file))).toBe(true)
    expect(await recordsOf(file)).toEqual(records)
  })
})

describe("create_pretraining_data's file, written by TensorFlow", () => {
  it('has the same features, and no label', async () => {
    const records = await recordsOf(join(import.meta.dirname, '../../fixtures/text/pretraining.tf_record'))
    const tokenizer = loadTokenizer(ZH_NEWS)
    expect(
      records.map(({ input_ids, input_mask, segment_ids, label, real }) => {
        const ids = input_ids.filter((_, i) => input_mask[i] === 1)
        return [readable(tokenizer, ids), input_ids.length, segment_ids.indexOf(1), label, real]
      }),
    ).toEqual([
      ['[CLS]主[MASK]逆转取胜[SEP]夺[MASK]冠军[SEP]', 32, 8, null, true],
      ['[CLS]央行[MASK]调存款[SEP]准备金率[SEP]', 32, 8, null, true],
    ])
  })
})

/** The records of a file, all of them. */
async function recordsOf(path: string): Promise<FeatureRecord[]> {
  const records: FeatureRecord[] = []
  for await (const { record } of readFeatures(path)) records.push(record)
  return records
}

const arbitrary: fc.Arbitrary<FeatureRecord> = fc.nat({ max: 40 }).chain((length) => {
  const list = (max: number) => fc.array(fc.nat({ max }), { minLength: length, maxLength: length })
  return fc.record({
    input_ids: list(2 ** 31 - 1),
    input_mask: list(1),
    segment_ids: list(1),
    label: fc.nat({ max: 1000 }),
    real: fc.boolean(),
  })
})

/** What `readFeatures` says of a file with these bytes. */
async function failure(bytes: Uint8Array): Promise<AlbertkitError> {
  writeFileSync(at('damaged'), bytes)
  try {
    await recordsOf(at('damaged'))
  } catch (error) {
    if (error instanceof AlbertkitError) return error
    throw error
  }
  throw new Error('nothing was found wrong')
}

describe('records', () => {
  it('are what was written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitrary, { maxLength: 5 }), async (records) => {
        writeFileSync(at('there'), Buffer.concat(records.map((r) => frameRecord(encodeRecord(r)))))
        expect(await recordsOf(at('there'))).toEqual(records)
      }),
      { numRuns: 50 },
    )
  })

  it('that are damaged in any byte, or cut off at any, are refused', async () => {
    const record = { input_ids: [2, 300, 3], input_mask: [1, 1, 1], segment_ids: [0, 0, 0], label: 4, real: true }
    const one = frameRecord(encodeRecord(record))
    const bytes = Buffer.concat([one, one])
    for (let i = 0; i < bytes.length; i++) {
      const damaged = Uint8Array.from(bytes)
      damaged[i]! ^= 0x10
      const { kind, place } = await failure(damaged)
      expect([kind, place.offset], `byte ${i}`).toEqual(['malformed', i < one.length ? 0 : one.length])
      // Cut between two records a file is a shorter one.
      if (i > 0 && i !== one.length) expect((await failure(bytes.subarray(0, i))).kind, `${i} bytes`).toBe('malformed')
    }
  })

  it('come from a stream in pieces of any size as from a file', async () => {
    const records = Array.from({ length: 9 }, (_, i) => encodeRecord({ ...paddingRecord(7 * i), label: i }))
    const bytes = Buffer.concat(records.map(frameRecord))
    for (const size of [1, 13, 400, bytes.length]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      )
      const found: TfRecord[] = []
      for await (const record of readTfRecords('-', undefined, Readable.from(pieces))) found.push(record)
      expect(found.map((r) => Buffer.from(r.bytes))).toEqual(records.map((r) => Buffer.from(r)))
      expect(found.map((r) => [r.number, r.end - r.offset])).toEqual(records.map((r, i) => [i + 1, r.length + 16]))
    }
  })

  it('of other kinds are named', async () => {
    const framed = (bytes: Uint8Array): Promise<AlbertkitError> => failure(frameRecord(bytes))
    expect((await framed(Uint8Array.of(0xff, 0xff))).message).toBe(
      'record 1 holds no features: it is not a tf.train.Example',
    )
    expect((await framed(new Uint8Array())).message).toContain('it has no input_ids (it has: nothing)')
    const uneven = { input_ids: [2, 3], input_mask: [1], segment_ids: [0, 0], label: 0, real: true }
    expect((await framed(encodeRecord(uneven))).message).toContain('2 input_ids, 1 of input_mask and 2 segment_ids')
    const negative = { input_ids: [-1], input_mask: [1], segment_ids: [0], label: 0, real: true }
    expect((await framed(encodeRecord(negative))).message).toContain('-1 in its input_ids is not a token id')
    const mask = { input_ids: [5], input_mask: [2], segment_ids: [0], label: 0, real: true }
    expect((await framed(encodeRecord(mask))).message).toContain('its input_mask has values other than 0 and 1')
    const gzip = await failure(Uint8Array.of(0x1f, 0x8b, ...Array<number>(30).fill(8)))
    expect([gzip.kind, gzip.message]).toEqual(['unsupported', 'the TFRecord file is compressed'])
  })

  it('may hold numbers one by one, and labels of a regression', () => {
    // Entries by hand: the list's values not packed, and label_ids a float_list.
    const part = (field: number, body: number[]): number[] => [(field << 3) | 2, body.length, ...body]
    const entry = (name: string, feature: number[]): number[] =>
      part(1, [...part(1, [...Buffer.from(name)]), ...part(2, feature)])
    const one = part(3, [0x08, 0x05, 0x08, 0x06])
    const mask = part(3, [0x08, 0x01, 0x08, 0x01])
    const label = part(2, part(1, [...new Uint8Array(Float32Array.of(2.5).buffer)]))
    const bytes = Uint8Array.from(
      part(1, [
        ...entry('input_ids', one),
        ...entry('input_mask', mask),
        ...entry('segment_ids', one),
        ...entry('label_ids', label),
      ]),
    )
    const [input_ids, real] = [[5, 6], true]
    expect(decodeRecord(bytes)).toEqual({ input_ids, input_mask: [1, 1], segment_ids: input_ids, label: 2.5, real })
  })
})

describe('features of a file of lines', () => {
  const tokenizer = loadTokenizer(ZH_NEWS)
  async function* lines(...texts: string[]): AsyncGenerator<Line> {
    for (const [i, text] of texts.entries()) yield await Promise.resolve({ number: i + 1, text })
  }
  const reader = (): ExampleReader => new ExampleReader({ format: 'tsv' })

  it('are written whole or not at all, and over nothing unasked', async () => {
    const [file, bad]: [string, number[]] = [at('some.tf_record'), []]
    const options = {
      maxLength: 8,
      labels: ['体育', '财经'],
      onBad: ({ line }: { line: number }) => void bad.push(line),
    }
    const texts = ['财经\t央行', '天气\t晴', '', '体育\t主队逆转取胜']
    expect(await writeFeatures(file, tokenizer, lines(...texts), reader(), options)).toBe(2)
    expect(bad).toEqual([2, 3])
    expect((await recordsOf(file)).map((r) => [r.label, r.input_ids.length])).toEqual([
      [1, 8],
      [0, 8],
    ])
    const before = readFileSync(file)
    await expect(writeFeatures(file, tokenizer, lines(), reader(), options)).rejects.toMatchObject({ kind: 'output' })
    const unlabelled = writeFeatures(file, tokenizer, lines('体育\t好'), reader(), {
      ...options,
      labels: null,
      force: true,
    })
    await expect(unlabelled).rejects.toMatchObject({ kind: 'usage' })
    expect(readFileSync(file).equals(before)).toBe(true)
  })
})

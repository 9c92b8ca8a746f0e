import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frameRecord, splitRecords, type TfRecord } from '../../src/formats/tf-record.js'

async function* stream(bytes: Uint8Array, piece: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += piece) yield await Promise.resolve(bytes.subarray(at, at + piece))
}

async function recordsOf(bytes: Uint8Array, piece = 7): Promise<TfRecord[]> {
  const found: TfRecord[] = []
  for await (const record of splitRecords(stream(bytes, piece), 'a.tfrecord')) found.push(record)
  return found
}

/** Records "abc" and "" as tf.io.TFRecordWriter of TensorFlow writes them. */
const OF_TENSORFLOW = Buffer.from('0300000000000000b099490e6162636e57f121' + '000000000000000029039807d8ea82a2', 'hex')

describe('TFRecord', () => {
  it('comes back as it was framed, whatever the pieces in which it arrives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 64 }),
        async (records, piece) => {
          const framed = records.map(frameRecord)
          const found = await recordsOf(Buffer.concat(framed), piece)
          expect(found.map(({ bytes }) => [...bytes])).toEqual(records.map((record) => [...record]))
          expect(found.map(({ number }) => number)).toEqual(records.map((_, i) => i + 1))
          let offset = 0
          for (const [i, record] of found.entries()) {
            expect([record.offset, record.end]).toEqual([offset, offset + framed[i]!.length])
            expect(Buffer.from(record.framed).equals(framed[i]!)).toBe(true)
            offset = record.end
          }
        },
      ),
    )
  })

  it('is read and written as TensorFlow writes it', async () => {
    const records = await recordsOf(OF_TENSORFLOW)
    expect(records.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['abc', ''])
    expect(Buffer.concat(records.map(({ bytes }) => frameRecord(bytes)))).toEqual(OF_TENSORFLOW)
  })

  it.each<[string, (bytes: Buffer) => Uint8Array, object]>([
    ['one that ends within its first length', (b) => b.subarray(0, 5), { code: 'not-a-model', place: { offset: 0 } }],
    ['one that ends within a length', (b) => b.subarray(0, 24), { code: 'file-truncated', place: { offset: 19 } }],
    ['one that ends within a record', (b) => b.subarray(0, 16), { code: 'file-truncated', place: { offset: 0 } }],
    ['something else', () => Buffer.from('a text of some length'), { code: 'not-a-model', kind: 'malformed' }],
    ['gzip', () => Buffer.from('1f8b0800000000000003000000000000', 'hex'), { code: 'compression-unsupported' }],
  ])('%s is refused', async (_, damage, error) => {
    await expect(recordsOf(damage(OF_TENSORFLOW))).rejects.toMatchObject(error)
  })

  it('every single bit that is flipped is noticed', async () => {
    for (let bit = 0; bit < OF_TENSORFLOW.length * 8; bit++) {
      const damaged = Buffer.from(OF_TENSORFLOW)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      await expect(recordsOf(damaged), `bit ${bit}`).rejects.toMatchObject({ name: 'AlbertkitError' })
    }
  })

  it('a length with a right checksum that is above 64 MiB is refused before anything is read', async () => {
    const framed = Buffer.from(frameRecord(new Uint8Array(8)))
    // The framed length of a record whose bytes are a length: its checksum is that of those bytes.
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(64n * 1024n * 1024n + 1n)
    const checksum = Buffer.from(frameRecord(length)).subarray(20, 24)
    await expect(recordsOf(Buffer.concat([length, checksum, framed]))).rejects.toMatchObject({ code: 'limit-exceeded' })
  })

  it('a part of a file counts from where it begins', async () => {
    const found: TfRecord[] = []
    const range = { offset: 100, bytes: OF_TENSORFLOW.length, first: 5 }
    for await (const record of splitRecords(stream(OF_TENSORFLOW, 64), 'a', range)) found.push(record)
    expect(found.map(({ number, offset, end }) => [number, offset, end])).toEqual([
      [5, 100, 119],
      [6, 119, 135],
    ])
  })

  it('ends the stream if a reader stops early', async () => {
    let isEnded = false
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        yield* stream(OF_TENSORFLOW, 4)
      } finally {
        isEnded = true
      }
    }
    for await (const { number } of splitRecords(watched(), 'a')) if (number === 1) break
    expect(isEnded).toBe(true)
  })
})

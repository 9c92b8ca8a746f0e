import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findBlob, PartialBlob, type BlobPlace } from '../../src/hub/blob.js'
import { journalLine } from '../../src/hub/byte-ranges.js'
import { gitHash, sha256 } from '../helpers/hub-server.js'

const BYTES = Buffer.from('the bytes of a file of some model')
let folder: string

const placeOf = (oid: string, isShared = true): BlobPlace => ({
  blob: join(folder, 'blobs', oid),
  link: join(folder, 'snapshots', 'commit', 'onnx', 'model.bin'),
  isShared,
  oid,
})
const never = (): boolean => {
  throw new Error('nobody asked')
}

/** Writes bytes into a partial file as the fetching thread does. */
function arrive(partial: PartialBlob, from: number, to: number, bytes = BYTES): void {
  const whole = Buffer.alloc(Math.max(to, statSync(partial.file).size))
  readFileSync(partial.file).copy(whole)
  bytes.copy(whole, from, from, to)
  writeFileSync(partial.file, whole)
  appendFileSync(partial.journal, journalLine(partial.inode, { from, to }))
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-blob-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

describe('a file of the cache', () => {
  it.each([
    ['SHA-256', sha256(BYTES)],
    ["git's SHA-1", gitHash(BYTES)],
  ])('is complete when its %s is right: a blob, and a relative link to it', (_, oid) => {
    const place = placeOf(oid)
    const partial = PartialBlob.open(place, BYTES.length, never)!
    expect(findBlob(place, BYTES.length)).toBeNull()
    arrive(partial, 10, BYTES.length)
    partial.refresh()
    expect(partial.isWhole).toBe(false)
    arrive(partial, 0, 10)
    partial.refresh()
    expect(partial.isWhole).toBe(true)
    expect(partial.finish('url')).toBe(place.link)
    expect(readlinkSync(place.link)).toBe(join('..', '..', '..', 'blobs', oid))
    expect(readFileSync(place.link)).toEqual(BYTES)
    expect(readdirSync(dirname(place.blob))).toEqual([oid])
    expect(findBlob(place, BYTES.length)).toBe(place.link)
  })

  it('is refused and removed if its hash is another', () => {
    const place = placeOf(sha256(Buffer.from('another')))
    mkdirSync(dirname(place.blob))
    writeFileSync(join(dirname(place.blob), 'x'), '')
    const partial = PartialBlob.open(place, BYTES.length, never)!
    arrive(partial, 0, BYTES.length)
    partial.refresh()
    expect(() => partial.finish('url')).toThrow(
      expect.objectContaining({ code: 'checksum-mismatch', kind: 'malformed' }),
    )
    expect(readdirSync(dirname(place.blob))).toEqual(['x'])
    expect(existsSync(place.link)).toBe(false)
  })

  it('is shared by processes, which see what the others fetched and finished', () => {
    const place = placeOf(sha256(BYTES))
    const [one, other] = [PartialBlob.open(place, BYTES.length, never)!, PartialBlob.open(place, BYTES.length, never)!]
    arrive(one, 0, 10)
    other.refresh()
    expect(other.ranges.prefix).toBe(10)
    arrive(other, 10, BYTES.length)
    for (const partial of [one, other]) partial.refresh()
    expect([one.isWhole, other.isWhole]).toEqual([true, true])
    one.finish('url')
    expect(other.finish('url')).toBe(place.link)
    expect(readFileSync(place.link)).toEqual(BYTES)
  })

  it('has no bytes of an earlier partial file that was removed while its journal stayed', () => {
    const place = placeOf(sha256(BYTES))
    const partial = PartialBlob.open(place, BYTES.length, never)!
    arrive(partial, 0, 10)
    const journal = readFileSync(partial.journal)
    rmSync(partial.file)
    // Takes the inode, as the next file of a busy folder does.
    writeFileSync(join(folder, 'taken'), '')
    writeFileSync(partial.journal, journal.toString().replace(/^\d+/gm, '1'))
    expect(PartialBlob.open(place, BYTES.length, never)!.ranges.bytes).toBe(0)
  })

  it('links a blob of another commit', () => {
    const place = placeOf(sha256(BYTES))
    mkdirSync(dirname(place.blob))
    writeFileSync(place.blob, BYTES)
    expect(findBlob(place, BYTES.length)).toBe(place.link)
    expect(findBlob(place, BYTES.length + 1)).toBeNull()
  })

  it('gives way to another one of the same address, of the same length too', () => {
    const at = (tag: string): BlobPlace => ({
      ...placeOf('', false),
      oid: null,
      blob: join(folder, 'blobs', `name-${tag}`),
    })
    mkdirSync(join(folder, 'blobs'))
    for (const name of ['name-one', 'name-one.albertkit', 'other-one']) writeFileSync(join(folder, 'blobs', name), name)
    expect(findBlob(at('one'), 8)).toBe(at('one').link)
    expect(findBlob(at('two'), 8)).toBeNull()
    writeFileSync(join(folder, 'blobs', 'name-two'), 'NAME-TWO')
    expect(findBlob(at('two'), 8)).toBe(at('two').link)
    expect(readFileSync(at('two').link, 'utf8')).toBe('NAME-TWO')
    expect(readdirSync(join(folder, 'blobs'))).toEqual(['name-two', 'other-one'])
  })

  it('is not kept if something else is in the way', () => {
    writeFileSync(join(folder, 'blobs'), '')
    expect(PartialBlob.open(placeOf(sha256(BYTES)), 1, never)).toBeNull()
  })
})

describe('what another tool began', () => {
  const begin = (place: BlobPlace, length = 10): string => {
    const theirs = `${place.blob}.incomplete`
    mkdirSync(dirname(place.blob), { recursive: true })
    writeFileSync(theirs, BYTES.subarray(0, length))
    return theirs
  }

  it('is copied while it may go on, and taken over when it has stopped', () => {
    const place = placeOf(sha256(BYTES))
    const theirs = begin(place)
    expect(PartialBlob.open(place, BYTES.length, () => true)!.ranges.prefix).toBe(10)
    expect(existsSync(theirs)).toBe(true)
    rmSync(`${place.blob}.albertkit`)
    utimesSync(theirs, new Date(0), new Date(0))
    expect(PartialBlob.open(place, BYTES.length, () => true)!.ranges.prefix).toBe(10)
    expect(existsSync(theirs)).toBe(false)
  })

  it('is left alone if it was not written in order, or is too long', () => {
    const place = placeOf(sha256(BYTES))
    begin(place)
    expect(PartialBlob.open(place, BYTES.length, () => false)!.ranges.bytes).toBe(0)
    rmSync(`${place.blob}.albertkit`)
    expect(PartialBlob.open(place, 5, never)!.ranges.bytes).toBe(0)
  })

  it('gets the first bytes of what we leave, but no file with holes, nor one of our own cache', () => {
    const place = placeOf(sha256(BYTES))
    const partial = PartialBlob.open(place, BYTES.length, never)!
    arrive(partial, 0, 10)
    partial.leave(true)
    expect(readdirSync(dirname(place.blob))).toEqual([`${place.blob.split('/').at(-1)!}.incomplete`])
    expect(readFileSync(`${place.blob}.incomplete`)).toEqual(BYTES.subarray(0, 10))
    for (const [isShared, isSequential, from] of [
      [false, true, 0],
      [true, false, 0],
      [true, true, 5],
    ] as const) {
      rmSync(dirname(place.blob), { recursive: true })
      const mine = PartialBlob.open({ ...place, isShared }, BYTES.length, never)!
      arrive(mine, from, 10)
      mine.leave(isSequential)
      expect(existsSync(`${place.blob}.incomplete`)).toBe(false)
      expect(PartialBlob.open(place, BYTES.length, never)!.ranges.bytes).toBe(10 - from)
    }
  })

  it('nothing is left of a file of which nothing was fetched', () => {
    const place = placeOf(sha256(BYTES))
    PartialBlob.open(place, BYTES.length, never)!.leave(true)
    expect(readdirSync(dirname(place.blob))).toEqual([])
  })
})

import fc from 'fast-check'
import { compress } from 'snappyjs'
import { expect, it } from 'vitest'
import { SnappyError, uncompress } from '../../../src/formats/tf-bundle/snappy.js'

it('gives back what another implementation compressed', () => {
  const texts = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc
      .array(fc.constantFrom('bert/', 'kernel', 'x'), { maxLength: 900 })
      .map((parts) => new Uint8Array(Buffer.from(parts.join('')))),
  )
  fc.assert(
    fc.property(texts, (bytes) => {
      expect(Buffer.compare(uncompress(compress(bytes), 1 << 20), bytes)).toBe(0)
    }),
  )
})

it.each([
  ['a literal of 4 GB', [5, 0xfc, 0xf3, 0x01, 0x32, 0xf0, 1]],
  ['a result larger than the limit', [0xff, 0xff, 0xff, 0xff, 0x07, 0]],
  ['a result that so few bytes cannot make', [0xff, 0x40, 0, 97]],
  ['a copy from before the start', [8, 0, 97, 0x05, 2]],
  ['a copy of itself', [8, 0, 97, 0x05, 0]],
  ['a copy past the end', [3, 0, 97, 0x05, 1]],
  ['a literal past the end', [1, 4, 97, 98]],
  ['fewer bytes than it says', [9, 0, 97]],
  ['an element that is cut off', [4, 0, 97, 0x02]],
  ['no length', [0x80, 0x80]],
])('%s is no snappy block', (_, bytes) => {
  const start = process.cpuUsage()
  expect(() => uncompress(Uint8Array.from(bytes), 1 << 20)).toThrow(SnappyError)
  expect(process.cpuUsage(start).user).toBeLessThan(200_000)
})

it('any bytes end soon, in a result or an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        expect(uncompress(bytes, 1 << 16).length).toBeLessThanOrEqual(1 << 16)
      } catch (error) {
        expect(error).toBeInstanceOf(SnappyError)
      }
    }),
    { numRuns: 2000 },
  )
})

import * as native from '@node-rs/crc32'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plainChecksums } from '../../../src/formats/core/checksums.js'

describe('checksums in plain code', () => {
  it('are those that the specifications give for "123456789"', () => {
    const digits = Buffer.from('123456789')
    expect(plainChecksums.crc32(digits, 0)).toBe(0xcbf43926)
    expect(plainChecksums.crc32c(digits, 0)).toBe(0xe3069283)
  })

  it('are those of the native package, of any bytes, in one piece or in two', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, at) => {
        const [first, second] = [bytes.subarray(0, at), bytes.subarray(at)]
        for (const name of ['crc32', 'crc32c'] as const) {
          const expected = native[name](Buffer.from(bytes))
          expect(plainChecksums[name](bytes, 0)).toBe(expected)
          expect(plainChecksums[name](second, plainChecksums[name](first, 0))).toBe(expected)
        }
      }),
    )
  })
})

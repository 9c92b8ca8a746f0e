import { randomBytes } from 'node:crypto'
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InflatedBytes } from '../../../src/formats/deflate/inflated.js'

const ranges = (bytes: Uint8Array) => ({
  read: (offset: number, target: Uint8Array): void => {
    target.set(bytes.subarray(offset, offset + target.length))
  },
})
const inflated = (packed: Uint8Array, onNew?: (piece: Uint8Array) => void): InflatedBytes =>
  new InflatedBytes(ranges(packed), 0, packed.length, onNew)

function all(packed: Uint8Array): Buffer {
  const parts: Buffer[] = []
  const source = inflated(packed, (piece) => parts.push(Buffer.from(piece)))
  source.finish()
  return Buffer.concat(parts)
}

/** Bytes that compress well, and far back, and not at all. */
function sample(size: number): Buffer {
  const part = randomBytes(Math.ceil(size / 7))
  const zeros = Buffer.alloc(Math.ceil(size / 7))
  const text = Buffer.from('albert '.repeat(Math.ceil(size / 49)))
  return Buffer.concat([part, zeros, text, part, part.subarray(100), text, zeros]).subarray(0, size)
}

describe('inflated bytes', () => {
  it.each([
    ['default', {}],
    ['stored', { level: 0 }],
    ['fixed codes', { strategy: constants.Z_FIXED }],
    ['Huffman alone', { strategy: constants.Z_HUFFMAN_ONLY }],
    ['runs', { strategy: constants.Z_RLE }],
    ['the most', { level: 9, memLevel: 9 }],
    ['small blocks', { memLevel: 1 }],
  ])('are those of zlib: %s', (_, options) => {
    for (const size of [0, 1, 1000, 1 << 20, (1 << 20) + 1, 3_500_000]) {
      const bytes = sample(size)
      expect(all(deflateRawSync(bytes, options)).equals(bytes), `${size}`).toBe(true)
    }
  })

  it('of any text are those of zlib', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000, max: 9 }), fc.integer({ min: 0, max: 9 }), (bytes, level) => {
        expect(all(deflateRawSync(bytes, { level })).equals(bytes)).toBe(true)
      }),
    )
  })

  it('can be read in any order', () => {
    const bytes = sample(5_000_000)
    const source = inflated(deflateRawSync(bytes))
    for (const [offset, length] of [
      [4_900_000, 200_000],
      [0, 10],
      [1_048_570, 12],
      [2_500_000, 2_200_000],
      [3, 1_500_000],
      [4_999_999, 5],
      [6_000_000, 5],
    ] as const) {
      const target = new Uint8Array(length)
      const n = source.read(offset, target)
      expect(n).toBe(Math.max(0, Math.min(length, bytes.length - offset)))
      expect(bytes.subarray(offset, offset + n).equals(target.subarray(0, n))).toBe(true)
    }
  })

  it('that are damaged are refused exactly if zlib refuses them', () => {
    const bytes = sample(20_000)
    const packed = deflateRawSync(bytes)
    const verdict = (body: () => unknown): unknown => {
      try {
        return body()
      } catch {
        return 'refused'
      }
    }
    let refused = 0
    for (let i = 0; i < 1500; i++) {
      const damaged = Buffer.from(packed)
      const at = i < 300 ? i : (i * 7919) % damaged.length
      damaged[at] = damaged[at]! ^ (1 << (i % 8))
      const theirs = verdict(() => inflateRawSync(damaged).toString('base64'))
      const ours = verdict(() => all(damaged).toString('base64'))
      expect(ours === theirs, `byte ${at}, bit ${i % 8}`).toBe(true)
      if (ours === 'refused') refused++
    }
    expect(refused).toBeGreaterThan(100)
    expect(() => all(packed.subarray(0, -3))).toThrow('ends early')
  })
})

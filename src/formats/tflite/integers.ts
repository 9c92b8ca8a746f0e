import type { RangedFile } from '../core/file.js'

/** Numbers read at a time, an even number. */
const PIECE = 1 << 16

/** A part of an integer tensor to read as float32: bytes of float32 from `offset` on. */
interface Wanted {
  readonly offset: number
  readonly target: Uint8Array
  /** Scale of element `i`. */
  readonly stepAt: (i: number) => number
}

/** Reads integers of 8 bits, or of 4 bits with two in a byte, the low half first, as `q · scale`. */
export function readIntegers(file: RangedFile, start: number, bits: 4 | 8, { offset, target, stepAt }: Wanted): void {
  const [first, end] = [Math.floor(offset / 4), Math.ceil((offset + target.length) / 4)]
  const bytes = new Uint8Array(Math.min(PIECE, end - first) + 1)
  const numbers = new Float32Array(bytes.length)
  const raw = new Uint8Array(numbers.buffer)
  for (let at = first; at < end; at += PIECE) {
    const count = Math.min(PIECE, end - at)
    const [from, to] = bits === 8 ? [at, at + count] : [at >> 1, (at + count + 1) >> 1]
    file.read(start + from, bytes.subarray(0, to - from))
    for (let i = 0; i < count; i++) {
      const index = at + i
      const byte = bytes[bits === 8 ? i : (index >> 1) - from]!
      const q = bits === 8 ? (byte << 24) >> 24 : index % 2 === 0 ? (byte << 28) >> 28 : (byte << 24) >> 28
      numbers[i] = q * stepAt(index)
    }
    // The requested bytes may begin and end within a number.
    const [low, high] = [Math.max(offset, at * 4), Math.min(offset + target.length, (at + count) * 4)]
    target.set(raw.subarray(low - at * 4, high - at * 4), low - offset)
  }
}

/** Canonical Huffman codes of DEFLATE (RFC 1951, 3.2.2), decoded by one look into a table. */

export const MAX_CODE_BITS = 15

export interface HuffmanTable {
  /** Bits that are looked up at a time: those of the longest code. */
  readonly bits: number
  /** By the next bits of the stream: symbol · 16 + length of its code; 0 if no code begins so. */
  readonly entries: Uint16Array
}

/** The lowest `length` bits of `code` in the opposite order: codes are packed with their first bit lowest. */
function reversed(code: number, length: number): number {
  let result = 0
  for (let i = 0; i < length; i++) result |= ((code >>> i) & 1) << (length - 1 - i)
  return result
}

/**
 * Table of the codes with the given lengths, by symbol.
 * @param partial true if codes may leave bit patterns unused, as a single distance does
 * @returns null if no such code exists
 */
export function huffmanTable(lengths: Uint8Array, partial: boolean): HuffmanTable | null {
  const counts = new Uint16Array(MAX_CODE_BITS + 1)
  for (const length of lengths) counts[length]!++
  counts[0] = 0
  let bits = MAX_CODE_BITS
  while (bits > 1 && counts[bits] === 0) bits--
  const next = new Uint16Array(MAX_CODE_BITS + 2)
  let left = 1
  for (let length = 1; length <= MAX_CODE_BITS; length++) {
    left = left * 2 - counts[length]!
    if (left < 0) return null
    next[length + 1] = (next[length]! + counts[length]!) * 2
  }
  if (left > 0 && !(partial && lengths.filter((length) => length > 0).length <= 1)) return null
  const entries = new Uint16Array(1 << bits)
  lengths.forEach((length, symbol) => {
    if (length === 0) return
    const first = reversed(next[length]!++, length)
    for (let at = first; at < entries.length; at += 1 << length) entries[at] = (symbol << 4) | length
  })
  return { bits, entries }
}

const fixedLengths = Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))

/** Fixed codes, for blocks without a table (3.2.6). */
export const FIXED = {
  literals: huffmanTable(fixedLengths, false)!,
  distances: huffmanTable(new Uint8Array(32).fill(5), false)!,
}

/** Lengths and distances: the smallest of each code, and the number of extra bits (3.2.5). */
export const LENGTH_BASE = Uint16Array.of(
  3,
  4,
  5,
  6,
  7,
  8,
  9,
  10,
  11,
  13,
  15,
  17,
  19,
  23,
  27,
  31,
  35,
  43,
  51,
  59,
  67,
  83,
  99,
  115,
  131,
  163,
  195,
  227,
  258,
)
export const LENGTH_EXTRA = Uint8Array.of(
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  1,
  1,
  1,
  1,
  2,
  2,
  2,
  2,
  3,
  3,
  3,
  3,
  4,
  4,
  4,
  4,
  5,
  5,
  5,
  5,
  0,
)
export const DISTANCE_BASE = Uint16Array.of(
  1,
  2,
  3,
  4,
  5,
  7,
  9,
  13,
  17,
  25,
  33,
  49,
  65,
  97,
  129,
  193,
  257,
  385,
  513,
  769,
  1025,
  1537,
  2049,
  3073,
  4097,
  6145,
  8193,
  12289,
  16385,
  24577,
)
export const DISTANCE_EXTRA = Uint8Array.of(
  0,
  0,
  0,
  0,
  1,
  1,
  2,
  2,
  3,
  3,
  4,
  4,
  5,
  5,
  6,
  6,
  7,
  7,
  8,
  8,
  9,
  9,
  10,
  10,
  11,
  11,
  12,
  12,
  13,
  13,
)

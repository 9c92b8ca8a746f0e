/**
 * CRC-32 (zip, gzip) and CRC-32C (Castagnoli; TensorFlow). Computed here eight bytes at a time by tables; a host that
 * has a faster implementation installs it once with `useChecksums`.
 */
export interface Checksums {
  /** CRC of `bytes`, continuing from `state`, the CRC of the preceding bytes; 0 at the start. */
  readonly crc32: (bytes: Uint8Array, state: number) => number
  readonly crc32c: (bytes: Uint8Array, state: number) => number
}

const LANES = 8

/**
 * Tables of a reflected polynomial: entry `256 · k + b` is the CRC of the byte `b` followed by `k` zero bytes
 * (Kounavis and Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation", slicing by eight).
 */
function tablesOf(polynomial: number): Int32Array {
  const tables = new Int32Array(LANES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    tables[byte] = crc
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256]!
    tables[i] = tables[before & 255]! ^ (before >>> 8)
  }
  return tables
}

/** A reflected 32-bit CRC with initial and final inversion. */
function crcOfPolynomial(polynomial: number): (bytes: Uint8Array, state: number) => number {
  let made: Int32Array | null = null
  return (bytes, state) => {
    const t = (made ??= tablesOf(polynomial))
    let crc = ~state
    let at = 0
    for (const end = bytes.length - LANES; at <= end; at += LANES) {
      const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
      crc =
        t[1792 + (low & 255)]! ^
        t[1536 + ((low >>> 8) & 255)]! ^
        t[1280 + ((low >>> 16) & 255)]! ^
        t[1024 + (low >>> 24)]! ^
        t[768 + bytes[at + 4]!]! ^
        t[512 + bytes[at + 5]!]! ^
        t[256 + bytes[at + 6]!]! ^
        t[bytes[at + 7]!]!
    }
    for (; at < bytes.length; at++) crc = t[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8)
    return ~crc >>> 0
  }
}

/** Checksums in plain JavaScript, which run everywhere. */
export const plainChecksums: Checksums = {
  crc32: crcOfPolynomial(0xedb88320),
  crc32c: crcOfPolynomial(0x82f63b78),
}

let used = plainChecksums

/** Computes checksums with `faster` from now on. */
export const useChecksums = (faster: Checksums): void => {
  used = faster
}

/** CRC-32 of `bytes`, continuing from `state`, the CRC of the preceding bytes. */
export const crc32 = (bytes: Uint8Array, state = 0): number => used.crc32(bytes, state)

/** CRC-32C of `bytes`, continuing from `state`, the CRC of the preceding bytes. */
export const crc32c = (bytes: Uint8Array, state = 0): number => used.crc32c(bytes, state)

/** LevelDB stores CRCs rotated and offset, so that a CRC of data that contains CRCs stays useful (util/crc32c.h). */
const MASK_DELTA = 0xa282ead8
export const maskCrc = (crc: number): number => ((((crc >>> 15) | (crc << 17)) >>> 0) + MASK_DELTA) >>> 0

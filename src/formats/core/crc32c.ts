import { crc32c } from '@node-rs/crc32'

/** CRC-32C (Castagnoli) of `bytes`, continuing from `state`, the CRC of what came before. */
export const crcOf = (bytes: Uint8Array, state = 0): number =>
  crc32c(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), state)

/** LevelDB stores CRCs rotated and offset, so that a CRC of data that holds CRCs stays meaningful (leveldb util/crc32c.h). */
const MASK_DELTA = 0xa282ead8
export const maskCrc = (crc: number): number => ((((crc >>> 15) | (crc << 17)) >>> 0) + MASK_DELTA) >>> 0

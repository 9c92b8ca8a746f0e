import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, type AlbertkitError } from '../../base/errors.js'
import { crc32c, maskCrc } from '../core/checksums.js'
import type { RangedFile } from '../core/file.js'
import type { Piece } from './entries.js'

/** Strings in checkpoints are names and object graphs; a larger string tensor is an attack or damage. */
const MAX_BYTES = 64 * 1024 * 1024

/**
 * Reads a string tensor (WriteStringTensor in tensor_bundle.cc): the lengths as varints, their masked CRC-32C, then the
 * strings. The checksum of the tensor covers the lengths as 32-bit integers, the first checksum, and the strings.
 * @throws AlbertkitError `malformed` naming file and tensor
 */
export function readStrings(
  file: RangedFile,
  { offset, size, crc }: Piece,
  count: number,
  tensor: string,
  checksum: boolean,
): Uint8Array[] {
  const fail = (what: string, code: ErrorCode = 'header-invalid'): AlbertkitError =>
    malformed(what, { code, file: file.path, tensor, offset })
  if (size > MAX_BYTES) throw fail(`a string tensor of ${size} bytes`, 'limit-exceeded')
  const bytes = file.bytes(offset, size)
  // A length takes at least one byte.
  if (count > size) throw fail(`the tensor has ${count} strings in ${size} bytes`)
  let at = 0
  const lengths = Array.from({ length: count }, () => {
    let length = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]
      if (byte === undefined || scale > 2 ** 28) throw fail('the length of a string cannot be read')
      length += (byte & 127) * scale
      if (byte < 128) return length
    }
  })
  const start = at + 4
  if (start + lengths.reduce((a, b) => a + b, 0) !== size)
    throw fail('the lengths of the strings do not fit the tensor')
  const stored = bytes.subarray(at, start)
  if (checksum) {
    let sum = crc32c(new Uint8Array(Uint32Array.from(lengths).buffer))
    const own = maskCrc(sum)
    sum = crc32c(bytes.subarray(start), crc32c(stored, sum))
    if (own !== new DataView(bytes.buffer, at).getUint32(0, true) || maskCrc(sum) !== crc)
      throw fail('the strings of the tensor do not have their CRC-32C', 'checksum-mismatch')
  }
  at = start
  return lengths.map((length) => bytes.subarray(at, (at += length)))
}

import { concatBytes } from '../../base/bytes.js'

/** Keys of the slices of partitioned tensors, in V1 and V2 checkpoints. */

/**
 * OrderedCode's encoding of a string: 0x00 becomes 00 FF, 0xFF becomes FF 00, and 00 01 ends it
 * (tensorflow/core/lib/strings/ordered_code.cc).
 */
function orderedString(bytes: Uint8Array): number[] {
  const out: number[] = []
  for (const byte of bytes) {
    out.push(byte)
    if (byte === 0) out.push(0xff)
    else if (byte === 0xff) out.push(0)
  }
  out.push(0, 1)
  return out
}

/** OrderedCode's increasing unsigned number: its length in bytes, then the bytes, big-endian. */
function orderedNumber(n: number): number[] {
  const bytes: number[] = []
  for (let rest = n; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [bytes.length, ...bytes]
}

/** OrderedCode's increasing signed number: sign and length bits first, then two's complement, big-endian. */
function orderedSigned(n: number): number[] {
  if (n >= -64 && n < 64) return [(n & 0xff) ^ 0x80]
  const magnitude = BigInt(n < 0 ? -n - 1 : n)
  let length = 2
  while (magnitude >= 1n << BigInt(7 * length - 1)) length++
  const header = length < 8 ? [0xff & (0xff << (8 - length))] : [0xff, 0xff & (0xff << (16 - length))]
  let bits = BigInt.asUintN(8 * length, BigInt(n))
  const out = new Array<number>(length).fill(0)
  for (let i = length - 1; i >= 0; i--, bits >>= 8n) out[i] = Number(bits & 255n)
  if (n < 0) header.forEach((mask, i) => (out[i] = (out[i] ?? 0) & (0xff ^ mask)))
  else header.forEach((mask, i) => (out[i] = (out[i] ?? 0) | mask))
  return out
}

/** Start and length along an axis; the length is null if the slice covers the axis. */
export interface Extent {
  readonly start: number
  readonly length: number | null
}

/**
 * Gives the keys of the slices of a tensor: 0, name, rank, then start and length along each axis, 0 and −1 if the slice
 * covers the axis (tensorflow/core/util/saved_tensor_slice_util.cc). The name is encoded once.
 */
export function sliceKeys(name: Uint8Array): (extents: readonly Extent[]) => Uint8Array {
  const before = Uint8Array.from([...orderedNumber(0), ...orderedString(name)])
  return (extents) => {
    const parts = extents.flatMap(({ start, length }) =>
      length === null
        ? [...orderedSigned(0), ...orderedSigned(-1)]
        : [...orderedSigned(start), ...orderedSigned(length)],
    )
    return concatBytes([before, Uint8Array.from([...orderedNumber(extents.length), ...parts])])
  }
}

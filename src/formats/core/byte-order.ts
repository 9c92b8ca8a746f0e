/** Big-endian elements of `width` bytes to little-endian, in place; `bytes` holds whole elements. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (width === 2) buffer.swap16()
  else if (width === 4) buffer.swap32()
  else if (width === 8) buffer.swap64()
}

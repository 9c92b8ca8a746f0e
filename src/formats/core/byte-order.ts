/** Converts big-endian elements of `width` bytes to little-endian, in place; `bytes` holds whole elements. */
export function swapBytes(bytes: Uint8Array, width: number): void {
  if (width === 1) return
  for (let start = 0; start < bytes.length; start += width)
    for (let low = start, high = start + width - 1; low < high; low++, high--) {
      const byte = bytes[low]!
      bytes[low] = bytes[high]!
      bytes[high] = byte
    }
}

/**
 * Reads a range of bytes by whole elements of `width` bytes, even if it begins or ends within an element.
 * @param read fills its target from a byte that begins an element
 */
export function inWholeElements(
  width: number,
  offset: number,
  target: Uint8Array,
  read: (offset: number, target: Uint8Array) => void,
): void {
  const start = offset - (offset % width)
  const end = Math.ceil((offset + target.length) / width) * width
  if (start === offset && end === offset + target.length) {
    read(offset, target)
    return
  }
  const whole = new Uint8Array(end - start)
  read(start, whole)
  target.set(whole.subarray(offset - start, offset - start + target.length))
}

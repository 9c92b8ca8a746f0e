/**
 * Reads a range of bytes by whole elements of `width` bytes, though it may begin and end within one.
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

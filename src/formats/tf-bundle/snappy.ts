/**
 * Decompresses a block in snappy's raw format (google/snappy, format_description.txt): the length of the result, then
 * literals and copies of what came out before. Every length is compared with what is there before anything is done.
 */

/** Error for bytes that are not a snappy block. The caller, which knows the file, turns it into an AlbertkitError. */
export class SnappyError extends Error {}

/**
 * The decompressed bytes of a block.
 * @param limit bytes that may come out
 * @throws SnappyError
 */
export function uncompress(bytes: Uint8Array, limit: number): Uint8Array<ArrayBuffer> {
  let at = 0
  let length = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]
    if (byte === undefined || shift > 28) throw new SnappyError('its length cannot be read')
    length += (byte & 127) * 2 ** shift
    if (byte < 128) break
  }
  if (length > limit) throw new SnappyError(`it says that ${length} bytes come out, and ${limit} is the limit`)
  // Three bytes copy up to 64.
  if (length > bytes.length * 22) throw new SnappyError(`${length} bytes cannot come out of ${bytes.length}`)
  const out = new Uint8Array(length)
  let end = 0
  const little = (count: number): number => {
    if (at + count > bytes.length) throw new SnappyError('it ends within an element')
    let value = 0
    for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!
    at += count
    return value
  }
  while (at < bytes.length) {
    const tag = bytes[at++]!
    const high = tag >>> 2
    const kind = tag & 3
    if (kind === 0) {
      const size = (high < 60 ? high : little(high - 59)) + 1
      if (size > bytes.length - at || size > length - end) throw new SnappyError('a literal runs past the end')
      out.set(bytes.subarray(at, at + size), end)
      at += size
      end += size
      continue
    }
    const size = kind === 1 ? (high & 7) + 4 : high + 1
    const distance = kind === 1 ? (tag >>> 5) * 256 + little(1) : little(kind === 2 ? 2 : 4)
    if (distance === 0 || distance > end) throw new SnappyError('a copy reaches back beyond the start')
    if (size > length - end) throw new SnappyError('a copy runs past the end')
    // What is copied may overlap what it makes.
    for (const stop = end + size; end < stop; end++) out[end] = out[end - distance]!
  }
  if (end !== length) throw new SnappyError(`${end} bytes come out instead of ${length}`)
  return out
}

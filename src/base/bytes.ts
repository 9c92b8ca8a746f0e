/** Bytes and texts, without Node's Buffer. */

// A byte order mark is kept; the reader of the text handles it.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** Text of UTF-8 bytes; U+FFFD replaces invalid bytes. */
export const utf8Text = (bytes: Uint8Array): string => decoder.decode(bytes)

/** UTF-8 bytes of a text. */
export const utf8Bytes = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text)

/** Arguments of one call, far below the limit of any engine. */
const SPREAD = 4096

/** `apply` takes an array of bytes as it is; spreading iterates over it, which takes ten times as long. */
const characters = (bytes: ArrayLike<number>): string => String.fromCharCode.apply(null, bytes as number[])

/** One character for each byte. */
export function latin1Text(bytes: Uint8Array): string {
  if (bytes.length <= SPREAD) return characters(bytes)
  const parts: string[] = []
  for (let at = 0; at < bytes.length; at += SPREAD) parts.push(characters(bytes.subarray(at, at + SPREAD)))
  return parts.join('')
}

/** The parts, one behind the other. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Order of two byte strings: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

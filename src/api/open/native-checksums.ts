import { useChecksums } from '../../formats/core/checksums.js'

let loading: Promise<void> | null = null

/** Computes checksums by native code from now on, if that is installed; the plain code gives the same, more slowly. */
export function loadNativeChecksums(): Promise<void> {
  loading ??= load()
  return loading
}

async function load(): Promise<void> {
  try {
    const { crc32, crc32c } = await import('@node-rs/crc32')
    const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    useChecksums({
      crc32: (bytes, state) => crc32(bufferOf(bytes), state),
      crc32c: (bytes, state) => crc32c(bufferOf(bytes), state),
    })
  } catch {
    // No binary for this platform: the plain code stays.
  }
}

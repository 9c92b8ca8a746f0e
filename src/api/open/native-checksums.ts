import type * as Native from '@node-rs/crc32'
import { requirePackage } from '../../base/optional-package.js'
import { useChecksums } from '../../formats/core/checksums.js'

let loaded = false

/** Computes checksums by native code from now on, if that is installed; the plain code gives the same, more slowly. */
export function loadNativeChecksums(): void {
  if (loaded) return
  loaded = true
  try {
    const { crc32, crc32c } = requirePackage('@node-rs/crc32') as typeof Native
    const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    useChecksums({
      crc32: (bytes, state) => crc32(bufferOf(bytes), state),
      crc32c: (bytes, state) => crc32c(bufferOf(bytes), state),
    })
  } catch {
    // No binary for this platform: the plain code stays.
  }
}

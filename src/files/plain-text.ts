import { closeSync, fstatSync, readFileSync } from 'node:fs'
import { malformed } from '../base/errors.js'
import { openReadable } from './disk.js'

/** Bytes of such a text: manifests and configurations have kilobytes. */
const MAX_BYTES = 16 * 1024 * 1024

/**
 * The text of a small file in an output directory, which is not a source and may be replaced. A pipe or a device, which
 * may never end, is refused.
 * @throws AlbertkitError `malformed`, `environment`
 */
export function readPlainText(file: string): string {
  const descriptor = openReadable(file)
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw malformed('not a regular file', { code: 'file-not-regular', file })
    if (stats.size > MAX_BYTES) throw malformed('the file is too large', { code: 'limit-exceeded', file })
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

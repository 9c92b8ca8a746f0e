import { parseJson } from '../../base/json-text.js'
import type { ErrorCode } from '../../base/error-codes.js'
import { AlbertkitError, malformed, usage } from '../../base/errors.js'
import { exists, type FilePort } from '../../formats/core/file-port.js'
import { refuseForeign } from '../../formats/core/explain.js'
import { readBytes as readWhole, refuseSpecial } from '../../formats/core/file.js'

/** Files of a tokenizer. */

/** Bytes of a vocabulary: the largest, a `tokenizer.json` of 250,000 pieces, has 17 MB. */
const MAX_BYTES = 24 * 1024 * 1024

/** Bytes of settings: those of a tokenizer with thousands of added tokens have 1 MB. */
const MAX_SETTINGS_BYTES = 16 * 1024 * 1024

/** Errors that say what is wrong better than that the tokenizer cannot be read. */
const TOLD: ReadonlySet<string> = new Set<ErrorCode>([
  'checksum-mismatch',
  'file-changed',
  'file-not-regular',
  'path-escapes',
])

/** Bytes of a regular file; null of anything else. */
export function sizeOf(files: FilePort, file: string): number | null {
  const stat = files.stat(file)
  return stat?.kind === 'file' ? stat.size : null
}

/** Names in a directory, in order; empty if it cannot be listed. */
export function namesIn(files: FilePort, directory: string): string[] {
  try {
    return [...files.list(directory)].sort()
  } catch {
    return []
  }
}

/**
 * Reads a file whole. A pipe or a device is refused before it is opened: opening it may wait for ever.
 * @throws AlbertkitError `usage` if it cannot be read, `malformed` if it is no file or a pointer to one
 */
export function readBytes(files: FilePort, file: string): Uint8Array {
  refuseSpecial(files, file)
  if ((sizeOf(files, file) ?? 0) > MAX_BYTES)
    throw usage('the file is too large for a vocabulary', { code: 'limit-exceeded', file })
  let bytes: Uint8Array
  try {
    bytes = readWhole(files, file)
  } catch (error) {
    if (!(error instanceof AlbertkitError) || TOLD.has(error.code)) throw error
    throw usage('the tokenizer cannot be read', { code: 'file-unreadable', file, cause: error })
  }
  refuseForeign(files, file)
  return bytes
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: false })
/** Text of a file in UTF-8, a byte order mark left out. @throws AlbertkitError as `readBytes` */
export const readText = (files: FilePort, file: string): string => decoder.decode(readBytes(files, file))

/**
 * The object in a JSON file; null if there is no such file.
 * @throws AlbertkitError `malformed` if it holds something else
 */
export function readJsonObject(files: FilePort, file: string): Readonly<Record<string, unknown>> | null {
  if (!exists(files, file)) return null
  let value: unknown
  if ((sizeOf(files, file) ?? 0) > MAX_SETTINGS_BYTES)
    throw malformed('the file is too large for the settings of a tokenizer', { code: 'limit-exceeded', file })
  const text = readText(files, file)
  try {
    value = parseJson(text)
  } catch (cause) {
    throw malformed('the file is not JSON', { code: 'tokenizer-invalid', file, cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('the file holds no JSON object', { code: 'tokenizer-invalid', file })
  return value as Readonly<Record<string, unknown>>
}

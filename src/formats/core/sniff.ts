import { latin1Text } from '../../base/bytes.js'
import type { FilePort } from './file-port.js'
import { withFile } from './file.js'

/** Kind of a file by its first bytes, regardless of its name. */
export type FileKind =
  | 'zip'
  | 'gzip'
  | 'hdf5'
  | 'pickle'
  | 'png'
  | 'html'
  | 'lfs-pointer'
  | 'table'
  | 'json'
  | 'safetensors'
  | 'text'
  | 'empty'
  | 'unknown'

const SAMPLE = 512
const startsWith = (bytes: Uint8Array, text: string): boolean => latin1Text(bytes.subarray(0, text.length)) === text

const isText = (bytes: Uint8Array): boolean =>
  bytes.every((b) => b === 9 || b === 10 || b === 13 || (b >= 32 && b !== 127))

/** A safetensors file begins with a small little-endian length and `{`. */
function isSafetensors(bytes: Uint8Array): boolean {
  return bytes.length > 8 && bytes[8] === 0x7b && bytes[6] === 0 && bytes[7] === 0
}

/** Kind of the file at `path`. @throws AlbertkitError if the file cannot be read */
export function sniff(files: FilePort, path: string): FileKind {
  const bytes = withFile(files, path, (file) => file.bytes(0, Math.min(SAMPLE, file.size)))
  if (bytes.length === 0) return 'empty'
  if (startsWith(bytes, 'PK\x03\x04')) return 'zip'
  if (startsWith(bytes, '\x1f\x8b')) return 'gzip'
  if (startsWith(bytes, '\x89HDF')) return 'hdf5'
  if (startsWith(bytes, '\x89PNG')) return 'png'
  if (bytes[0] === 0x80 && (bytes[1] ?? 9) <= 5) return 'pickle'
  if (startsWith(bytes, 'version https://git-lfs')) return 'lfs-pointer'
  if (isSafetensors(bytes)) return 'safetensors'
  const head = latin1Text(bytes).trimStart().toLowerCase()
  if (head.startsWith('<!doctype') || head.startsWith('<html')) return 'html'
  if (/^(\{|\[\s*["{[\]\d-])/.test(head)) return 'json'
  return isText(bytes) ? 'text' : 'unknown'
}

/** Words for each kind, for messages. */
export const KIND_WORDS: Readonly<Record<FileKind, string>> = {
  zip: 'a zip archive (a PyTorch file, perhaps)',
  gzip: 'a gzip archive',
  hdf5: 'an HDF5 file',
  pickle: 'a pickle (an old PyTorch file, perhaps)',
  png: 'a PNG picture',
  html: 'an HTML page (an error page saved instead of the file, perhaps)',
  'lfs-pointer': 'a Git LFS pointer, not the file itself',
  table: 'a table',
  json: 'JSON',
  safetensors: 'safetensors',
  text: 'a text file (a vocabulary, perhaps)',
  empty: 'empty',
  unknown: 'of no known kind',
}

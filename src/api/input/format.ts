import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { usage } from '../../base/errors.js'
import { formatByContents, isExampleFormat, type ExampleFormat, type InputFormat } from '../../text/data/examples.js'

/** Bytes of a file that are examined for its format. */
const HEAD = 1 << 16

/** Beginning of a regular file as text, its first `HEAD` bytes; empty if it cannot be read. */
export function headOf(path: string): string {
  if (path === '-' || statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return ''
  const bytes = new Uint8Array(HEAD)
  const descriptor = openSync(path, 'r')
  try {
    return new TextDecoder().decode(bytes.subarray(0, readSync(descriptor, bytes)))
  } finally {
    closeSync(descriptor)
  }
}

/** Format of a file of examples, by its name or its contents. @throws AlbertkitError `usage` if it is one JSON value */
export const formatOfFile = (path: string): InputFormat => formatByContents(headOf(path), path)

/** Format of a file of texts. @throws AlbertkitError `usage` if it holds features, tags or answers, or is one JSON value */
export function textFormatOf(path: string): ExampleFormat {
  const format = formatOfFile(path)
  if (isExampleFormat(format)) return format
  throw usage(`the input is read as ${format}, not as text`, { code: 'text-unusable', file: path })
}

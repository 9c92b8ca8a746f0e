import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'

/** Bytes that are read at a time. */
const CHUNK = 1 << 18

/** A part of a file. */
export interface ByteRange {
  readonly offset: number
  readonly bytes: number
}

/** What a stream is called in messages. */
export const streamName = (path: string): string => (path === '-' ? 'standard input' : path)

/**
 * The bytes of a file or a pipe, of a part of a file, or of standard input (`-`), as they come.
 * @throws whatever the operating system says
 */
export async function* byteStream(
  path: string,
  range?: ByteRange,
  stdin: Readable = process.stdin,
): AsyncGenerator<Uint8Array> {
  if (range?.bytes === 0) return
  const part = range === undefined ? {} : { start: range.offset, end: range.offset + range.bytes - 1 }
  const stream = path === '-' ? stdin : createReadStream(path, { highWaterMark: CHUNK, ...part })
  yield* stream as AsyncIterable<Uint8Array>
}

/** True if an error is the operating system's. */
export const isSystemError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && 'syscall' in error

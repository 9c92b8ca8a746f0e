import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { addSource } from '../base/sources.js'

/** Bytes per read. */
const CHUNK = 1 << 18

/** A part of a file. */
export interface ByteRange {
  readonly offset: number
  readonly bytes: number
}

/** Name of a stream in messages. */
export const streamName = (path: string): string => (path === '-' ? 'standard input' : path)

/**
 * Reads a file or a pipe, a part of a file, or standard input (`-`), in chunks as they arrive.
 * @throws Error of the operating system
 */
export async function* byteStream(
  path: string,
  range?: ByteRange,
  stdin: Readable = process.stdin,
): AsyncGenerator<Uint8Array> {
  if (range?.bytes === 0) return
  if (path !== '-') addSource(path)
  const part = range === undefined ? {} : { start: range.offset, end: range.offset + range.bytes - 1 }
  const stream = path === '-' ? stdin : createReadStream(path, { highWaterMark: CHUNK, ...part })
  yield* stream as AsyncIterable<Uint8Array>
}

/** True if an error comes from a system call. */
export const isSystemError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && 'syscall' in error

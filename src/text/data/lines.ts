import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { malformed, unreadable, usage } from '../../base/errors.js'

/** A line of a file, without its end. */
export interface Line {
  /** Counted from 1. */
  readonly number: number
  readonly text: string
  /** False where its bytes are no UTF-8; the text has U+FFFD for them. */
  readonly valid?: boolean
  /** Offset of the first byte behind it, where that is known. */
  readonly end?: number
  /** Number of the line behind it, where it is a record of several. */
  readonly next?: number
}

/** A part of a file of lines: whole lines, the first of which has that number. */
export interface LineRange {
  readonly offset: number
  readonly bytes: number
  readonly firstLine: number
}

/** Longer lines are no text. */
const MAX_LINE_BYTES = 16 * 1024 * 1024
const LINE_FEED = 10

/** The text of a line, and whether its bytes are UTF-8. */
function decode(parts: readonly Buffer[]): { text: string; valid: boolean } {
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  const end = bytes.at(-1) === 13 ? bytes.length - 1 : bytes.length
  const text = bytes.toString('utf8', 0, end)
  // U+FFFD may also stand in the text itself.
  return { text, valid: !text.includes('\ufffd') || isUtf8(bytes) }
}

/** A byte order mark of UTF-16, at the start of a file of lines none of which would be what it says. */
function refuseUtf16(chunk: Buffer, name: string): void {
  const mark = chunk.length < 2 ? 0 : chunk.readUInt16LE(0)
  if (mark !== 0xfeff && mark !== 0xfffe) return
  throw malformed('the text is UTF-16', {
    code: 'text-unusable',
    file: name,
    offset: 0,
    hint: 'make it UTF-8 first: iconv -f UTF-16 -t UTF-8 FILE',
  })
}

/** Lines of a stream of bytes, read as they are asked for; a byte order mark at the start is none of the text. */
async function* split(
  stream: AsyncIterable<Buffer>,
  first: number,
  offset: number,
  name: string,
): AsyncGenerator<Line> {
  let parts: Buffer[] = []
  let length = 0
  let number = first
  // Where the chunk begins.
  let start = offset
  const line = (end: number): Line => {
    const { text, valid } = decode(parts)
    parts = []
    length = 0
    const own = number++
    return { number: own, text: own === 1 ? text.replace(/^\ufeff/, '') : text, end, ...(valid ? {} : { valid }) }
  }
  for await (const chunk of stream) {
    if (start === 0) refuseUtf16(chunk, name)
    let at = 0
    for (let feed = chunk.indexOf(LINE_FEED); feed !== -1; feed = chunk.indexOf(LINE_FEED, at)) {
      parts.push(chunk.subarray(at, feed))
      at = feed + 1
      yield line(start + at)
    }
    start += chunk.length
    if (at === chunk.length) continue
    parts.push(chunk.subarray(at))
    length += chunk.length - at
    if (length > MAX_LINE_BYTES)
      throw usage(`line ${number} of ${name} is longer than 16 MiB`, {
        code: 'limit-exceeded',
        hint: 'is it a text file?',
      })
  }
  if (length > 0) yield line(start)
}

/** A text in place of its file's name is the likeliest mistake: `tokenize MODEL '央行'`. */
const pipeHint = (path: string): string | undefined =>
  /[^\x21-\x7e]/.test(path) ? `for a text itself, pipe it: echo '${path}' | … -` : undefined

/**
 * The lines of `path`, or of standard input where it is `-`; of a part of the file where `range` says so.
 * @throws AlbertkitError `usage` where it cannot be read
 */
export async function* readLines(
  path: string,
  range?: LineRange,
  stdin: Readable = process.stdin,
): AsyncGenerator<Line> {
  if (range?.bytes === 0) return
  const part = range === undefined ? {} : { start: range.offset, end: range.offset + range.bytes - 1 }
  const stream = path === '-' ? stdin : createReadStream(path, { highWaterMark: 1 << 18, ...part })
  try {
    yield* split(
      stream as AsyncIterable<Buffer>,
      range?.firstLine ?? 1,
      range?.offset ?? 0,
      path === '-' ? 'standard input' : path,
    )
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'syscall' in error)
      throw unreadable('the text', path, error, pipeHint(path))
    throw error
  }
}

import { concatBytes, utf8Text } from '../../base/bytes.js'
import { malformed, usage } from '../../base/errors.js'

/** A line of a file, without its end. */
export interface Line {
  /** Counted from 1. */
  readonly number: number
  readonly text: string
  /** False if its bytes are not UTF-8; the text has U+FFFD for invalid bytes. */
  readonly valid?: boolean
  /** Byte offset at which the line ends, if known. */
  readonly end?: number
  /** Number of the line that follows, if this is a record of several lines. */
  readonly next?: number
}

/** Part of a file of lines: whole lines, beginning with number `firstLine`. */
export interface LineRange {
  readonly offset: number
  readonly bytes: number
  readonly firstLine: number
}

/** Longest line: a file with a longer one is not text. */
const MAX_LINE_BYTES = 16 * 1024 * 1024
const LINE_FEED = 10

const CARRIAGE_RETURN = 13

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes a line; `valid` is false if its bytes are not UTF-8. */
function decode(parts: readonly Uint8Array[]): { text: string; valid: boolean } {
  const bytes = parts.length === 1 ? parts[0]! : concatBytes(parts)
  const line = bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes
  try {
    return { text: strict.decode(line), valid: true }
  } catch {
    return { text: utf8Text(line), valid: false }
  }
}

/** Refuses a file that begins with the byte order mark of UTF-16: every line of it would be decoded wrongly. */
function refuseUtf16([first, second]: Uint8Array, name: string): void {
  if (!(first === 0xff && second === 0xfe) && !(first === 0xfe && second === 0xff)) return
  throw malformed('the text is UTF-16', {
    code: 'text-unusable',
    file: name,
    offset: 0,
    hint: 'convert it to UTF-8 first: iconv -f UTF-16 -t UTF-8 FILE',
  })
}

/**
 * Lines of a stream of bytes, read on demand; a byte order mark at the start is not part of the text.
 * @param name name of the stream, for messages
 * @param range position of the stream in its file, if it is only a part of the file
 * @throws AlbertkitError `malformed` for UTF-16, `usage` if a line is longer than 16 MiB
 */
export async function* splitLines(
  stream: AsyncIterable<Uint8Array>,
  name: string,
  range?: LineRange,
): AsyncGenerator<Line> {
  let parts: Uint8Array[] = []
  let length = 0
  let number = range?.firstLine ?? 1
  // Byte offset of the chunk.
  let start = range?.offset ?? 0
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

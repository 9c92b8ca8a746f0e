import type { Readable } from 'node:stream'
import { unreadable } from '../../base/errors.js'
import { byteStream, isSystemError, streamName } from '../../files/byte-stream.js'
import { splitLines, type Line, type LineRange } from '../../text/data/lines.js'

/** A text in place of its file's name is the likeliest mistake: `tokenize MODEL '央行'`. */
const pipeHint = (path: string): string | undefined =>
  /[^\x21-\x7e]/.test(path) ? `for a text itself, put - in its place and pipe it: echo '${path}' | … -` : undefined

/**
 * Lines of `path`, or of standard input if it is `-`; only those of `range`, if it is given.
 * @throws AlbertkitError `usage` if it cannot be read
 */
export async function* readLines(path: string, range?: LineRange, stdin?: Readable): AsyncGenerator<Line> {
  try {
    yield* splitLines(byteStream(path, range, stdin), streamName(path), range)
  } catch (error) {
    if (isSystemError(error)) throw unreadable('the text', path, error, pipeHint(path))
    throw error
  }
}

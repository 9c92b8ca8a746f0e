import { malformed, unsupported, type AlbertkitError } from '../../base/errors.js'
import type { ByteRange } from '../byte-ranges.js'
import { isEncoded, tagOf } from './headers.js'
import { request, type Answer } from './request.js'
import { Sink, type SinkFile } from './sink.js'

/** A range of a file of a server, and where it goes on this disk. */
export interface FillRequest extends ByteRange {
  readonly url: string
  readonly token: string | undefined
  readonly target: SinkFile
  /** What the whole file is known to have. */
  readonly size: number
  /** Identity of the contents that were begun; null if nothing is known of it. */
  readonly tag: string | null
}

/** Bytes that lie in the file now. */
export interface Filled extends ByteRange {
  /** True if the store's own client writes files out of order. */
  readonly isXet: boolean
}

/** Called with the number of bytes that arrived. */
export type OnBytes = (bytes: number) => void

const changed = (file: string): AlbertkitError =>
  malformed('the file was changed while it was read', {
    code: 'file-changed',
    file,
    hint: 'try again: the new file is then read from its start',
  })

/** @throws AlbertkitError `malformed` if the answer is not the range of the file that was asked for */
function rangeOf({ headers, status }: Response, { url, to, size, tag }: FillRequest, from: number): ByteRange {
  const now = tagOf(headers)
  if (tag !== null && now !== null && now !== tag) throw changed(url)
  if (status === 206 && isEncoded(headers))
    throw unsupported('the server compresses ranges on their way, although it is asked not to', {
      code: 'compression-unsupported',
      file: url,
      hint: 'fetch the file by other means, and give its path',
    })
  if (status !== 206) {
    const length = isEncoded(headers) ? null : headers.get('content-length')
    if (length !== null && Number(length) !== size) throw changed(url)
    return { from: 0, to: size }
  }
  const [, first, last, all] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? []
  if (Number(all) !== size) throw changed(url)
  if (Number(first) !== from || !(Number(last) < to))
    throw malformed('the server answers with another range than it was asked for', {
      code: 'range-invalid',
      file: url,
      offset: from,
      hint: 'fetch the file by other means, and give its path',
    })
  return { from, to: Number(last) + 1 }
}

/** Writes the body of an answer from `range.from` on. @returns the first offset that is not there */
async function take(
  { response, arrived }: Pick<Answer, 'response' | 'arrived'>,
  range: ByteRange,
  { url }: FillRequest,
  onPiece: (bytes: Uint8Array, at: number) => void,
): Promise<number> {
  let at = range.from
  for await (const piece of response.body ?? []) {
    const bytes = piece as Uint8Array
    if (at + bytes.length > range.to)
      throw malformed('the server sends more bytes than it said', {
        code: 'range-invalid',
        file: url,
        offset: at,
        hint: 'fetch the file by other means, and give its path',
      })
    onPiece(bytes, at)
    at += bytes.length
    arrived(bytes.length)
  }
  return at
}

/**
 * Fetches a range; a connection that breaks is taken up where it ended. A server without ranges sends the whole file.
 * @throws AlbertkitError as `request`, `malformed` for wrong answers, `output` if the disk is full
 */
export async function fill(asked: FillRequest, onBytes: OnBytes = () => undefined): Promise<Filled> {
  const { url, token, to } = asked
  let at = asked.from
  const sink = new Sink(asked.target)
  try {
    return await request(url, { token, range: () => `bytes=${at}-${to - 1}` }, async (answer) => {
      const range = rangeOf(answer.response, asked, at)
      const isWhole = range.from === 0 && answer.response.status !== 206
      const end = await take(answer, range, asked, (bytes, place) => {
        sink.write(bytes, place)
        onBytes(bytes.length)
        if (!isWhole) at = place + bytes.length
      })
      if (end !== range.to)
        throw new Error(`the connection ended after ${end - range.from} of ${range.to - range.from} bytes`)
      return { from: Math.min(asked.from, range.from), to: range.to, isXet: answer.hub.isXet }
    })
  } finally {
    sink.close()
  }
}

/** Bytes of a file whose length is not known beforehand: a page, a text that is compressed on its way. */
const MAX_UNKNOWN = 4 * 2 ** 30

/**
 * Fetches a file whose length the server does not say.
 * @returns its length
 * @throws AlbertkitError as `fill`
 */
export const fillWhole = (url: string, target: SinkFile, onBytes: OnBytes = () => undefined): Promise<number> =>
  request(url, {}, async ({ response, arrived }) => {
    const sink = new Sink(target)
    let at = 0
    try {
      for await (const piece of response.body ?? []) {
        const bytes = piece as Uint8Array
        if (at + bytes.length > MAX_UNKNOWN)
          throw malformed('the server sends more than 4 GiB without saying how long the file is', {
            code: 'limit-exceeded',
            file: url,
            hint: 'fetch the file by other means, and give its path',
          })
        sink.write(bytes, at)
        at += bytes.length
        arrived(bytes.length)
        onBytes(bytes.length)
      }
    } finally {
      sink.close()
    }
    return at
  })

import { workerData, type MessagePort } from 'node:worker_threads'
import { failureOf } from '../../base/error-transfer.js'
import { malformed, outputError } from '../../base/errors.js'
import { system } from '../../files/write-port.js'
import { request } from './request.js'
import { tagOf } from './tag.js'

/** Thread that fetches ranges of files into files on disk, while the reading thread waits. */

export interface FillRequest {
  readonly url: string
  readonly token: string | undefined
  /** File on disk that takes the bytes, each at its own offset. */
  readonly file: string
  readonly from: number
  /** First offset behind the range. */
  readonly to: number
  /** What the whole file is known to have. */
  readonly size: number
  readonly tag: string | null
}

/** Bytes that lie in the file now. */
export interface FillAnswer {
  readonly from: number
  readonly to: number
}

const changed = (file: string) =>
  malformed('the file was changed while it was read', { code: 'file-changed', file, hint: 'try again' })

/** Range that an answer holds. @throws AlbertkitError `malformed` if it is not the one of the file that was asked for */
function rangeOf(answer: Response, { url, from, to, size, tag }: FillRequest): FillAnswer {
  const now = tagOf(answer.headers)
  if (tag !== null && now !== null && now !== tag) throw changed(url)
  if (answer.status !== 206) {
    const length = answer.headers.get('content-length')
    if (length !== null && Number(length) !== size) throw changed(url)
    return { from: 0, to: size }
  }
  const [, first, last, all] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.headers.get('content-range') ?? '') ?? []
  if (Number(all) !== size) throw changed(url)
  if (Number(first) !== from || Number(last) + 1 !== to)
    throw malformed('the server answers with another range than it was asked for', {
      code: 'range-invalid',
      file: url,
      offset: from,
    })
  return { from, to }
}

/** Writes bytes at their offset. @throws AlbertkitError `output` if the disk is full */
function store(descriptor: number, bytes: Uint8Array, at: number): void {
  try {
    for (let done = 0; done < bytes.length;) done += system.write(descriptor, bytes.subarray(done), at + done)
  } catch (cause) {
    throw outputError(`the temporary file cannot be written: ${(cause as NodeJS.ErrnoException).code ?? ''}`, {
      code: 'output-failed',
      hint: 'free some space, or set TMPDIR to a folder that has some',
      cause,
    })
  }
}

async function fill(asked: FillRequest): Promise<FillAnswer> {
  const { url, token, file, from, to } = asked
  return request(url, { token, range: `bytes=${from}-${to - 1}` }, async (answer, alive) => {
    const range = rangeOf(answer, asked)
    const descriptor = system.open(file, 'r+')
    let at = range.from
    try {
      for await (const piece of answer.body ?? []) {
        const bytes = piece as Uint8Array
        alive()
        if (at + bytes.length > range.to)
          throw malformed('the server sends more bytes than it said', { code: 'range-invalid', file: url, offset: at })
        store(descriptor, bytes, at)
        at += bytes.length
      }
    } finally {
      system.close(descriptor)
    }
    // A connection that was cut is tried again.
    if (at !== range.to)
      throw new Error(`the connection ended after ${at - range.from} of ${range.to - range.from} bytes`)
    return range
  })
}

const { state, port } = workerData as { readonly state: Int32Array; readonly port: MessagePort }

port.on('message', (asked: FillRequest) => {
  void fill(asked)
    .then(
      (range) => ({ range }),
      (error: unknown) => ({ failure: failureOf(error) }),
    )
    .then((answer) => {
      port.postMessage(answer)
      Atomics.store(state, 0, 1)
      Atomics.notify(state, 0)
    })
})

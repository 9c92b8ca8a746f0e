/** What the headers of an answer say of a file. */

/** Identity of a file's contents, as far as the server tells it; null if it does not. */
export const tagOf = (headers: Headers): string | null => headers.get('etag') ?? headers.get('last-modified')

/** An ETag that stands for every byte: ranges of two answers with it belong together (RFC 9110, 8.8.1). */
export const isStrong = (tag: string | null): tag is string => tag !== null && /^"[^"]*"$/.test(tag)

/** What the hub says of a file before it leads to the store that has it. */
export interface HubFacts {
  /** Name of the file's blob: SHA-256 of a large file, git's SHA-1 of another. */
  readonly etag: string | null
  readonly size: number | null
  /** True if the store is Xet, whose own client writes files out of order. */
  readonly isXet: boolean
}

/** The facts of an answer of the hub itself; of others all are null. */
export const hubFacts = (headers: Headers): HubFacts => {
  const size = headers.get('x-linked-size')
  return {
    etag: (headers.get('x-linked-etag') ?? headers.get('etag'))?.replace(/^W\//, '').replaceAll('"', '') ?? null,
    size: size !== null && /^\d+$/.test(size) ? Number(size) : null,
    isXet: headers.has('x-xet-hash'),
  }
}

/** True if the body is compressed on its way: offsets and lengths are then those of something else. */
export const isEncoded = (headers: Headers): boolean => !/^(identity)?$/i.test(headers.get('content-encoding') ?? '')

/** Seconds that a server asks to wait, as a number or a date; null if it does not. */
export function retryAfter(headers: Headers, now = Date.now()): number | null {
  const text = headers.get('retry-after') ?? ''
  if (/^\d+$/.test(text)) return Number(text)
  const date = text === '' ? NaN : Date.parse(text)
  return Number.isNaN(date) ? null : Math.max(0, (date - now) / 1000)
}

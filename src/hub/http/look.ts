import { AlbertkitError, malformed } from '../../base/errors.js'
import { isEncoded, tagOf, type HubFacts } from './headers.js'
import { request } from './request.js'

/** What a server says of a file without its contents. */
export interface Looked {
  /** Bytes of the file; null if the server says so only by sending all of them. */
  readonly size: number | null
  readonly tag: string | null
  readonly hub: HubFacts
  /** True of a page: many servers have one for every name that is not there. */
  readonly isPage: boolean
  /** Name that the server gives the file, if any. */
  readonly name: string | null
}

/** Name in a Content-Disposition header. */
const nameIn = (header: string | null): string | null =>
  /filename="?([^";]+)"?/i.exec(header ?? '')?.[1]?.replace(/^.*[/\\]/, '') ?? null

/** @throws AlbertkitError as `request` */
export const lookAt = (url: string, token?: string): Promise<Looked> =>
  request(url, { token, range: () => 'bytes=0-0', isQuestion: true, accept: 416 }, async ({ response, hub }) => {
    await response.body?.cancel()
    const { headers, status } = response
    const all = /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1]
    // A file without bytes has not even the first.
    if (status === 416 && all !== '0')
      throw malformed('the server has no first byte of the file', {
        code: 'file-truncated',
        file: url,
        hint: 'try again',
      })
    const length = isEncoded(headers) ? null : status === 200 ? headers.get('content-length') : (all ?? null)
    return {
      size: length === null ? null : Number(length),
      tag: tagOf(headers),
      hub,
      isPage: /^text\/html\b/i.test(headers.get('content-type') ?? ''),
      name: nameIn(headers.get('content-disposition')),
    }
  })

/**
 * The same for a file that need not be there; null if it is not. Some stores call absence forbidden, some servers have
 * a page for every name.
 */
export async function lookFor(url: string): Promise<Looked | null> {
  try {
    const looked = await lookAt(url)
    return looked.isPage ? null : looked
  } catch (error) {
    const codes: readonly unknown[] = ['file-missing', 'permission-denied']
    if (error instanceof AlbertkitError && codes.includes(error.code)) return null
    throw error
  }
}

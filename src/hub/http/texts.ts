import { parseJson } from '../../base/json-text.js'
import { malformed } from '../../base/errors.js'
import { request, type Answer } from './request.js'

/** A list of the files of a repository; that of the largest is smaller. */
export const MAX_LISTING = 32 << 20

async function textOf({ response, arrived }: Answer, limit: number): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const piece of response.body ?? []) {
    const bytes = piece as Uint8Array
    parts.push(bytes)
    length += bytes.length
    arrived(bytes.length)
    if (length > limit)
      throw malformed(`the server answers with more than ${limit} bytes`, {
        code: 'limit-exceeded',
        file: response.url,
        hint: 'is this the address of a model?',
      })
  }
  return Buffer.concat(parts).toString('utf8')
}

/** A JSON document of a server. @throws AlbertkitError as `request`, `malformed` */
export async function jsonAt(url: string, token: string | undefined, limit: number): Promise<unknown> {
  const text = await request(url, { token, isQuestion: true }, (answer) => textOf(answer, limit))
  try {
    return parseJson(text)
  } catch (cause) {
    throw malformed('the answer of the server is no JSON', {
      code: 'header-invalid',
      file: url,
      cause,
      hint: 'is this the address of a hub, or of a model?',
    })
  }
}

/** A small page of a server; null if the answer is none. */
export const pageAt = (url: string, limit: number): Promise<string | null> =>
  request(url, { isQuestion: true }, async (answer) => {
    const isPage = /^text\/html\b/i.test(answer.response.headers.get('content-type') ?? '')
    if (isPage) return textOf(answer, limit)
    await answer.response.body?.cancel()
    return null
  })

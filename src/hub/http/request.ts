import { setTimeout as sleep } from 'node:timers/promises'
import { environment, malformed, unsupported, usage, type AlbertkitError } from '../../base/errors.js'

/** Requests over HTTP: redirects, retries with back-off and time-outs are decided here. */

/** An honest hub redirects once or twice: to the resolved name, then to the store of large files. */
const MAX_REDIRECTS = 5
const MAX_ATTEMPTS = 5
/** First pause between two attempts, doubled each time, in ms. */
const FIRST_PAUSE = 200
/** A server that asks for a longer pause is not waited for, in ms. */
const LONGEST_PAUSE = 30_000
/** Seconds without an answer; huggingface_hub's variable of the same meaning overrides it. */
const DEFAULT_TIMEOUT = 30

const RETRIED = [408, 429, 500, 502, 503, 504]

export interface RequestOptions {
  /** `bytes=0-99`; absent for the whole. */
  readonly range?: string | undefined
  /** Token that is sent to the host of the URL, and to no other that it redirects to. */
  readonly token?: string | undefined
  readonly method?: 'GET' | 'HEAD'
}

const isLoopback = ({ hostname }: URL): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

const timeout = (): number => {
  const seconds = Number(process.env.HF_HUB_DOWNLOAD_TIMEOUT ?? '')
  return (seconds > 0 ? seconds : DEFAULT_TIMEOUT) * 1000
}

/** Parses a URL that a user named. @throws AlbertkitError `usage` unless it is https, or http on this machine */
export function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url !== null && url.username + url.password === '') {
    if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))) return url
  }
  throw usage('only https is read, without a password in the address; http on this machine alone', {
    code: 'option-invalid',
    file: text,
  })
}

/** The address that a redirect leads to. @throws AlbertkitError `unsupported` if it is less safe than the first */
function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from) ? new URL(location, from) : null
  const isSame = to?.origin === from.origin
  if (to !== null && (isSame || (from.protocol === 'https:' && to.protocol === 'https:' && !isLoopback(to)))) return to
  throw unsupported(`the server redirects to ${to?.origin ?? location}, which is not followed`, {
    code: 'path-escapes',
    file: from.href,
    hint: 'redirects lead from https to https, or stay on this machine; name the address itself if it is meant',
  })
}

/** The error of an answer that is none. */
export function statusError(url: string, status: number): AlbertkitError {
  const place = { file: url }
  if (status === 401 || status === 403)
    return environment(`the server refuses access (${status})`, {
      code: 'permission-denied',
      hint: 'a private or gated model needs a token: set HF_TOKEN, and accept its licence on its page',
      ...place,
    })
  if (status === 404 || status === 410)
    return usage('there is no such file or model on the server', { code: 'file-missing', ...place })
  if (status === 416) return malformed('the file is shorter than the server said', { code: 'file-truncated', ...place })
  return environment(`the server answers with status ${status}`, {
    code: 'service-unavailable',
    hint: 'try again later',
    ...place,
  })
}

export const unreachable = (url: string, cause: unknown): AlbertkitError => {
  const { message, cause: inner } = cause as Error
  const reason = inner instanceof Error && inner.message !== '' ? inner.message : message
  return environment(`the server does not answer: ${reason}`, {
    code: 'service-unavailable',
    file: url,
    hint: 'check the connection; a model in the local cache is read with `offline`',
    cause,
  })
}

/** Ends a request that stands still: `alive` is called whenever something arrives. */
class Patience {
  readonly #controller = new AbortController()
  #timer: NodeJS.Timeout | undefined

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  readonly alive = (): void => {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#controller.abort(new Error('nothing arrives any more'))
    }, timeout())
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}

async function once(
  start: string,
  { range, token, method = 'GET' }: RequestOptions,
  { signal, alive }: Patience,
): Promise<Response> {
  const first = new URL(start)
  let url = first
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const headers: Record<string, string> = { 'accept-encoding': 'identity', 'user-agent': 'albertkit' }
    if (range !== undefined) headers.range = range
    if (token !== undefined && url.origin === first.origin) headers.authorization = `Bearer ${token}`
    const answer = await fetch(url, { method, headers, redirect: 'manual', signal })
    alive()
    const location = answer.headers.get('location')
    if (answer.status < 300 || answer.status >= 400 || location === null) return answer
    await answer.body?.cancel()
    url = redirected(url, location)
  }
  throw unsupported('the server redirects in a circle', { code: 'path-escapes', file: start })
}

/** Pause before the next attempt, in ms. */
function pauseOf(attempt: number, answer?: Response): number {
  const asked = Number(answer?.headers.get('retry-after') ?? '')
  return Math.min(Math.max(asked > 0 ? asked * 1000 : 0, FIRST_PAUSE * 2 ** attempt), LONGEST_PAUSE)
}

/**
 * Asks a server and takes its answer; both are repeated if the server is busy or the connection breaks.
 * @param take reads the answer; what it throws besides an AlbertkitError is a broken connection
 * @throws AlbertkitError `environment` if the server does not answer, as `statusError` if it answers with an error
 */
export async function request<T>(
  url: string,
  options: RequestOptions,
  take: (answer: Response, alive: () => void) => Promise<T> | T,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const isLast = attempt === MAX_ATTEMPTS - 1
    const patience = new Patience()
    patience.alive()
    try {
      const answer = await once(url, options, patience)
      if (!RETRIED.includes(answer.status)) {
        if (answer.ok) return await take(answer, patience.alive)
        await answer.body?.cancel()
        throw statusError(url, answer.status)
      }
      await answer.body?.cancel()
      if (isLast) throw statusError(url, answer.status)
      await sleep(pauseOf(attempt, answer))
    } catch (error) {
      if ((error as Error).name === 'AlbertkitError') throw error
      if (isLast) throw unreachable(url, error)
      await sleep(pauseOf(attempt))
    } finally {
      patience.end()
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { unsupported, usage } from '../../base/errors.js'
import { hubFacts, retryAfter, type HubFacts } from './headers.js'
import { statusError, tooBusy, unreachable, wrongRedirect } from './status.js'

/** Requests over HTTP: redirects, retries with back-off and time-outs are decided here. */

/** An honest hub redirects once or twice: to the resolved name, then to the store of large files. */
const MAX_REDIRECTS = 5
const MAX_ATTEMPTS = 5
/** Bytes of an answer after which its attempt counts as one that got on: the next one is the first again. */
const GOT_ON = 64 * 1024
/** First pause between two attempts, doubled each time, in ms. */
const FIRST_PAUSE = 200
/** A server that asks for a longer pause is not waited for, in ms. */
const LONGEST_PAUSE = 30_000
/** Seconds without an answer; huggingface_hub's variables of the same meaning override it. */
const DEFAULT_TIMEOUT = 30
/** Time for which the address that a redirect led to is used, in ms; stores sign theirs for an hour. */
const REMEMBERED = 10 * 60_000

const RETRIED = [408, 429, 500, 502, 503, 504]

export interface RequestOptions {
  /** `bytes=0-99`, asked for before each attempt; absent for the whole. */
  readonly range?: (() => string) | undefined
  /** Token that is sent to the host of the URL, and to no other that it redirects to. */
  readonly token?: string | undefined
  /** True for a question about a file or a model; its time-out has a variable of its own. */
  readonly isQuestion?: boolean
  /** Status besides 200 to 299 that is an answer too. */
  readonly accept?: number
}

/** An answer, and what is to be called whenever bytes of it arrive: one that stands still is given up. */
export interface Answer {
  readonly response: Response
  readonly hub: HubFacts
  readonly arrived: (bytes: number) => void
}

const isLoopback = ({ hostname }: URL): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

function timeout(isQuestion: boolean): number {
  const { HF_HUB_ETAG_TIMEOUT, HF_HUB_DOWNLOAD_TIMEOUT } = process.env
  const seconds = Number((isQuestion ? HF_HUB_ETAG_TIMEOUT : undefined) ?? HF_HUB_DOWNLOAD_TIMEOUT ?? '')
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
    hint: 'fetch the file by other means, and give its path',
  })
}

/** True if the user lets redirects lead to this host. */
const isAllowed = ({ host, hostname }: URL): boolean =>
  (process.env.ALBERTKIT_REDIRECT_HOSTS ?? '').split(',').some((one) => [host, hostname].includes(one.trim()))

/** The address that a redirect leads to. @throws AlbertkitError `unsupported` if it is less safe than the first */
function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from) ? new URL(location, from) : null
  if (to === null || !/^https?:$/.test(to.protocol)) throw wrongRedirect(from, location)
  const isSafer = from.protocol === 'https:' && to.protocol === 'https:' && !isLoopback(to)
  const isHere = from.protocol === 'http:' && isLoopback(from) && isLoopback(to)
  if (to.origin === from.origin || isSafer || isHere || isAllowed(to)) return to
  throw wrongRedirect(from, to.origin)
}

/** Ends a request that stands still. */
class Patience {
  readonly #controller = new AbortController()
  #timer: NodeJS.Timeout | undefined

  constructor(readonly milliseconds: number) {
    this.alive()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  alive(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#controller.abort(new Error('nothing arrives any more'))
    }, this.milliseconds)
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}

/** Where redirects led: the next range is asked for there at once. */
const remembered = new Map<string, { readonly url: URL; readonly hub: HubFacts; readonly until: number }>()

type Reached = Omit<Answer, 'arrived'>

async function reach(start: string, options: RequestOptions, patience: Patience): Promise<Reached> {
  const { range, token } = options
  const first = new URL(start)
  const known = remembered.get(start)
  let url = known !== undefined && known.until > Date.now() ? known.url : first
  let hub = known?.hub ?? null
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const headers: Record<string, string> = { 'accept-encoding': 'identity', 'user-agent': 'albertkit' }
    if (range !== undefined) headers.range = range()
    if (token !== undefined && url.origin === first.origin) headers.authorization = `Bearer ${token}`
    const response = await fetch(url, { headers, redirect: 'manual', signal: patience.signal })
    patience.alive()
    if (url === first) hub = hubFacts(response.headers)
    const location = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || location === null) {
      const isGone = url !== first && url === known?.url && response.status >= 400 && response.status < 500
      if (!isGone || response.status === 416 || RETRIED.includes(response.status)) {
        if (response.ok && url !== first) remembered.set(start, { url, hub: hub!, until: Date.now() + REMEMBERED })
        return { response, hub: hub! }
      }
      // A signed address that is no longer valid: the first one gives a new one.
      remembered.delete(start)
      url = first
    } else url = redirected(url, location)
    await response.body?.cancel()
  }
  throw unsupported('the server redirects in a circle', {
    code: 'path-escapes',
    file: start,
    hint: 'name the address that it is meant to lead to',
  })
}

/** Pause before the next attempt, in ms. @throws AlbertkitError `environment` if the server asks for too long a one */
function pauseOf(url: string, attempt: number, response?: Response): number {
  const asked = (response === undefined ? null : retryAfter(response.headers)) ?? 0
  if (asked * 1000 > LONGEST_PAUSE) throw tooBusy(url, response?.status ?? 0, asked)
  return Math.max(asked * 1000, FIRST_PAUSE * 2 ** attempt)
}

/**
 * Asks a server and takes its answer; both are repeated if the server is busy or the connection breaks.
 * @param take reads the answer; what it throws besides an AlbertkitError is a broken connection
 * @throws AlbertkitError `environment` if the server does not answer, as `statusError` if it answers with an error
 */
export async function request<T>(
  url: string,
  options: RequestOptions,
  take: (answer: Answer) => Promise<T> | T,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const isLast = attempt >= MAX_ATTEMPTS - 1
    const patience = new Patience(timeout(options.isQuestion === true))
    let bytes = 0
    const arrived = (count: number): void => {
      patience.alive()
      bytes += count
    }
    try {
      const reached = await reach(url, options, patience)
      const { response } = reached
      if (response.ok || response.status === options.accept) return await take({ ...reached, arrived })
      await response.body?.cancel()
      if (!RETRIED.includes(response.status) || isLast) throw statusError(url, response.status, response.headers)
      patience.end()
      await sleep(pauseOf(url, attempt, response))
    } catch (error) {
      if ((error as Error).name === 'AlbertkitError') throw error
      if (bytes >= GOT_ON) attempt = -1
      else if (isLast) throw unreachable(url, error)
      patience.end()
      await sleep(pauseOf(url, Math.max(attempt, 0)))
    } finally {
      patience.end()
    }
  }
}

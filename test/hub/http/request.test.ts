import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { retryAfter } from '../../../src/hub/http/headers.js'
import { request, urlOf, type RequestOptions } from '../../../src/hub/http/request.js'
import { statusError } from '../../../src/hub/http/status.js'
import { hubServer, type Fault, type HubServer } from '../../helpers/hub-server.js'

let server: HubServer

beforeAll(async () => {
  server = await hubServer(new Map([['model.bin', Buffer.from('weights')]]))
})
afterEach(() => {
  server.reset()
  vi.unstubAllEnvs()
})
afterAll(() => server.close())

let count = 0
/** A new address each time: where one redirects to is remembered. */
const fetched = (options: RequestOptions = {}, url = `${server.url}/model.bin?${count++}`): Promise<string> =>
  request(url, options, async ({ response }) => response.text())
const always =
  (status: number, headers: Record<string, string> = {}): Fault =>
  (_, response) => {
    response.writeHead(status, headers).end()
    return true
  }

describe('urlOf', () => {
  it.each(['https://host/x', 'http://127.0.0.1:80/x', 'http://localhost/x', 'http://[::1]:3/x'])('takes %s', (url) => {
    expect(urlOf(url).href).toContain('x')
  })

  it.each(['http://host/x', 'https://user:word@host/x', 'ftp://host/x', 'x', 'http://127.0.0.1.host/x'])(
    'refuses %s',
    (url) => {
      expect(() => urlOf(url)).toThrow(expect.objectContaining({ kind: 'usage', code: 'option-invalid' }))
    },
  )
})

describe('statuses', () => {
  const FILE = 'https://hub/org/name/resolve/main/x'
  it.each<[status: number, code: string | null, expected: object, said: RegExp]>([
    [401, null, { code: 'permission-denied', exitCode: 6 }, /HF_TOKEN/],
    [403, 'GatedRepo', { code: 'permission-denied', exitCode: 6 }, /gated.*licence at https:\/\/hub\/org\/name,/s],
    [401, 'RepoNotFound', { code: 'permission-denied', exitCode: 6 }, /no such model.*check the name/s],
    [404, 'RevisionNotFound', { code: 'file-missing', exitCode: 2 }, /no such branch/],
    [404, 'EntryNotFound', { code: 'file-missing', exitCode: 2 }, /no such file/],
    [404, null, { code: 'file-missing', exitCode: 2 }, /no such file or model/],
    [416, null, { code: 'file-truncated', exitCode: 3 }, /try again/],
    [429, null, { code: 'service-unavailable', exitCode: 6 }, /less often.*is kept/s],
    [500, null, { code: 'service-unavailable', exitCode: 6 }, /500/],
    [418, null, { code: 'service-unavailable', exitCode: 6 }, /418/],
  ])('%d %s', (status, code, expected, said) => {
    const error = statusError(FILE, status, new Headers(code === null ? {} : { 'x-error-code': code }))
    expect(error).toMatchObject(expected)
    expect(`${error.message}\n${error.hint ?? ''}`).toMatch(said)
  })

  it('does not advise a token for addresses', () => {
    expect(statusError('https://host/x', 403).hint).not.toMatch(/HF_TOKEN/)
  })
})

describe('a busy server', () => {
  it('is asked again, after the pause that it asks for', async () => {
    server.fault = (_, response) => {
      if (server.requests.length > 2) return false
      response.writeHead(503, { 'retry-after': '1' }).end()
      return true
    }
    const begun = performance.now()
    expect(await fetched()).toBe('weights')
    expect(performance.now() - begun).toBeGreaterThan(1900)
  })

  it('is not waited for if that is long', async () => {
    server.fault = always(429, { 'retry-after': '3600' })
    await expect(fetched()).rejects.toMatchObject({ code: 'service-unavailable', message: /3600 seconds/ })
    expect(server.requests).toHaveLength(1)
  })

  it('is given up after five attempts', async () => {
    server.fault = always(500)
    await expect(fetched()).rejects.toMatchObject({ code: 'service-unavailable' })
    expect(server.requests).toHaveLength(5)
  })

  it('is given up if nothing arrives', async () => {
    vi.stubEnv('HF_HUB_DOWNLOAD_TIMEOUT', '100')
    vi.stubEnv('HF_HUB_ETAG_TIMEOUT', '0.05')
    server.fault = () => true
    await expect(fetched({ isQuestion: true })).rejects.toMatchObject({ message: /nothing arrives/ })
  })

  it('asks to wait by seconds or a date', () => {
    const after = (text: string) => retryAfter(new Headers({ 'retry-after': text }), Date.UTC(2026, 0, 1))
    expect(after('7')).toBe(7)
    expect(after('Thu, 01 Jan 2026 00:01:00 GMT')).toBe(60)
    expect(after('Thu, 01 Jan 2025 00:01:00 GMT')).toBe(0)
    expect([after('soon'), retryAfter(new Headers())]).toEqual([null, null])
  })
})

describe('redirects', () => {
  it('lead to another server of this machine, which sees no token, and is asked at once the next time', async () => {
    server.store = true
    const url = `${server.url}/org/name/resolve/main/model.bin`
    for (let i = 0; i < 2; i++) expect(await fetched({ token: 'secret' }, url)).toBe('weights')
    expect([...server.tokens]).toEqual(['Bearer secret'])
    expect([...server.storeTokens]).toEqual([undefined])
    expect(server.requests.map((line) => line.startsWith('store'))).toEqual([false, true, true])
    // The signature has expired.
    server.fault = (request, response) =>
      request.headers.host === new URL(server.storeUrl).host && server.requests.length === 4
        ? always(403)(request, response, Buffer.alloc(0))
        : false
    expect(await fetched({ token: 'secret' }, url)).toBe('weights')
    expect(server.requests.map((line) => line.startsWith('store'))).toEqual([false, true, true, true, false, true])
  })

  it.each(['https://192.0.2.1/x', 'http://192.0.2.1/x', 'ftp://127.0.0.1/x', 'file:///etc/passwd'])(
    'to %s are refused',
    async (location) => {
      server.fault = always(302, { location })
      await expect(fetched()).rejects.toMatchObject({ code: 'path-escapes', kind: 'unsupported' })
      expect(server.requests).toHaveLength(1)
    },
  )

  it('lead elsewhere if the user allows the host', async () => {
    vi.stubEnv('ALBERTKIT_REDIRECT_HOSTS', 'other.test, 192.0.2.1')
    vi.stubEnv('HF_HUB_DOWNLOAD_TIMEOUT', '0.05')
    const asked: string[] = []
    vi.stubGlobal('fetch', (url: URL) => {
      asked.push(url.href)
      const isFirst = asked.length === 1
      const headers = isFirst ? { location: 'http://192.0.2.1/x' } : { etag: '"x"' }
      return Promise.resolve(new Response('there', { status: isFirst ? 302 : 200, headers }))
    })
    try {
      expect(await fetched()).toBe('there')
    } finally {
      vi.unstubAllGlobals()
    }
    expect(asked[1]).toBe('http://192.0.2.1/x')
  })

  it('end if they lead in a circle', async () => {
    server.fault = always(302, { location: '/model.bin' })
    await expect(fetched()).rejects.toMatchObject({ code: 'path-escapes', message: /circle/ })
  })
})

import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { environment } from '../../base/errors.js'
import type { WebFile, WebFiles } from './web-files.js'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
}

/** What a page may do: run its own scripts and WebAssembly, and reach nothing but this server. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

export interface WebServer {
  /** Address of the page, with the token that only who was told it knows. */
  readonly url: string
  /** Resolves once it is closed. */
  readonly closed: Promise<void>
  close(): Promise<void>
}

export interface ServeOptions {
  /** Port; any free one by default. */
  readonly port?: number
}

/** True if two texts are the same, in a time that does not tell where they differ. */
function isSame(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)]
  return x.length === y.length && timingSafeEqual(x, y)
}

/** What a request is refused for; null if it comes from the page or from who opens it. */
function refusal({ method, headers }: IncomingMessage, port: number): number | null {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  // Another name for this address would make a page of its owner one of this origin.
  if (!hosts.includes(headers.host ?? '')) return 421
  const { origin } = headers
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`)) return 403
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 403
  return method === 'GET' || method === 'HEAD' ? null : 405
}

/** Path of a request below the token; null without the token. */
function pathBelow(url: string, token: string): string | null {
  let path: string
  try {
    path = decodeURIComponent(new URL(url, 'http://localhost').pathname)
  } catch {
    return null
  }
  const [, given = '', ...rest] = path.split('/')
  return isSame(given, token) && rest.length > 0 ? rest.join('/') : null
}

/** Range of bytes of a request, within a file; null if it names none or a kind that is not served, undefined outside. */
function rangeOf({ headers }: IncomingMessage, size: number): { start: number; end: number } | null | undefined {
  const [, first = '', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
  if (first === '') return null
  const start = Number(first)
  const end = Math.min(size - 1, last === '' ? size - 1 : Number(last))
  return start > end ? undefined : { start, end }
}

function send(request: IncomingMessage, response: ServerResponse, path: string, file: WebFile): void {
  const type = TYPES[extname(path)] ?? 'application/octet-stream'
  const size = typeof file === 'string' ? statSync(file).size : file.length
  const range = rangeOf(request, size)
  if (range === undefined) {
    response.writeHead(416, { ...HEADERS, 'content-range': `bytes */${size}` }).end()
    return
  }
  const { start, end } = range ?? { start: 0, end: size - 1 }
  response.writeHead(range === null ? 200 : 206, {
    ...HEADERS,
    'content-type': type,
    'content-length': end - start + 1,
    'accept-ranges': 'bytes',
    'cache-control': 'no-cache',
    ...(range === null ? {} : { 'content-range': `bytes ${start}-${end}/${size}` }),
  })
  if (request.method === 'HEAD' || size === 0) {
    response.end()
    return
  }
  if (typeof file !== 'string') {
    response.end(file.subarray(start, end + 1))
    return
  }
  createReadStream(file, { start, end })
    .on('error', () => response.destroy())
    .pipe(response)
}

/**
 * Serves files on the loopback interface, to whoever knows the token in the address: a path is looked up, never joined
 * to a folder.
 * @throws AlbertkitError `environment` if the port is taken
 */
export async function serveFiles(files: WebFiles, { port = 0 }: ServeOptions = {}): Promise<WebServer> {
  const token = randomBytes(18).toString('base64url')
  let own = port
  const server = createServer((request, response) => {
    const refused = refusal(request, own)
    const below = refused === null ? pathBelow(request.url ?? '/', token) : null
    const path = below === '' || below?.endsWith('/') === true ? `${below}index.html` : (below ?? '')
    const file = files.get(path)
    try {
      if (file !== undefined) send(request, response, path, file)
      else response.writeHead(refused ?? 404, HEADERS).end()
    } catch {
      response.writeHead(404, HEADERS).end()
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  }).catch((cause: unknown) => {
    throw environment(`nothing can be served on port ${port}`, {
      code: 'service-unavailable',
      hint: 'name another port, or none',
      cause,
    })
  })
  ;({ port: own } = server.address() as AddressInfo)
  const closed = new Promise<void>((resolve) => {
    server.once('close', resolve)
  })
  return {
    url: `http://127.0.0.1:${own}/${token}/`,
    closed,
    close: () => {
      server.close()
      server.closeAllConnections()
      return closed
    },
  }
}

import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { COMMIT } from './hub-cache.js'

/** What a server does wrong with one request. */
export type Fault = (request: IncomingMessage, response: ServerResponse, bytes: Buffer) => boolean

export interface HubServer {
  readonly url: string
  /** Another server on this machine, the store to which the hub redirects. */
  readonly storeUrl: string
  /** Bytes of contents that were sent, by path. */
  readonly sent: Map<string, number>
  readonly requests: string[]
  readonly tokens: Set<string | undefined>
  readonly storeTokens: Set<string | undefined>
  /** Files by path below the root. */
  readonly files: Map<string, Buffer>
  /** Answers in place of the server if it returns true. */
  fault: Fault | null
  ranges: boolean
  /** ETag of files at addresses; null for none. */
  tag: string | null
  /** True if the hub redirects to the store for large files. */
  store: boolean
  /** Files that the hub has as large ones: by SHA-256. */
  isLarge: (name: string) => boolean
  /** Forgets what was asked, and sends everything correctly again. */
  reset(): void
  close(): Promise<void>
}

export const gitHash = (bytes: Buffer): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const listening = (server: Server): Promise<void> =>
  new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.closeAllConnections()
    server.close(() => {
      resolve()
    })
  })

/** Sends a file, or the range of it that is asked for. */
function send(server: HubServer, name: string, request: IncomingMessage, response: ServerResponse): void {
  const bytes = server.files.get(name)!
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  const isPart = server.ranges && first !== undefined
  if (isPart && Number(first) >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end()
    return
  }
  const part = isPart ? bytes.subarray(Number(first), last === '' ? undefined : Number(last) + 1) : bytes
  if (request.method !== 'HEAD') server.sent.set(name, (server.sent.get(name) ?? 0) + part.length)
  response.writeHead(isPart ? 206 : 200, {
    'content-length': part.length,
    ...(response.hasHeader('etag') || server.tag === null ? {} : { etag: server.tag }),
    ...(isPart ? { 'content-range': `bytes ${first}-${Number(first) + part.length - 1}/${bytes.length}` } : {}),
  })
  response.end(part)
}

const listing = ({ files, isLarge }: HubServer): string =>
  JSON.stringify({
    sha: COMMIT,
    siblings: [...files].map(([name, bytes]) => ({
      rfilename: name,
      size: bytes.length,
      blobId: gitHash(bytes),
      ...(isLarge(name) ? { lfs: { sha256: sha256(bytes), size: bytes.length } } : {}),
    })),
  })

/** A server on loopback that gives files by ranges, and speaks the hub's API for `org/name`. */
export async function hubServer(files: Map<string, Buffer>): Promise<HubServer> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { pathname } = new URL(request.url ?? '', 'http://x')
    server.requests.push(`${pathname} ${request.headers.range ?? ''}`)
    server.tokens.add(request.headers.authorization)
    if (pathname.startsWith('/api/models/org/name/revision/')) {
      response.setHeader('content-type', 'application/json')
      if (server.fault?.(request, response, Buffer.alloc(0)) !== true) response.end(listing(server))
      return
    }
    const isHub = pathname.startsWith('/org/name/resolve/')
    const name = decodeURIComponent(pathname.replace(/^\/org\/name\/resolve\/[^/]+/, '').slice(1))
    const bytes = server.files.get(name)
    if (bytes === undefined) {
      // A folder's page, if there is none, is not there either.
      if (server.fault?.(request, response, Buffer.alloc(0)) !== true) response.writeHead(404).end('not here')
      return
    }
    if (isHub) {
      response.setHeader('x-repo-commit', COMMIT)
      response.setHeader('etag', `"${gitHash(bytes)}"`)
      if (server.isLarge(name)) {
        response.setHeader('x-linked-etag', `"${sha256(bytes)}"`)
        response.setHeader('x-linked-size', bytes.length)
      }
    }
    if (server.fault?.(request, response, bytes) === true) return
    if (isHub && server.store && server.isLarge(name))
      response.writeHead(302, { location: `${server.storeUrl}/${encodeURIComponent(name)}?signed` }).end()
    else send(server, name, request, response)
  }
  const http = createServer(answer)
  const store = createServer((request, response) => {
    server.storeTokens.add(request.headers.authorization)
    const { pathname } = new URL(request.url ?? '', 'http://x')
    server.requests.push(`store ${pathname} ${request.headers.range ?? ''}`)
    const name = decodeURIComponent(pathname.slice(1))
    if (server.fault?.(request, response, server.files.get(name)!) !== true) send(server, name, request, response)
  })
  await Promise.all([listening(http), listening(store)])
  const right = {
    fault: null,
    ranges: true,
    tag: '"one"',
    store: false,
    isLarge: (name: string) => /data|bin|safetensors/.test(name),
  }
  const server: HubServer = {
    ...right,
    url: urlOf(http),
    storeUrl: urlOf(store),
    sent: new Map(),
    requests: [],
    tokens: new Set(),
    storeTokens: new Set(),
    files,
    reset: () => {
      Object.assign(server, right)
      for (const seen of [server.sent, server.tokens, server.storeTokens]) seen.clear()
      server.requests.length = 0
    },
    close: async () => {
      await Promise.all([closed(http), closed(store)])
    },
  }
  return server
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { COMMIT } from './hub-cache.js'

/** What a server does wrong with one request. */
export type Fault = (request: IncomingMessage, response: ServerResponse, bytes: Buffer) => boolean

export interface HubServer {
  readonly url: string
  /** Bytes of contents that were sent, by path. */
  readonly sent: Map<string, number>
  readonly requests: string[]
  readonly tokens: Set<string | undefined>
  /** Files by path below the root. */
  readonly files: Map<string, Buffer>
  /** Answers in place of the server if it returns true. */
  fault: Fault | null
  ranges: boolean
  close(): Promise<void>
}

/** A server on loopback that gives files by ranges, and speaks the hub's API for `org/name`. */
export async function hubServer(files: Map<string, Buffer>): Promise<HubServer> {
  const http = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://x')
    server.requests.push(`${pathname} ${request.headers.range ?? ''}`)
    server.tokens.add(request.headers.authorization)
    if (pathname.startsWith('/api/models/org/name/revision/')) {
      const siblings = [...files].map(([name, { length: size }]) => ({ rfilename: name, size }))
      response.setHeader('content-type', 'application/json')
      if (server.fault?.(request, response, Buffer.alloc(0)) !== true)
        response.end(JSON.stringify({ sha: COMMIT, siblings }))
      return
    }
    const name = decodeURIComponent(pathname.replace(`/org/name/resolve/${COMMIT}`, '').slice(1))
    const bytes = files.get(name)
    if (bytes === undefined) {
      response.writeHead(404).end('not here')
      return
    }
    if (server.fault?.(request, response, bytes) === true) return
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const isPart = server.ranges && first !== undefined
    const part = isPart ? bytes.subarray(Number(first), Number(last) + 1) : bytes
    server.sent.set(name, (server.sent.get(name) ?? 0) + part.length)
    response.writeHead(isPart ? 206 : 200, {
      'content-length': part.length,
      ...(response.hasHeader('etag') ? {} : { etag: '"one"' }),
      ...(isPart ? { 'content-range': `bytes ${first}-${Number(first) + part.length - 1}/${bytes.length}` } : {}),
    })
    response.end(part)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const server: HubServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    sent: new Map(),
    requests: [],
    tokens: new Set(),
    files,
    fault: null,
    ranges: true,
    close: () =>
      new Promise((resolve) => {
        http.closeAllConnections()
        http.close(() => {
          resolve()
        })
      }),
  }
  return server
}

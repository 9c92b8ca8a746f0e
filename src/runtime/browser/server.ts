import { createReadStream, existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, extname } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

const page = (scripts: readonly string[]): string =>
  '<!doctype html><meta charset="utf-8"><title>albertkit</title>' +
  scripts.map((url) => `<script src="${url}"></script>`).join('')

/** Content by URL path: the path of a file on disk, or bytes. */
export type Served = ReadonlyMap<string, string | Uint8Array>

export interface PageServer {
  readonly origin: string
  close(): void
}

/**
 * Serves the page and the content of `served` on the loopback interface. Nothing else on disk can be reached: a URL is
 * looked up, never joined to a directory.
 * @param scripts URLs of the page's scripts, in loading order
 */
export async function servePage(served: Served, scripts: readonly string[]): Promise<PageServer> {
  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
    if (path === '/') {
      response.writeHead(200, { 'content-type': TYPES['.html'] }).end(page(scripts))
      return
    }
    const found = served.get(path)
    if (found === undefined || (typeof found === 'string' && !existsSync(found))) {
      response.writeHead(404).end(`no ${basename(path)} here`)
      return
    }
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' })
    if (typeof found !== 'string') {
      response.end(found)
      return
    }
    createReadStream(found)
      .on('error', () => response.destroy())
      .pipe(response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

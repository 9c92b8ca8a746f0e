import { createReadStream, existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, extname } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

const PAGE = '<!doctype html><meta charset="utf-8"><title>albertkit</title><script src="/page.js"></script>'

export interface PageServer {
  readonly origin: string
  close(): void
}

/**
 * Serves the page and the files of `files` (paths of URLs to paths on disk) to this machine alone.
 * Nothing else on disk can be reached: a URL is looked up, never joined to a directory.
 */
export async function servePage(files: ReadonlyMap<string, string>): Promise<PageServer> {
  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
    if (path === '/') {
      response.writeHead(200, { 'content-type': TYPES['.html'] }).end(PAGE)
      return
    }
    const file = files.get(path)
    if (file === undefined || !existsSync(file)) {
      response.writeHead(404).end(`no ${basename(path)} here`)
      return
    }
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
    createReadStream(file)
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

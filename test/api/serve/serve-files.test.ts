import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request, type OutgoingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { serveFiles, type WebServer } from '../../../src/api/serve/serve-files.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-serve-'))
let server: WebServer
beforeAll(async () => {
  const page = join(folder, 'index.html')
  writeFileSync(page, '0123456789')
  writeFileSync(join(folder, 'secret.txt'), 'secret')
  server = await serveFiles(
    new Map<string, string | Uint8Array>([
      ['index.html', page],
      ['a/x.wasm', page],
      ['b/index.html', Buffer.from('abcdef')],
      ['gone.js', join(folder, 'gone.js')],
    ]),
  )
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Answer {
  readonly status: number | undefined
  readonly headers: Record<string, unknown>
  readonly text: string
}

/** A request as it is given: `fetch` would not send such headers and paths. */
function get(path: string, headers: OutgoingHttpHeaders = {}, method = 'GET'): Promise<Answer> {
  const { port } = new URL(server.url)
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, text })
      })
    })
      .on('error', reject)
      .end()
  })
}

const base = (): string => new URL(server.url).pathname

it('gives the files that it was given, with their types and a policy', async () => {
  const page = await get(base())
  expect(page).toMatchObject({ status: 200, text: '0123456789' })
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(page.headers['content-security-policy']).toContain("script-src 'self' 'wasm-unsafe-eval'")
  expect((await get(`${base()}a/x.wasm`)).headers['content-type']).toBe('application/wasm')
  expect(await get(base(), {}, 'HEAD')).toMatchObject({ status: 200, text: '' })
})

it('gives ranges', async () => {
  expect(await get(base(), { range: 'bytes=2-4' })).toMatchObject({ status: 206, text: '234' })
  expect(await get(base(), { range: 'bytes=8-' })).toMatchObject({ status: 206, text: '89' })
  expect(await get(base(), { range: 'bytes=10-12' })).toMatchObject({ status: 416 })
})

it('gives contents that were made for a page, and the page of a folder', async () => {
  expect(await get(`${base()}b/`)).toMatchObject({ status: 200, text: 'abcdef' })
  expect(await get(`${base()}b/index.html`, { range: 'bytes=1-2' })).toMatchObject({ status: 206, text: 'bc' })
  expect((await get(`${base()}b`)).status).toBe(404)
})

it('gives nothing without the token, under another name, to another site, or outside the list', async () => {
  const { host, port } = new URL(server.url)
  expect((await get('/')).status).toBe(404)
  expect((await get(`/${'A'.repeat(24)}/`)).status).toBe(404)
  for (const path of ['secret.txt', '../secret.txt', '%2e%2e/secret.txt', 'gone.js', '%', '//'])
    expect((await get(base() + path)).status, path).toBe(404)
  expect((await get(base(), { host: `rebound.example:${port}` })).status).toBe(421)
  expect((await get(base(), { origin: 'https://elsewhere.example' })).status).toBe(403)
  expect((await get(base(), { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  expect((await get(base(), {}, 'POST')).status).toBe(405)
  expect((await get(base(), { host: `localhost:${port}`, origin: `http://${host}` })).status).toBe(200)
})

it('says that a port is taken', async () => {
  const port = Number(new URL(server.url).port)
  await expect(serveFiles(new Map(), { port })).rejects.toMatchObject({ code: 'service-unavailable' })
})

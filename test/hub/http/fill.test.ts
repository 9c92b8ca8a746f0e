import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readJournal } from '../../../src/hub/byte-ranges.js'
import { fill, fillWhole, type FillRequest } from '../../../src/hub/http/fill.js'
import { lookAt, lookFor } from '../../../src/hub/http/look.js'
import { hubServer, type HubServer } from '../../helpers/hub-server.js'

const BYTES = Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * 7) % 251))
let folder: string
let server: HubServer
let asked: FillRequest

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-fill-'))
  server = await hubServer(
    new Map([
      ['model.bin', BYTES],
      ['empty.txt', Buffer.alloc(0)],
    ]),
  )
})

beforeEach(() => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  writeFileSync(join(folder, 'journal'), '')
  const target = { file, journal: { path: join(folder, 'journal'), inode: '7' } }
  const url = `${server.url}/model.bin`
  asked = { url, token: undefined, target, size: BYTES.length, tag: '"one"', from: 1000, to: 900_000 }
})

afterEach(() => {
  server.reset()
})

afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

const present = () => readJournal(readFileSync(join(folder, 'journal'), 'utf8'), '7', BYTES.length).all
const rangeOf = (header = ''): [number, number] => {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? []
  return [Number(from), Number(to) + 1]
}
/** Sends the head of a range and some of its bytes, then cuts the connection. */
function cutAfter(response: ServerResponse, range: string | undefined, bytes: number): void {
  const [from, to] = rangeOf(range)
  response.writeHead(206, {
    etag: '"one"',
    'content-length': to - from,
    'content-range': `bytes ${from}-${to - 1}/${BYTES.length}`,
  })
  response.write(BYTES.subarray(from, Math.min(from + bytes, to)), () => setTimeout(() => response.destroy(), 5))
}

describe('fill', () => {
  it('puts a range at its place, and says so in the journal', async () => {
    let seen = 0
    expect(await fill(asked, (bytes) => (seen += bytes))).toEqual({ from: 1000, to: 900_000, isXet: false })
    expect(readFileSync(asked.target.file).subarray(1000).equals(BYTES.subarray(1000, 900_000))).toBe(true)
    expect(present()).toEqual([{ from: 1000, to: 900_000 }])
    expect(seen).toBe(899_000)
  })

  it('goes on where a connection broke, as often as it gets on', async () => {
    server.fault = (request, response) => {
      if (server.requests.length > 8) return false
      cutAfter(response, request.headers.range, 100_000)
      return true
    }
    await fill(asked)
    expect(readFileSync(asked.target.file).subarray(1000).equals(BYTES.subarray(1000, 900_000))).toBe(true)
    const starts = server.requests.map((line) => rangeOf(line.split(' ')[1])[0])
    expect(starts).toEqual(starts.map((_, i) => 1000 + i * 100_000))
  })

  it('keeps what arrived of a connection that breaks to the end', async () => {
    server.fault = (request, response) => {
      cutAfter(response, request.headers.range, 300)
      return true
    }
    await expect(fill(asked)).rejects.toMatchObject({ code: 'service-unavailable', kind: 'environment' })
    expect(server.requests).toHaveLength(5)
    expect(present()).toEqual([{ from: 1000, to: 2500 }])
    expect(readFileSync(asked.target.file).subarray(1000).equals(BYTES.subarray(1000, 2500))).toBe(true)
  })

  it('takes a shorter range, and the whole file of a server without ranges', async () => {
    server.fault = (_, response) => {
      response.writeHead(206, { etag: '"one"', 'content-range': `bytes 1000-1999/${BYTES.length}` })
      response.end(BYTES.subarray(1000, 2000))
      return true
    }
    expect(await fill(asked)).toMatchObject({ from: 1000, to: 2000 })
    server.reset()
    server.ranges = false
    expect(await fill(asked)).toMatchObject({ from: 0, to: BYTES.length })
    expect(readFileSync(asked.target.file).equals(BYTES)).toBe(true)
  })

  it.each<[what: string, status: number, headers: Record<string, string>, code: string]>([
    ['changes the ETag', 206, { etag: '"two"', 'content-range': 'bytes 1000-899999/1048576' }, 'file-changed'],
    ['changes the size', 206, { etag: '"one"', 'content-range': 'bytes 1000-899999/1048577' }, 'file-changed'],
    ['changes the size of the whole', 200, { etag: '"one"', 'content-length': '1' }, 'file-changed'],
    ['sends an earlier range', 206, { 'content-range': 'bytes 0-899999/1048576' }, 'range-invalid'],
    ['sends a longer range', 206, { 'content-range': 'bytes 1000-900000/1048576' }, 'range-invalid'],
    ['sends more than it says', 206, { 'content-range': 'bytes 1000-1001/1048576' }, 'range-invalid'],
    ['compresses ranges', 206, { 'content-encoding': 'gzip' }, 'compression-unsupported'],
    ['has less than it said', 416, { 'content-range': 'bytes */10' }, 'file-truncated'],
  ])('refuses a server that %s', async (_, status, headers, code) => {
    server.fault = (__, response) => {
      response.writeHead(status, headers).end('xxxx'.slice(0, Number(headers['content-length'] ?? 4)))
      return true
    }
    await expect(fill(asked)).rejects.toMatchObject({ code, hint: expect.any(String) as string })
    expect(present()).toEqual([])
  })

  it('is an error of the output if the file cannot be written', async () => {
    const target = { ...asked.target, file: join(folder, 'absent') }
    await expect(fill({ ...asked, target })).rejects.toMatchObject({ code: 'output-failed', kind: 'output' })
  })

  it('says that the store is Xet', async () => {
    server.fault = (_, response) => {
      response.setHeader('x-xet-hash', 'x')
      return false
    }
    expect((await fill(asked)).isXet).toBe(true)
  })
})

describe('a file of unknown length', () => {
  it('is fetched to its end, decompressed if the server compresses it', async () => {
    for (const [headers, bytes] of [
      [{}, BYTES],
      [{ 'content-encoding': 'gzip' }, gzipSync(BYTES)],
    ] as const) {
      writeFileSync(asked.target.file, '')
      server.fault = (_, response) => {
        response.writeHead(200, headers)
        response.write(bytes.subarray(0, 5))
        response.end(bytes.subarray(5))
        return true
      }
      expect((await lookAt(asked.url)).size).toBeNull()
      expect(await fillWhole(asked.url, asked.target)).toBe(BYTES.length)
      expect(readFileSync(asked.target.file).equals(BYTES)).toBe(true)
      expect(statSync(asked.target.file).size).toBe(BYTES.length)
    }
  })
})

describe('a look at a file', () => {
  it('gives size and ETag for one byte', async () => {
    expect(await lookAt(asked.url)).toMatchObject({ size: BYTES.length, tag: '"one"', isPage: false, name: null })
    expect(server.sent.get('model.bin')).toBe(1)
    expect(await lookAt(`${server.url}/empty.txt`)).toMatchObject({ size: 0 })
  })

  it('finds nothing where a server has a page for every name, refuses or misses it', async () => {
    expect(await lookFor(`${server.url}/absent`)).toBeNull()
    for (const [status, headers] of [
      [200, { 'content-type': 'text/html; charset=utf-8' }],
      [403, {}],
      [410, {}],
    ] as const) {
      server.fault = (_, response) => {
        response.writeHead(status, headers).end('x')
        return true
      }
      expect(await lookFor(asked.url)).toBeNull()
    }
  })

  it('reads the name that a server gives a file', async () => {
    server.fault = (_, response) => {
      response.setHeader('content-disposition', 'attachment; filename="../a/model.zip"')
      return false
    }
    expect((await lookAt(asked.url)).name).toBe('model.zip')
  })
})

import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { COMMIT } from '../helpers/hub-cache.js'
import { hubServer, type HubServer } from '../helpers/hub-server.js'
import { albertkit, userEnv, type Result } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'

const DATA = 'model.ckpt.data-00000-of-00001'
let folder: string
let server: HubServer

/** Caches of the test alone. */
const own = (): NodeJS.ProcessEnv =>
  userEnv({ HF_HUB_CACHE: join(folder, 'cache'), HF_HOME: folder, ALBERTKIT_CACHE: join(folder, 'addresses') })
const read = (path: string, env: NodeJS.ProcessEnv = {}, ...args: string[]): Promise<Result> =>
  albertkit(['inspect', path, ...args], {
    env: { ...own(), TMPDIR: folder, ...env },
  })
const hub = (path: string, env: NodeJS.ProcessEnv = {}, ...args: string[]): Promise<Result> =>
  read(path, { HF_ENDPOINT: server.url, ...env }, ...args)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-server-'))
  server = await hubServer(new Map(readdirSync(ZH_NEWS).map((name) => [name, readFileSync(join(ZH_NEWS, name))])))
})

afterEach(() => {
  server.reset()
  for (const cache of ['cache', 'addresses']) rmSync(join(folder, cache), { recursive: true, force: true })
})

afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

describe('a model on a server', () => {
  it('is read as the same model on disk is', async () => {
    const reportOf = ({ stdout }: Result): unknown =>
      JSON.parse(stdout, (key, value: unknown) => (key === 'file' ? undefined : value))
    const here = reportOf(await read(ZH_NEWS, {}, '--json'))
    for (const path of [`${server.url}/`, `${server.url}/model.ckpt.index`])
      expect(reportOf(await read(path, {}, '--json'))).toEqual(here)
    expect(reportOf(await hub('hf:org/name', {}, '--json'))).toEqual(here)
    expect(readdirSync(folder).filter((name) => name.startsWith('.albertkit-'))).toEqual([])
  })

  it('answers texts, and gives its tokens', async () => {
    const env = { ...own(), HF_ENDPOINT: server.url }
    for (const command of ['predict', 'tokenize']) {
      const text = join(ZH_NEWS, 'dev.tsv')
      const there = await albertkit([command, 'hf:org/name', text, '--json'], { env })
      expect(there).toEqual(await albertkit([command, ZH_NEWS, text, '--json'], { env }))
      expect(there.code).toBe(0)
    }
  })

  it('travels by ranges, and each byte once', async () => {
    await hub('hf:org/name', {}, '--no-checksum')
    expect(server.sent.get(DATA) ?? 0).toBe(0)
    const output = join(folder, 'out')
    const { code, stderr } = await albertkit(['convert', 'hf:org/name', '--to', 'onnx', '-o', output, '-q'], {
      env: { ...own(), HF_ENDPOINT: server.url },
    })
    expect([code, stderr]).toEqual([0, ''])
    expect(server.sent.get(DATA)).toBe(server.files.get(DATA)!.length)
    const plain = join(folder, 'plain')
    await convertModel(ZH_NEWS, plain, { targets: ['onnx'] })
    const hash = (home: string): string =>
      createHash('sha256')
        .update(readFileSync(join(home, 'onnx', 'model.onnx')))
        .digest('hex')
    expect(hash(output)).toBe(hash(plain))
    const { artefacts } = JSON.parse(readFileSync(join(output, 'albertkit.json'), 'utf8')) as {
      artefacts: Record<string, { source: { origin: unknown } }>
    }
    expect(artefacts.onnx?.source.origin).toEqual({ repo: 'org/name', revision: 'main', commit: COMMIT })
  })

  it('is read whole from a server without ranges', async () => {
    server.ranges = false
    expect((await hub('hf:org/name')).code).toBe(0)
    expect((await read(`${server.url}/`)).code).toBe(0)
  })

  it('is read although the server is busy, slow, or cuts connections', async () => {
    let count = 0
    server.fault = (request, response, bytes) => {
      if (++count % 3 === 1) response.writeHead(count % 2 === 0 ? 500 : 429).end()
      else if (count % 3 === 2 && bytes.length > 0) {
        const [, from = 0, to = 0] = (/^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []).map(Number)
        const range = `bytes ${from}-${to}/${bytes.length}`
        response.writeHead(206, { 'content-length': to + 1 - from, 'content-range': range })
        response.write(bytes.subarray(from, (from + to) >> 1))
        setTimeout(() => response.destroy(), 20)
      } else return false
      return true
    }
    const { code, stderr } = await hub('hf:org/name')
    expect([code, stderr]).toEqual([0, ''])
  })

  it('sends the token to the hub alone', async () => {
    await hub('hf:org/name', { HF_TOKEN: 'secret' })
    expect([...server.tokens]).toEqual(['Bearer secret'])
    server.tokens.clear()
    await read(`${server.url}/`, { HF_TOKEN: 'secret' })
    expect([...server.tokens]).toEqual([undefined])
  })

  it.each([
    [401, 6, 'permission-denied'],
    [404, 2, 'file-missing'],
    [500, 6, 'service-unavailable'],
  ])('status %d of the hub', async (status, exit, code) => {
    server.fault = (_, response) => {
      response.writeHead(status).end()
      return true
    }
    const { code: got, stdout } = await hub('hf:org/name', {}, '--json')
    expect(got).toBe(exit)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code } })
  })

  it('that changes between two ranges is refused', async () => {
    let count = 0
    server.fault = (request, response) => {
      if (request.url?.endsWith(DATA) === true) response.setHeader('etag', `"${count++}"`)
      return false
    }
    const { code, stdout } = await read(`${server.url}/`, {}, '--json')
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'file-changed' } })
  })

  it.each([
    ['another size', (size: number) => `bytes 0-99/${size + 1}`, 'file-changed'],
    ['another range', (size: number) => `bytes 7-99/${size}`, 'range-invalid'],
  ])('that lies about %s is refused', async (_, range, code) => {
    server.fault = (request, response, bytes) => {
      if (request.url?.endsWith('model.ckpt.index') !== true) return false
      response.writeHead(206, { 'content-range': range(bytes.length) }).end(bytes)
      return true
    }
    const { stdout } = await hub('hf:org/name', {}, '--json')
    expect(JSON.parse(stdout)).toMatchObject({ error: { code } })
  })

  it('that sends more than it said is refused', async () => {
    server.fault = (request, response, bytes) => {
      if (request.url?.endsWith('model.ckpt.index') !== true) return false
      const { length } = bytes
      response.writeHead(206, { 'content-range': `bytes 0-${length - 1}/${length}` })
      response.end(Buffer.concat([bytes, bytes]))
      return true
    }
    const { code, stdout } = await hub('hf:org/name', {}, '--json')
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'range-invalid' } })
  })

  it('that leads away from this machine, or in a circle, is refused', async () => {
    for (const location of ['https://192.0.2.1/x', 'http://192.0.2.1/x', '/model.ckpt.index']) {
      server.fault = (_, response) => {
        response.writeHead(302, { location }).end()
        return true
      }
      const { code, stdout } = await read(`${server.url}/model.ckpt.index`, {}, '--json')
      expect(code).toBe(4)
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'path-escapes' } })
    }
  })

  it('that does not answer in time is given up', async () => {
    server.fault = () => true
    const { code, stdout } = await hub('hf:org/name', { HF_HUB_DOWNLOAD_TIMEOUT: '0.2' }, '--json')
    expect(code).toBe(6)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'service-unavailable' } })
  })

  it('is not asked offline, nor for a path', async () => {
    for (const path of ['hf:org/name', `${server.url}/`]) expect((await hub(path, {}, '--offline')).code).toBe(2)
    expect((await hub('hf:org/name', { HF_HUB_OFFLINE: '1' })).code).toBe(2)
    await hub(ZH_NEWS)
    expect(server.requests).toEqual([])
  })

  it('is not read over plain http elsewhere', async () => {
    expect((await read('http://192.0.2.1/model.safetensors')).code).toBe(2)
  })
})

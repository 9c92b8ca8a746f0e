import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { zip } from '../helpers/archive.js'
import { hubServer, type HubServer } from '../helpers/hub-server.js'
import { NO_REDIS, REDIS, RedisServer } from '../helpers/redis.js'
import { albertkit, BIN, userEnv, type Result } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'

/** What lies on servers, in what shapes, and what stays of it on this machine. */

const DATA = 'model.ckpt.data-00000-of-00001'
let folder: string
let server: HubServer
let plain: Map<string, Buffer>

const env = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv =>
  userEnv({
    HF_HUB_CACHE: join(folder, 'cache'),
    HF_HOME: folder,
    ALBERTKIT_CACHE: join(folder, 'addresses'),
    HF_ENDPOINT: server.url,
    ...more,
  })
const kit = (args: readonly string[], more?: NodeJS.ProcessEnv): Promise<Result> => albertkit(args, { env: env(more) })
const filesIn = (home: string): Map<string, Buffer> =>
  new Map(
    readdirSync(home, { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(home.length + 1), readFileSync(path)]),
  )
function serve(files: Map<string, Buffer>): void {
  server.files.clear()
  for (const [name, bytes] of files) server.files.set(name, bytes)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-sources-'))
  plain = filesIn(ZH_NEWS)
  server = await hubServer(new Map(plain))
  const out = join(folder, 'made')
  await convertModel(ZH_NEWS, out, { targets: ['onnx', 'tf'], verify: false })
  const bert = { targets: ['safetensors'], targetArchitecture: 'bert', verify: false } as const
  await convertModel(ZH_NEWS, join(folder, 'bert'), bert)
})

afterEach(() => {
  server.reset()
  serve(plain)
  for (const cache of ['cache', 'addresses']) rmSync(join(folder, cache), { recursive: true, force: true })
})

afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

describe('shapes of a model on a server', () => {
  const family = async (path: string): Promise<unknown> => {
    const { code, stdout, stderr } = await kit(['inspect', path, '--json'])
    expect([code, stderr], stdout).toEqual([0, ''])
    return (JSON.parse(stdout) as { family: unknown }).family
  }

  it('a folder with a page of links, whose names nobody could guess', async () => {
    const odd = new Map([...plain].map(([name, bytes]) => [name.replace('model.ckpt', 'bert_42'), bytes]))
    serve(odd)
    server.fault = (request, response) => {
      if (request.url !== '/') return false
      const links = [...odd.keys()].map((name) => `<a href="${encodeURIComponent(name)}">${name}</a>`)
      response.writeHead(200, { 'content-type': 'text/html' }).end(links.join('\n'))
      return true
    }
    expect(await family(`${server.url}/`)).toBe('zh')
    expect(server.requests.some((line) => line.includes('pytorch_model'))).toBe(false)
  })

  it('shards that an index names, of a folder and of its index', async () => {
    const made = filesIn(join(folder, 'bert'))
    const whole = made.get('model.safetensors')!
    const header = JSON.parse(whole.subarray(8, 8 + Number(whole.readBigUInt64LE(0))).toString()) as object
    const names = Object.keys(header).filter((name) => name !== '__metadata__')
    const weight_map = Object.fromEntries(names.map((name) => [name, 'part-7.safetensors']))
    const files = new Map([
      ['config.json', made.get('config.json')!],
      ['part-7.safetensors', whole],
      ['model.safetensors.index.json', Buffer.from(JSON.stringify({ weight_map }))],
    ])
    serve(files)
    for (const path of ['/', '/model.safetensors.index.json']) expect(await family(server.url + path)).toBe('hf')
  })

  it('archives: of a zip the members that are read, and of one whose address has no ending', async () => {
    const noise = createHash('shake256', { outputLength: 4 << 20 })
      .update('x')
      .digest()
    const archive = await zip([...plain, ['x.bin', noise] as const].map(([name, data]) => ({ name, data })))
    serve(new Map([['model.zip', archive]]))
    expect(await family(`${server.url}/model.zip`)).toBe('zh')
    expect(server.sent.get('model.zip')!).toBeLessThan(archive.length)
    serve(new Map([['download', archive]]))
    server.fault = (_, response) => {
      response.setHeader('content-disposition', 'attachment; filename=tiny.zip')
      return false
    }
    expect(await family(`${server.url}/download`)).toBe('zh')
  })
})

describe('what a command fetched', () => {
  it('is there for the next one, offline too', async () => {
    const seen = ({ stdout }: Result): unknown => {
      const { family, config, variables } = JSON.parse(stdout) as Record<string, unknown>
      return { family, config, variables }
    }
    const inspected = await kit(['inspect', 'hf:org/name', '--no-checksum', '--json'])
    expect(server.sent.has(DATA)).toBe(false)
    server.requests.length = 0
    const offline = await kit(['inspect', 'hf:org/name', '--no-checksum', '--json', '--offline'])
    expect(seen(offline)).toEqual(seen(inspected))
    // What is not here is missing.
    expect(JSON.parse(offline.stdout)).toMatchObject({ missingFiles: [DATA] })
    const { code, stdout } = await kit(['weights', 'hf:org/name', '--json', '--offline'])
    expect([code, stdout]).toEqual([3, expect.stringContaining('file-missing')])
    expect(server.requests).toEqual([])
    expect((await kit(['weights', 'hf:org/name'])).code).toBe(0)
    server.requests.length = 0
    expect((await kit(['weights', 'hf:org/name', '--offline'])).code).toBe(0)
    expect(server.requests).toEqual([])
    expect(server.sent.get(DATA)).toBe(plain.get(DATA)!.length)
  })

  it('counts if the hub does not answer later', async () => {
    await kit(['weights', 'hf:org/name'])
    server.fault = (_, response) => {
      response.writeHead(503).end()
      return true
    }
    expect((await kit(['inspect', 'hf:org/name'])).code).toBe(0)
  })

  it('of an address stays under its ETag', async () => {
    const path = `${server.url}/model.ckpt.index`
    await kit(['weights', path])
    server.sent.clear()
    await kit(['weights', path])
    // One byte for the question.
    expect(server.sent.get(DATA)).toBe(1)
    server.tag = '"two"'
    server.sent.clear()
    await kit(['weights', path])
    expect(server.sent.get(DATA)).toBe(plain.get(DATA)!.length + 1)
    for (const tag of [null, 'W/"weak"']) {
      server.tag = tag
      server.sent.clear()
      for (let i = 0; i < 2; i++) await kit(['weights', path])
      expect(server.sent.get(DATA)).toBe(2 * plain.get(DATA)!.length + 2)
    }
  })

  it('is not fetched again by a command after one that was killed', async () => {
    const size = plain.get(DATA)!.length
    let held = 0
    server.fault = (request, response, bytes) => {
      // Half of the second range arrives.
      if (request.url?.endsWith(DATA) !== true || ++held < 2) return false
      const [, from = 0, to = 0] = (/^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []).map(Number)
      const range = `bytes ${from}-${to}/${bytes.length}`
      response.writeHead(206, { 'content-length': to + 1 - from, 'content-range': range })
      response.write(bytes.subarray(from, (from + to) >> 1), () => child.kill('SIGKILL'))
      return true
    }
    const args = [BIN, 'convert', 'hf:org/name', '--to', 'onnx', '--no-verify', '-o', join(folder, 'killed')]
    const child = spawn(process.execPath, args, { env: env(), stdio: 'ignore' })
    await new Promise((resolve) => child.on('close', resolve))
    const before = server.sent.get(DATA)!
    server.reset()
    expect((await kit(args.slice(1))).code).toBe(0)
    expect(before).toBeGreaterThan(0)
    expect(server.sent.get(DATA)).toBeLessThanOrEqual(size - before)
  })

  it('is refused if its hash is not the one that the hub lists', async () => {
    server.fault = (request, response, bytes) => {
      if (request.url?.startsWith('/api/') !== true) return false
      const sha = '0123456789abcdef0123456789abcdef01234567'
      const siblings = [...plain].map(([rfilename, { length: size }]) => ({
        rfilename,
        size,
        lfs: { sha256: createHash('sha256').update(`${bytes.length} ${rfilename}`).digest('hex') },
      }))
      response.end(JSON.stringify({ sha, siblings }))
      return true
    }
    const { code, stdout } = await kit(['weights', 'hf:org/name', '--json'])
    expect([code, stdout]).toEqual([3, expect.stringContaining('checksum-mismatch')])
    expect(readdirSync(join(folder, 'cache', 'models--org--name', 'blobs'))).toEqual([])
  })

  it('comes from the store that the hub redirects to', async () => {
    server.store = true
    expect((await kit(['weights', 'hf:org/name'], { HF_TOKEN: 'secret' })).code).toBe(0)
    expect([...server.storeTokens]).toEqual([undefined])
    expect(server.sent.get(DATA)).toBe(plain.get(DATA)!.length)
  })
})

describe('directories that were converted', () => {
  it('are checked, verified and measured where they are', async () => {
    serve(filesIn(join(folder, 'made')))
    for (const place of ['hf:org/name', `${server.url}/`]) {
      const { code, stdout } = await kit(['check', place])
      expect(code, stdout).toBe(0)
      const verified = await kit(['verify', ZH_NEWS, place, '--runner', 'onnxruntime', '--json'])
      expect(verified.code, verified.stderr).toBe(0)
      expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true })
    }
    const benched = await kit(['bench', 'hf:org/name', '--runner', 'onnxruntime', '--runs', '1', '--json'])
    expect(benched.code, benched.stderr).toBe(0)
    serve(new Map([...server.files, ['vocab.txt', Buffer.from('[UNK]\n')]]))
    rmSync(join(folder, 'addresses'), { recursive: true })
    server.tag = '"changed"'
    expect((await kit(['check', `${server.url}/`])).code).toBe(1)
  })
})

describe.skipIf(!REDIS)(`a queue${REDIS ? '' : ` (${NO_REDIS})`}`, () => {
  it('gets a model of the hub as a path of the cache, and refuses what no cache keeps', async () => {
    const redis = await RedisServer.start()
    try {
      const [text, output] = [join(ZH_NEWS, 'dev.tsv'), join(folder, 'queued.jsonl')]
      const where = ['--redis', redis.url]
      const submit = (model: string): Promise<Result> =>
        kit(['queue', 'submit', 'predict', model, text, '--shards', '2', '-o', output, ...where])
      const submitted = await submit('hf:org/name')
      expect(submitted.code, submitted.stderr).toBe(0)
      // Workers need no hub.
      const worked = await kit(['queue', 'work', '--until-empty', ...where], { HF_ENDPOINT: 'http://127.0.0.1:1' })
      expect(worked.code, worked.stderr).toBe(0)
      const { stdout } = await kit(['predict', ZH_NEWS, text])
      expect(readFileSync(output, 'utf8')).toBe(stdout)
      rmSync(output)
      expect((await submit(`${server.url}/`)).code).toBe(0)
      expect((await kit(['queue', 'work', '--until-empty', ...where])).code).toBe(0)
      expect(readFileSync(output, 'utf8')).toBe(stdout)
      rmSync(output)
      server.tag = null
      const { code, stderr } = await submit(`${server.url}/`)
      expect([code, stderr]).toEqual([6, expect.stringContaining('no strong ETag')])
    } finally {
      await redis.stop()
    }
  })
})

describe('commands without an address', () => {
  it('ask nobody', async () => {
    const trip = join(folder, 'tripwire.cjs')
    writeFileSync(
      trip,
      `const stop = (what) => () => { require('node:fs').appendFileSync(${JSON.stringify(join(folder, 'tripped'))}, what + '\\n'); throw new Error(what) }
globalThis.fetch = stop('fetch')
require('node:net').Socket.prototype.connect = stop('connect')
require('node:dns').lookup = stop('lookup')
`,
    )
    const more = { NODE_OPTIONS: `--require ${trip}` }
    const text = join(ZH_NEWS, 'dev.tsv')
    const out = join(folder, 'quiet')
    for (const args of [
      ['inspect', ZH_NEWS],
      ['convert', ZH_NEWS, '--to', 'onnx', '-o', out],
      ['verify', ZH_NEWS, out],
      ['check', out],
      ['predict', ZH_NEWS, text, '-o', join(folder, 'quiet.jsonl')],
      ['inspect', 'hf:org/name', '--offline'],
    ])
      expect((await kit(args, more)).code).toBe(args.includes('--offline') ? 2 : 0)
    expect(existsSync(join(folder, 'tripped'))).toBe(false)
    // The wire trips.
    expect((await kit(['inspect', 'hf:org/name'], more)).code).toBe(6)
    expect(readFileSync(join(folder, 'tripped'), 'utf8')).toContain('fetch')
  })
})

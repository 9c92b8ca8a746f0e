import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { COMMIT } from '../helpers/hub-cache.js'
import { hubServer, sha256, type HubServer } from '../helpers/hub-server.js'
import { albertkit, run, userEnv } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { HUB } from './python.js'

const SCRIPT = fileURLToPath(new URL('read_hub.py', import.meta.url))
const DATA = 'model.ckpt.data-00000-of-00001'
let folder: string
let server: HubServer
let names: readonly string[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-oracle-hub-'))
  names = readdirSync(ZH_NEWS)
  server = await hubServer(new Map(names.map((name) => [name, readFileSync(join(ZH_NEWS, name))])))
})

afterEach(() => {
  server.reset()
  rmSync(join(folder, 'cache'), { recursive: true, force: true })
})

afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const env = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv =>
  userEnv({
    HF_HUB_CACHE: join(folder, 'cache'),
    HF_HOME: folder,
    HF_ENDPOINT: server.url,
    HF_HUB_OFFLINE: '0',
    ...more,
  })

/** Asks huggingface_hub, which may use the network of this machine meanwhile. */
async function theirs(request: object, more?: NodeJS.ProcessEnv): Promise<unknown> {
  const { code, stdout, stderr } = await run(HUB!, [SCRIPT, JSON.stringify(request)], { env: env(more) })
  if (code !== 0) throw new Error(stderr.slice(-4000))
  return JSON.parse(stdout)
}

describe.skipIf(HUB === null)('the cache', () => {
  it('that albertkit filled is read by huggingface_hub, without the network', async () => {
    expect((await albertkit(['weights', 'hf:org/name'], { env: env() })).code).toBe(0)
    const fetched = [DATA, 'model.ckpt.index', 'albert_config.json']
    expect(await theirs({ files: fetched }, { HF_HUB_OFFLINE: '1' })).toEqual({
      hashes: Object.fromEntries(fetched.map((name) => [name, sha256(server.files.get(name)!)])),
      warnings: [],
      repo: 'org/name',
      commit: COMMIT,
      refs: ['main'],
      files: expect.arrayContaining(fetched) as string[],
    })
    server.sent.clear()
    await theirs({ files: fetched })
    expect([...server.sent]).toEqual([])
  })

  it('that huggingface_hub filled is read by albertkit, without the network', async () => {
    await theirs({ files: names })
    server.requests.length = 0
    for (const more of [[], ['--offline']])
      expect((await albertkit(['weights', 'hf:org/name', ...more], { env: env() })).code).toBe(0)
    expect(server.requests).toEqual([])
  })

  it('is completed by huggingface_hub where albertkit stopped', async () => {
    const out = join(folder, 'bert')
    await convertModel(ZH_NEWS, out, { targets: ['safetensors'], targetArchitecture: 'bert', verify: false })
    const name = 'model.safetensors'
    const bytes = readFileSync(join(out, name))
    for (const file of [name, 'config.json']) server.files.set(`bert/${file}`, readFileSync(join(out, file)))
    expect((await albertkit(['inspect', 'hf:org/name/bert'], { env: env() })).code).toBe(0)
    const blob = join(folder, 'cache', 'models--org--name', 'blobs', sha256(bytes))
    const { length } = readFileSync(`${blob}.incomplete`)
    expect(length).toBeGreaterThan(0)
    expect(length).toBeLessThan(bytes.length)
    server.sent.clear()
    const { hashes } = (await theirs({ files: [`bert/${name}`] })) as { readonly hashes: Record<string, string> }
    expect(hashes[`bert/${name}`]).toBe(sha256(bytes))
    expect(server.sent.get(`bert/${name}`)).toBe(bytes.length - length)
  })
})

describe.skipIf(HUB === null)('a model card', () => {
  it('is read by huggingface_hub, which finds its fields', async () => {
    const out = join(folder, 'out')
    await convertModel(ZH_NEWS, out, { targets: ['onnx'], card: true, verify: false })
    expect(await theirs({ card: join(out, 'README.md') })).toEqual({
      library_name: 'transformers.js',
      pipeline_tag: 'text-classification',
      tags: ['albert', 'onnx', 'albertkit'],
    })
  })
})

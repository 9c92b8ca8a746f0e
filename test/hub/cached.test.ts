import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { loadTokenizer } from '../../src/api/tokenize/load-tokenizer.js'
import { labelsBeside, tokenizerOf } from '../../src/api/tokenize/tokenize.js'
import { openTextModel } from '../../src/api/inference/model.js'
import { openModel } from '../../src/api/open/open.js'
import { openSource } from '../../src/api/open/source.js'
import { readManifest } from '../../src/api/output-manifest.js'
import { cacheFolder, isOffline } from '../../src/hub/cache.js'
import { COMMIT, fillCache } from '../helpers/hub-cache.js'
import { ZH_NEWS } from '../helpers/shared.js'

const OTHER = 'fedcba9876543210fedcba9876543210fedcba98'
let folder: string
let cache: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-hub-'))
  cache = join(folder, 'hub')
  vi.stubEnv('HF_HUB_CACHE', cache)
  vi.stubEnv('HF_HUB_OFFLINE', '1')
  fillCache(cache, 'org/news', ZH_NEWS)
  fillCache(cache, 'org/nested', ZH_NEWS, { revision: 'refs/pr/3', commit: OTHER, subfolder: 'tf' })
})

afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

describe('cacheFolder', () => {
  it.each([
    [{ HF_HUB_CACHE: '/a', HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c' }, '/a'],
    [{ HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c' }, '/b'],
    [{ HF_HUB_CACHE: '', HF_HOME: '/c', XDG_CACHE_HOME: '/d' }, join('/c', 'hub')],
    [{ XDG_CACHE_HOME: '/d' }, join('/d', 'huggingface', 'hub')],
  ])('reads %j', (env, expected) => {
    expect(cacheFolder(env)).toBe(expected)
  })

  it('is offline as huggingface_hub is', () => {
    expect(['1', 'on', 'YES', 'true'].map((HF_HUB_OFFLINE) => isOffline({ HF_HUB_OFFLINE }))).not.toContain(false)
    expect(['0', '', 'no'].map((HF_HUB_OFFLINE) => isOffline({ HF_HUB_OFFLINE }))).not.toContain(true)
  })
})

describe('a model in the cache', () => {
  it('is opened through its links, with the commit that it is', async () => {
    using opened = await openModel('hf:org/news')
    expect(opened.origin).toEqual({ repo: 'org/news', revision: 'main', commit: COMMIT })
    expect(opened.directory).toBe(join(cache, 'models--org--news', 'snapshots', COMMIT))
    using source = await openSource(ZH_NEWS)
    expect([...opened.source.tensors.keys()]).toEqual([...source.tensors.keys()])
  })

  it('is found by revision, commit and folder', async () => {
    for (const [name, revision] of [
      ['hf:org/nested@refs/pr/3/tf', 'refs/pr/3'],
      [`hf:org/nested@${OTHER}/tf/model.ckpt.index`, OTHER],
    ] as const) {
      using opened = await openModel(name)
      expect(opened.origin).toMatchObject({ repo: 'org/nested', revision, commit: OTHER })
    }
  })

  it('gives tokenizer and labels, and answers', async () => {
    const plain = loadTokenizer(ZH_NEWS).encode('今天天气很好')
    expect(loadTokenizer('hf:org/news').encode('今天天气很好')).toEqual(plain)
    expect((await tokenizerOf('hf:org/news')).encode('今天天气很好')).toEqual(plain)
    expect(await labelsBeside('hf:org/news')).toEqual(await labelsBeside(ZH_NEWS))
    await using model = await openTextModel('hf:org/news', 'classify')
    expect(model.labels).toEqual(await labelsBeside(ZH_NEWS))
  })

  it('is recorded in the manifest; the same model by its path is not', async () => {
    for (const [path, origin] of [
      ['hf:org/news', { repo: 'org/news', revision: 'main', commit: COMMIT }],
      [ZH_NEWS, undefined],
    ] as const) {
      const output = join(folder, `out-${String(origin === undefined)}`)
      await convertModel(path, output, { targets: ['onnx'], verify: false })
      const [artefact] = Object.values(readManifest(output)?.artefacts ?? {})
      expect(artefact?.source.origin).toEqual(origin)
    }
  })

  it.each([
    ['hf:org/absent', 'org/absent is not in the local cache', 'hf download org/absent'],
    ['hf:org/news@v2', 'at v2', '--revision v2'],
    ['hf:org/news/onnx', 'but not onnx of it', 'vocab.txt'],
  ])('that is not there: %s', async (path, message, hint) => {
    await expect(openModel(path)).rejects.toMatchObject({ kind: 'usage', code: 'file-missing', exitCode: 2 })
    await expect(openModel(path)).rejects.toMatchObject({
      message: expect.stringContaining(message) as string,
      hint: expect.stringContaining(hint) as string,
    })
  })

  it('a ref that is no commit leads nowhere', async () => {
    const refs = join(cache, 'models--org--odd', 'refs')
    mkdirSync(refs, { recursive: true })
    writeFileSync(join(refs, 'main'), '../../../secret')
    await expect(openModel('hf:org/odd')).rejects.toMatchObject({ code: 'file-missing' })
  })

  it('links out of the cache are refused', async () => {
    const snapshot = fillCache(cache, 'org/links', ZH_NEWS)
    writeFileSync(join(folder, 'secret'), 'secret')
    unlinkSync(join(snapshot, 'vocab.txt'))
    symlinkSync(join(folder, 'secret'), join(snapshot, 'vocab.txt'))
    using opened = await openModel('hf:org/links')
    expect(() => opened.files.open(join(opened.directory, 'vocab.txt'))).toThrow(
      expect.objectContaining({ code: 'path-escapes' }) as Error,
    )
    await expect(tokenizerOf('hf:org/links')).rejects.toMatchObject({ code: 'path-escapes' })
  })
})

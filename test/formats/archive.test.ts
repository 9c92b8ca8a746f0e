import { createWriteStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ZipFile } from 'yazl'
import { openModel } from '../../src/api/open.js'
import { openSource } from '../../src/formats/open.js'
import { readAll } from '../../src/formats/source.js'
import { ZH_NEWS } from '../helpers/shared.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-arc-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const FILES = ['albert_config.json', 'model.ckpt.index', 'model.ckpt.data-00000-of-00001', 'vocab.txt', 'labels.txt']
type Entry = { name: string; data?: Buffer; link?: string }
const model = (prefix: string): Entry[] =>
  FILES.map((name) => ({ name: `${prefix}${name}`, data: readFileSync(join(ZH_NEWS, name)) }))

async function zip(name: string, entries: readonly Entry[]): Promise<string> {
  const path = join(folder, name)
  const file = new ZipFile()
  for (const { name: entry, data = Buffer.alloc(0) } of entries) file.addBuffer(data, entry)
  file.end()
  await pipeline(file.outputStream, createWriteStream(path))
  return path
}

async function tarball(name: string, entries: readonly Entry[]): Promise<string> {
  const path = join(folder, name)
  const file = pack()
  for (const { name: entry, data, link } of entries)
    if (link === undefined) file.entry({ name: entry }, data ?? Buffer.alloc(0))
    else file.entry({ name: entry, type: 'symlink', linkname: link })
  file.finalize()
  const parts: Buffer[] = []
  for await (const part of file) parts.push(part as Buffer)
  writeFileSync(path, name.endsWith('.tar') ? Buffer.concat(parts) : gzipSync(Buffer.concat(parts)))
  return path
}

const unpacked = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('albertkit-archive-'))

describe('an archive of a checkpoint folder', () => {
  it.each([
    ['a zip', (): Promise<string> => zip('a.zip', model('albert_news/'))],
    ['a zip without a folder', (): Promise<string> => zip('flat.zip', model(''))],
    ['a tar.gz', (): Promise<string> => tarball('a.tar.gz', model('./albert_news/'))],
    ['a tar', (): Promise<string> => tarball('a.tar', model('albert_news/'))],
    ['a gzip of another name', (): Promise<string> => tarball('download', model('albert_news/'))],
  ])('%s is the model in it, and leaves nothing behind', async (_, make) => {
    const before = unpacked()
    const opened = await openModel(await make())
    const plain = await openSource(ZH_NEWS)
    expect(opened.config).toMatchObject({ family: 'zh', hidden_size: 128 })
    expect(existsSync(join(opened.directory, 'labels.txt'))).toBe(true)
    for (const name of plain.tensors.keys())
      expect(Buffer.compare(readAll(opened.source, name), readAll(plain, name)), name).toBe(0)
    expect(unpacked().length).toBe(before.length + 1)
    opened.close()
    plain.close()
    expect(unpacked()).toEqual(before)
  })

  it.each([
    ['a path upwards', [{ name: 'a/../../evil', data: Buffer.from('x') }]],
    ['an absolute path', [{ name: '/tmp/albertkit-evil', data: Buffer.from('x') }]],
    ['a link', [{ name: 'link', link: '/etc/passwd' }]],
  ] satisfies [string, Entry[]][])('%s is refused', async (_, entries) => {
    const before = unpacked()
    const path = await tarball('evil.tar.gz', entries)
    await expect(openSource(path)).rejects.toMatchObject({ name: 'AlbertkitError', place: { file: path } })
    expect(unpacked()).toEqual(before)
    expect(existsSync('/tmp/albertkit-evil')).toBe(false)
  })

  it('a truncated one is malformed, one without a model says what it lacks', async () => {
    const whole = readFileSync(await zip('whole.zip', model('')))
    const cut = join(folder, 'cut.zip')
    writeFileSync(cut, whole.subarray(0, whole.length / 2))
    await expect(openSource(cut)).rejects.toMatchObject({ kind: 'malformed' })
    const path = await zip('none.zip', [{ name: 'readme.txt', data: Buffer.from('hello') }])
    await expect(openSource(path)).rejects.toMatchObject({ kind: 'malformed' })
  })
})

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openModel } from '../../../src/api/open/open.js'
import { openSource } from '../../../src/api/open/source.js'
import { exists } from '../../../src/formats/core/file-port.js'
import { readAll } from '../../../src/formats/core/source.js'
import { tar, tarGz, zip, type ArchiveEntry } from '../../helpers/archive.js'
import { ZH_NEWS } from '../../helpers/shared.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-arc-'))
  // What is unpacked, and left, is that of these tests alone.
  vi.stubEnv('TMPDIR', folder)
})
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

const FILES = ['albert_config.json', 'model.ckpt.index', 'model.ckpt.data-00000-of-00001', 'vocab.txt', 'labels.txt']
const model = (prefix: string): ArchiveEntry[] =>
  FILES.map((name) => ({ name: `${prefix}${name}`, data: readFileSync(join(ZH_NEWS, name)) }))

/** What macOS puts into its archives. */
const OF_FINDER: readonly ArchiveEntry[] = [
  { name: '__MACOSX/albert_news/._model.ckpt.index', data: Buffer.from('x') },
  { name: 'albert_news/._model.ckpt.index', data: Buffer.from('x') },
  { name: 'albert_news/.DS_Store', data: Buffer.from('x') },
]

/** Writes an archive of `entries` as `name` says it is. */
async function archive(name: string, entries: readonly ArchiveEntry[]): Promise<string> {
  const make = name.endsWith('.zip') ? zip : name.endsWith('.tar') ? tar : tarGz
  const path = join(folder, name)
  writeFileSync(path, await make(entries))
  return path
}

const unpacked = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('.albertkit-') && name.includes(`-${process.pid}-`))

describe('an archive of a checkpoint folder', () => {
  it.each([
    ['a zip', (): Promise<string> => archive('a.zip', model('albert_news/'))],
    ['a zip without a folder', (): Promise<string> => archive('flat.zip', model(''))],
    ['a tar.gz', (): Promise<string> => archive('a.tar.gz', model('./albert_news/'))],
    ['a tar', (): Promise<string> => archive('a.tar', model('albert_news/'))],
    ['a zip of macOS', (): Promise<string> => archive('mac.zip', [...model('albert_news/'), ...OF_FINDER])],
    ['a zip with folders in folders', (): Promise<string> => archive('deep.zip', model('a/b/c/d/'))],
    ['a gzip of another name', (): Promise<string> => archive('download', model('albert_news/'))],
  ])('%s is the model in it, and leaves nothing behind', async (_, make) => {
    const before = unpacked()
    const opened = await openModel(await make())
    const plain = await openSource(ZH_NEWS)
    expect(opened.config).toMatchObject({ family: 'zh', hidden_size: 128 })
    expect(exists(opened.files, join(opened.directory, 'labels.txt'))).toBe(true)
    for (const name of plain.tensors.keys())
      expect(Buffer.compare(readAll(opened.source, name), readAll(plain, name)), name).toBe(0)
    expect(unpacked()).toEqual(before)
    opened.close()
    plain.close()
    expect(unpacked()).toEqual(before)
  })

  it('of several models lists them', async () => {
    const path = await archive('two.zip', [...model('a/'), ...model('b/')])
    await expect(openModel(path)).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringContaining('a, b') as string,
    })
  })

  it.each([
    ['a path upwards', [{ name: 'a/../../evil', data: Buffer.from('x') }]],
    ['an absolute path', [{ name: '/tmp/albertkit-evil', data: Buffer.from('x') }]],
    ['a link', [{ name: 'link', link: '/etc/passwd' }]],
  ] satisfies [string, ArchiveEntry[]][])('%s is refused', async (_, entries) => {
    const before = unpacked()
    const path = await archive('evil.tar.gz', entries)
    await expect(openSource(path)).rejects.toMatchObject({ name: 'AlbertkitError', place: { file: path } })
    expect(unpacked()).toEqual(before)
    expect(existsSync('/tmp/albertkit-evil')).toBe(false)
  })

  it('a truncated one is malformed, one without a model says what it lacks', async () => {
    const whole = readFileSync(await archive('whole.zip', model('')))
    const cut = join(folder, 'cut.zip')
    writeFileSync(cut, whole.subarray(0, whole.length / 2))
    await expect(openSource(cut)).rejects.toMatchObject({ kind: 'malformed' })
    const path = await archive('none.zip', [{ name: 'readme.txt', data: Buffer.from('hello') }])
    await expect(openSource(path)).rejects.toMatchObject({ kind: 'malformed' })
  })

  it('errors of a file in it name the archive, while opening and while reading', async () => {
    const damaged = (name: string, at: number): ArchiveEntry[] =>
      model('m/').map((entry) => {
        if (!entry.name.endsWith(name)) return entry
        const data = Buffer.from(entry.data!)
        data[at] = data[at]! ^ 1
        return { ...entry, data }
      })
    const index = await archive('index.zip', damaged('.index', 100))
    await expect(openSource(index)).rejects.toMatchObject({ place: { file: `${index}/m/model.ckpt.index` } })
    const data = await archive('data.tar.gz', damaged('.data-00000-of-00001', 5000))
    const source = await openSource(data)
    const read = (): void => {
      for (const name of source.tensors.keys()) readAll(source, name)
    }
    expect(read).toThrow(
      expect.objectContaining({
        place: expect.objectContaining({ file: `${data}/m/model.ckpt.data-00000-of-00001` }) as object,
      }) as Error,
    )
    source.close()
  })

  it('two archives in one another are read, more are refused', async () => {
    let data = await zip(model(''))
    for (const depth of [2, 3, 4]) {
      data = await zip([{ name: 'm.zip', data }])
      const path = join(folder, `nested-${depth}.zip`)
      writeFileSync(path, data)
      if (depth === 2) (await openSource(path)).close()
      else await expect(openSource(path)).rejects.toMatchObject({ code: 'limit-exceeded', kind: 'unsupported' })
    }
  })

  it('a zip with its directory beyond all files is malformed, and nothing else happens', async () => {
    const whole = await zip(model(''))
    const locator = Buffer.alloc(20)
    locator.writeUInt32LE(0x07064b50, 0)
    locator.writeBigUInt64LE(1n << 61n, 8)
    locator.writeUInt32LE(1, 16)
    const path = join(folder, 'far.zip')
    writeFileSync(path, Buffer.concat([whole.subarray(0, -22), locator, whole.subarray(-22)]))
    await expect(openSource(path)).rejects.toMatchObject({ kind: 'malformed', place: { file: path } })
    await expect(openSource(path)).rejects.toThrow(/points to byte \d+/)
  })
})

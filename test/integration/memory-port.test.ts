import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { openModel } from '../../src/api/open/open.js'
import { openSource } from '../../src/api/open/source.js'
import { loadTokenizer } from '../../src/api/tokenize/load-tokenizer.js'
import { readLabels } from '../../src/api/labels.js'
import { failureOf } from '../../src/base/error-transfer.js'
import { disk } from '../../src/files/disk.js'
import { memoryFiles } from '../../src/files/memory.js'
import type { FilePort } from '../../src/formats/core/file-port.js'
import { readAll, type TensorSource } from '../../src/formats/core/source.js'
import { findTokenizer } from '../../src/text/tokenizers/load.js'
import { tar, tarGz, zip, type ArchiveEntry } from '../helpers/archive.js'
import { withoutNodeFs } from '../helpers/forbid-node-fs.js'
import { hasShared, SHARED, ZH_NEWS } from '../helpers/shared.js'

vi.mock('node:fs', async (importOriginal) => {
  const { guarded } = await import('../helpers/forbid-node-fs.js')
  return guarded(await importOriginal())
})

const FORMATS = fileURLToPath(new URL('../fixtures/formats', import.meta.url))
const TEXTS = ['今天天气很好,2022', 'The quick brown fox – naïve café']

const inside = (folder: string): string[] => readdirSync(folder).map((name) => join(folder, name))

/** Every file below a path. */
const filesIn = (path: string): string[] => (statSync(path).isDirectory() ? inside(path).flatMap(filesIn) : [path])

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const FIXTURES = [
  ZH_NEWS,
  ...readdirSync(FORMATS).flatMap((name) =>
    ['h5', 'keras', 'tf-models'].includes(name) ? inside(join(FORMATS, name)) : [join(FORMATS, name)],
  ),
  ...(hasShared ? ['tf', 'hf', 'demo'].flatMap((group) => inside(join(SHARED, group))) : []),
]

/** The result of `body`, or its error. */
async function outcome<T>(body: () => T | Promise<T>): Promise<unknown> {
  try {
    return await body()
  } catch (error) {
    return failureOf(error)
  }
}

/** Names, descriptions and bytes of all tensors, and what reading one says that cannot be read. */
async function tensorsOf(source: TensorSource): Promise<unknown> {
  const found: unknown[] = []
  for (const { name, dtype, shape, byteLength } of source.tensors.values())
    found.push([name, dtype, shape, byteLength, await outcome(() => hash(readAll(source, name)))])
  return { format: source.format, files: source.files, notes: source.notes, found }
}

/** All that can be read of a model. */
async function contentsOf(files: FilePort, path: string): Promise<{ source: unknown; model: unknown }> {
  return {
    source: await outcome(async () => {
      const source = await openSource(path, { files })
      try {
        return await tensorsOf(source)
      } finally {
        source.close()
      }
    }),
    model: await outcome(async () => {
      const opened = await openModel(path, { files })
      try {
        const { config, directory, notes, identification, rawConfig } = opened
        const vocabulary = findTokenizer(files, directory)
        const tokenizer = vocabulary === null ? null : loadTokenizer(directory, { files })
        return {
          config,
          rawConfig,
          notes,
          family: identification.table.family,
          labels: readLabels(opened),
          ids: tokenizer === null ? null : TEXTS.map((text) => tokenizer.ids(text)),
        }
      } finally {
        opened.close()
      }
    }),
  }
}

/** Files next to and below a fixture, in memory, with the same paths. */
const inMemory = (path: string): FilePort => {
  const top = statSync(path).isDirectory() ? path : dirname(path)
  return memoryFiles(filesIn(top).map((file) => [file, readFileSync(file)] as const))
}

let models = 0

describe('every fixture opens through the memory port as from the disk', () => {
  it('and there are many', () => {
    expect(FIXTURES.length).toBeGreaterThan(hasShared ? 80 : 10)
  })

  it.each(FIXTURES.map((path) => [relative(dirname(dirname(path)), path), path]))('%s', async (_, path) => {
    const expected = await contentsOf(disk, path)
    if ('config' in (expected.model as object)) models++
    const files = inMemory(path)
    expect(await withoutNodeFs(() => contentsOf(files, path))).toEqual(expected)
  })

  it('most of them are models, and node:fs throws meanwhile', async () => {
    expect(models).toBeGreaterThan(hasShared ? 60 : 5)
    await expect(withoutNodeFs(() => Promise.resolve().then(() => disk.list(ZH_NEWS)))).rejects.toThrow(
      'node:fs existsSync was called',
    )
  })
})

describe('an archive is read in place', () => {
  const entries = (folder: string): ArchiveEntry[] =>
    filesIn(folder).map((file) => ({ name: `model/${relative(folder, file)}`, data: readFileSync(file) }))
  const folders = [
    ZH_NEWS,
    join(FORMATS, 'h5/TFBertModel'),
    ...(hasShared
      ? [
          'tf/fmt_sharded',
          'tf/fmt_v1',
          'tf/fmt_tf2_savedmodel',
          'tf/fmt_frozen',
          'hf/albert_pretraining_sharded',
          'hf/albert_model_l5g2',
        ].map((name) => join(SHARED, name))
      : []),
  ]
  const makes = [
    ['a.zip', (list: ArchiveEntry[]) => zip(list)],
    ['stored.zip', (list: ArchiveEntry[]) => zip(list, { compress: false })],
    ['a.tar', tar],
    ['a.tar.gz', tarGz],
  ] as const

  it.each(
    folders.flatMap((folder) =>
      makes.map(([name, make]) => [relative(dirname(folder), folder), name, folder, make] as const),
    ),
  )('%s as %s: the same tensors, without a folder for them', async (_, name, folder, make) => {
    const files = memoryFiles([[name, await make(entries(folder))]])
    const plain = await openSource(folder)
    // A temporary folder could not be made without node:fs.
    await withoutNodeFs(async () => {
      const source = await openSource(name, { files })
      expect([...source.tensors.keys()]).toEqual([...plain.tensors.keys()])
      expect(source.files.every((file) => file.startsWith(`${name}/model/`))).toBe(true)
      source.close()
    })
    const source = await openSource(name, { files })
    for (const { name: tensor, dtype } of plain.tensors.values())
      if (dtype !== 'STRING') expect(hash(readAll(source, tensor)), tensor).toBe(hash(readAll(plain, tensor)))
    source.close()
    plain.close()
  })

  it('a damaged file of a zip is refused by its CRC-32, and read as it is if asked', async () => {
    const bytes = await zip(entries(ZH_NEWS), { compress: false })
    const needle = readFileSync(join(ZH_NEWS, 'vocab.txt')).subarray(0, 64)
    const damaged = Buffer.from(bytes)
    const at = damaged.indexOf(needle)
    expect(at).toBeGreaterThan(0)
    damaged[at + 3] = damaged[at + 3]! ^ 1
    const files = memoryFiles([['d.zip', damaged]])
    const opened = await openModel('d.zip', { files })
    expect(() => loadTokenizer(opened.directory, { files: opened.files })).toThrow(
      expect.objectContaining({ code: 'checksum-mismatch', place: { file: 'd.zip/model/vocab.txt' } }) as Error,
    )
    opened.close()
    const trusting = await openModel('d.zip', { files, checksum: false })
    expect(loadTokenizer(trusting.directory, { files: trusting.files }).size).toBeGreaterThan(0)
    trusting.close()
  })
})

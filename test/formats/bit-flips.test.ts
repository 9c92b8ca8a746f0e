import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { writeV1 } from '../../scripts/tensorflow-files.js'
import { openSource, openWithPlaces } from '../../src/api/open/source.js'
import { AlbertkitError } from '../../src/base/errors.js'
import { memoryFiles } from '../../src/files/memory.js'
import { isDirectory, type FilePort } from '../../src/formats/core/file-port.js'
import { readBytes } from '../../src/formats/core/file.js'
import { readAll } from '../../src/formats/core/source.js'
import { tar, zip } from '../helpers/archive.js'
import { torchZip } from '../helpers/torch.js'
import { BundleFiles, writeSafetensorsFile } from '../helpers/write-files.js'

/**
 * Every bit of small files whose formats have checksums is flipped, one at a time: what is read is what was there
 * before, or an AlbertkitError comes. Never other contents.
 */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-flips-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const floats = (count: number, seed: number): Uint8Array =>
  new Uint8Array(Float32Array.from({ length: count }, (_, i) => Math.sin(i + seed)).buffer)
const TENSORS = [
  { name: 'bert/a/bias', shape: [3], bytes: floats(3, 1) },
  { name: 'bert/a/kernel', shape: [3, 2], bytes: floats(6, 2) },
  { name: 'bert/b/kernel', shape: [2, 3], bytes: floats(6, 3) },
]
const CONFIG = Buffer.from('{"hidden_size": 3}\n')

function safetensors(): Buffer {
  const path = join(folder, 'model.safetensors')
  writeSafetensorsFile(
    path,
    TENSORS.map(({ name, shape }) => ({ name, shape, dtype: 'F32' })),
    ({ name }, put) => {
      put(TENSORS.find((tensor) => tensor.name === name)!.bytes)
    },
  )
  return readFileSync(path)
}

function bundle(): { index: Buffer; data: Buffer } {
  const files = new BundleFiles(join(folder, 'model.ckpt'))
  for (const { name, shape, bytes } of TENSORS)
    files.add(name, 'F32', shape, (sink) => {
      sink(bytes)
    })
  files.finish()
  return {
    index: readFileSync(join(folder, 'model.ckpt.index')),
    data: readFileSync(join(folder, 'model.ckpt.data-00000-of-00001')),
  }
}

/** Every file below a folder of a port, with its bytes. */
function filesBelow(files: FilePort, directory: string): string[] {
  return files.list(directory).flatMap((name) => {
    const path = `${directory}/${name}`
    return isDirectory(files, path)
      ? filesBelow(files, path)
      : [`${path} ${Buffer.from(readBytes(files, path)).toString('base64')}`]
  })
}

/** Everything that a reader gives out of a model: names, types, shapes and values, and the files in an archive. */
async function contentsOf(path: string, port: FilePort, archive: boolean): Promise<string> {
  const { source, files, directories } = await openWithPlaces(path, { files: port })
  try {
    const tensors = [...source.tensors.values()].map(
      ({ name, dtype, shape }) =>
        `${name} ${dtype} [${shape.join()}] ${Buffer.from(readAll(source, name)).toString('base64')}`,
    )
    return [...tensors, ...(archive ? filesBelow(files, directories[0] ?? '.') : [])].join('\n')
  } finally {
    source.close()
  }
}

interface Flipped {
  readonly bytes: Uint8Array
  /** What to open, if that is not the file itself. */
  readonly open?: string
  readonly others?: readonly (readonly [string, Uint8Array])[]
  readonly archive?: boolean
  /** Every so many bits one is flipped; default each. */
  readonly step?: number
}

/** Flips bit after bit of the file at `path`. Gives the numbers of flips that came to nothing, and that were noticed. */
async function flipAll(path: string, { bytes, open = path, others = [], archive = false, step = 1 }: Flipped) {
  const own = Uint8Array.from(bytes)
  const port = memoryFiles([[path, own], ...others])
  const before = await contentsOf(open, port, archive)
  const wrong: string[] = []
  const counts = { same: 0, noticed: 0 }
  for (let bit = 0; bit < 8 * own.length; bit += step) {
    const [at, mask] = [bit >> 3, 1 << (bit & 7)]
    own[at] = own[at]! ^ mask
    try {
      if ((await contentsOf(open, port, archive)) === before) counts.same++
      else wrong.push(`bit ${bit & 7} of byte ${at} gives other contents`)
    } catch (error) {
      if (error instanceof AlbertkitError) counts.noticed++
      else wrong.push(`bit ${bit & 7} of byte ${at}: ${String(error)}`)
    }
    own[at] = own[at] ^ mask
  }
  expect(wrong.slice(0, 10)).toEqual([])
  // Damage that never shows would prove nothing.
  expect(counts.noticed).toBeGreaterThan(counts.same)
  return counts
}

const entries = () => [
  { name: 'm/config.json', data: CONFIG },
  { name: 'm/labels.txt', data: Buffer.from('a\nb\n') },
  { name: 'm/model.safetensors', data: safetensors() },
]

describe('each bit flipped', () => {
  it('a zip of stored files', async () => {
    await flipAll('m.zip', { bytes: await zip(entries(), { compress: false }), archive: true })
  })

  it('a zip of deflated files', async () => {
    await flipAll('m.zip', { bytes: await zip(entries()), archive: true })
  })

  it('a tar that is compressed', async () => {
    await flipAll('m.tar.gz', { bytes: gzipSync(await tar(entries()), { level: 9 }), archive: true })
  })

  it('a PyTorch file', async () => {
    await flipAll('pytorch_model.bin', { bytes: await torchZip(TENSORS) })
  })

  it('the index of a bundle', async () => {
    const { index, data } = bundle()
    await flipAll('model.ckpt.index', {
      bytes: index,
      open: 'model.ckpt',
      others: [['model.ckpt.data-00000-of-00001', data]],
    })
  })

  it('the data of a bundle', async () => {
    const { index, data } = bundle()
    const { same } = await flipAll('model.ckpt.data-00000-of-00001', {
      bytes: data,
      open: 'model.ckpt',
      others: [['model.ckpt.index', index]],
    })
    expect(same).toBe(0)
  })

  it('a V1 checkpoint, in slices too', async () => {
    const { index, data } = bundle()
    const source = await openSource('model.ckpt', {
      files: memoryFiles([
        ['model.ckpt.index', index],
        ['model.ckpt.data-00000-of-00001', data],
      ]),
    })
    for (const rows of [undefined, 1]) {
      const path = join(folder, 'v1.ckpt')
      writeV1(path, source, rows === undefined ? {} : { rows })
      await flipAll('v1.ckpt', { bytes: readFileSync(path) })
    }
    source.close()
  })

  it('arrays of NumPy, compressed and not', async () => {
    for (const name of ['arrays', 'arrays-compressed']) {
      const bytes = readFileSync(new URL(`../fixtures/formats/${name}.npz`, import.meta.url))
      await flipAll('a.npz', { bytes, step: ((8 * bytes.length) / 300) | 1 })
    }
  })

  it('a .keras file, some of its bits', async () => {
    const h5 = readFileSync(new URL('../fixtures/formats/h5/TFBertModel/tf_model.h5', import.meta.url))
    const bytes = await zip([
      { name: 'metadata.json', data: Buffer.from('{}') },
      { name: 'config.json', data: CONFIG },
      { name: 'model.weights.h5', data: h5 },
    ])
    await flipAll('m.keras', { bytes, step: ((bytes.length * 8) / 700) | 1 })
  })
})

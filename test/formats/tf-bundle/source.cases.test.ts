import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { writeGraphDef, writeV1 } from '../../../scripts/tensorflow-files.js'
import { openSource } from '../../../src/api/open/source.js'
import { readAll, type TensorSource } from '../../../src/formats/core/source.js'
import { scanTensor } from '../../../src/formats/tf-proto/tensor.js'
import { MemoryBytes, WireReader } from '../../../src/formats/tf-proto/wire.js'
import { describeShared, SHARED, ZH_NEWS } from '../../helpers/shared.js'
import { BundleFiles } from '../../helpers/write-files.js'

const out = mkdtempSync(join(tmpdir(), 'albertkit-tf-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})
const folder = (): string => mkdtempSync(join(out, 'case-'))
const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/formats/${name}`, import.meta.url))

function expectSame(source: TensorSource, other: TensorSource): void {
  for (const { name, shape, dtype } of source.tensors.values()) {
    // The writers write float32; a counter is of another type.
    if (dtype !== 'F32') continue
    expect(other.tensors.get(name)?.shape, name).toEqual(shape)
    expect(Buffer.compare(readAll(other, name), readAll(source, name)), name).toBe(0)
  }
}

describe('written by one writer, read by the reader', () => {
  const writers: readonly (readonly [string, string, (path: string, source: TensorSource) => void])[] = [
    [
      'V1',
      'model.ckpt',
      (path, source) => {
        writeV1(path, source)
      },
    ],
    [
      'V1 in slices',
      'model.ckpt',
      (path, source) => {
        writeV1(path, source, { rows: 37 })
      },
    ],
    [
      'a frozen graph',
      'frozen.pb',
      (path, source) => {
        writeGraphDef(path, source)
      },
    ],
  ]
  it.each(writers)('%s has the weights of the checkpoint', async (_, name, write) => {
    const source = await openSource(ZH_NEWS)
    const file = join(folder(), name)
    write(file, source)
    const other = await openSource(file)
    const floats = [...source.tensors.values()].filter(({ dtype }) => dtype === 'F32')
    expect(other.tensors.size).toBe(floats.length)
    expectSame(source, other)
    source.close()
    other.close()
  })

  it('any shapes and any slices of V1', async () => {
    const shapes = fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(shapes, fc.integer({ min: 1, max: 5 }), async (list, rows) => {
        const directory = folder()
        const writer = new BundleFiles(join(directory, 'v2'))
        list.forEach((shape, i) => {
          const count = shape.reduce((a, b) => a * b, 1)
          writer.add(`t${i}`, 'F32', shape, (sink) => {
            sink(new Uint8Array(Float32Array.from({ length: count }, (_, n) => n + i / 8).buffer))
          })
        })
        writer.finish()
        const source = await openSource(join(directory, 'v2'))
        writeV1(join(directory, 'v1.ckpt'), source, { rows })
        const other = await openSource(join(directory, 'v1.ckpt'))
        expectSame(source, other)
        other.close()
        source.close()
      }),
      { numRuns: 40 },
    )
  })
})

describe('a tensor in a message', () => {
  const scan = (...bytes: number[]) => {
    const wire = new WireReader(new MemoryBytes('x', Uint8Array.from(bytes)), 'test')
    return scanTensor(wire, { number: 1, wire: 2, value: 0, start: 0, end: bytes.length })
  }
  const read = (tensor: ReturnType<typeof scan>, first: number, length: number): number[] => {
    const target = new Uint8Array(length)
    tensor.read(first, target)
    return [...target]
  }
  const SHAPE_3 = [0x12, 0x04, 0x12, 0x02, 0x08, 0x03]

  it('fewer values than elements: the last one fills the rest', () => {
    // int32, [3], int_val: 7, 300
    const tensor = scan(0x08, 0x03, ...SHAPE_3, 0x3a, 0x03, 0x07, 0xac, 0x02)
    expect(read(tensor, 0, 12)).toEqual([7, 0, 0, 0, 44, 1, 0, 0, 44, 1, 0, 0])
    expect(read(tensor, 2, 4)).toEqual([44, 1, 0, 0])
    // float32, [3], float_val: 1
    expect(read(scan(0x08, 0x01, ...SHAPE_3, 0x2a, 0x04, 0, 0, 0x80, 0x3f), 1, 8)).toEqual([
      0, 0, 128, 63, 0, 0, 128, 63,
    ])
  })

  it('no values: zeros', () => {
    expect(read(scan(0x08, 0x01, ...SHAPE_3), 0, 12)).toEqual(new Array<number>(12).fill(0))
  })

  it('values one a field, as a writer that does not pack them has them', () => {
    const tensor = scan(0x08, 0x03, ...SHAPE_3, 0x38, 0x01, 0x38, 0x02, 0x38, 0x03)
    expect(read(tensor, 0, 12)).toEqual([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0])
  })

  it.each([
    ['more values than elements', [0x08, 0x01, 0x12, 0x00, 0x2a, 0x08, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['content of another length', [0x08, 0x01, ...SHAPE_3, 0x22, 0x04, 0, 0, 0, 0]],
    ['an unknown type', [0x08, 0x63, ...SHAPE_3]],
    [
      'a negative axis',
      [0x08, 0x01, 0x12, 0x0d, 0x12, 0x0b, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    ],
    ['a field past the end', [0x08, 0x01, 0x22, 0x7f]],
  ])('%s is malformed', (_, bytes) => {
    expect(() => scan(...bytes)).toThrow(/^not a readable test: /)
  })
})

describe('a checkpoint of objects that TensorFlow wrote', () => {
  it('names by path if full names are all the same; weights that the optimizer holds too by their own', async () => {
    const source = await openSource(fixture('objects.ckpt'))
    const shapes = Object.fromEntries([...source.tensors.values()].map(({ name, shape }) => [name, shape]))
    expect(shapes).toMatchObject({
      'model/bert/pooler/dense/kernel': [3, 2],
      'model/bert/pooler/dense/bias': [2],
      'model/bert/encoder/kernel': [5, 2],
      'model/blocks/1/kernel': [8, 2],
      'model/odd/a/b.c': [2],
      'optimizer/_variables/2': [3, 2],
      step: [],
    })
    const kernel = new Float32Array(readAll(source, 'model/bert/pooler/dense/kernel').buffer)
    // What Adam's first step of 0.001 left of 0 … 5.
    kernel.forEach((value, i) => {
      expect(Math.abs(value - (i - 0.001))).toBeLessThan(1e-5)
    })
    source.close()
  })

  it('strings that were changed do not have their checksum', async () => {
    const directory = folder()
    cpSync(fixture('objects.ckpt.index'), join(directory, 'x.index'))
    const data = readFileSync(fixture('objects.ckpt.data-00000-of-00001'))
    const at = data.indexOf('_trainable_variables')
    data[at + 1]! ^= 1
    writeFileSync(join(directory, 'x.data-00000-of-00001'), data)
    await expect(openSource(join(directory, 'x'))).rejects.toMatchObject({
      code: 'checksum-mismatch',
      message: 'the strings of the tensor do not have their CRC-32C',
    })
    const source = await openSource(join(directory, 'x'), { checksum: false })
    source.close()
  })
})

describeShared('parts that are missing', () => {
  const tf = (name: string): string => join(SHARED, 'tf', name)

  it('one missing data file: tensors in the others are read, those in it are reported', async () => {
    const directory = folder()
    const source = await openSource(tf('fmt_sharded'))
    for (const file of ['index', 'data-00000-of-00003', 'data-00002-of-00003'])
      copyFileSync(join(tf('fmt_sharded'), `model.ckpt.${file}`), join(directory, `model.ckpt.${file}`))
    await expect(openSource(directory)).rejects.toMatchObject({
      code: 'file-missing',
      message: 'a data file of the checkpoint is missing',
    })
    const part = await openSource(directory, { allowMissingData: true })
    expect(part.missingFiles).toEqual([join(directory, 'model.ckpt.data-00001-of-00003')])
    expect(part.notes.join()).toContain('1 of 3 data files')
    const there = [...part.tensors.values()].filter(({ file }) => file.includes('.data-'))
    expect(there.length).toBeGreaterThan(5)
    for (const { name } of there) expect(readAll(part, name)).toEqual(readAll(source, name))
    const absent = [...part.tensors.values()].find(({ file }) => file.endsWith('.index'))
    expect(() => readAll(part, absent?.name ?? '')).toThrow('the data of the tensor is missing')
    source.close()
    part.close()
  })

  it('no file stays open if one of several cannot be opened', async () => {
    const directory = folder()
    cpSync(tf('fmt_sharded'), directory, { recursive: true })
    rmSync(join(directory, 'model.ckpt.data-00002-of-00003'))
    mkdirSync(join(directory, 'model.ckpt.data-00002-of-00003'))
    const open = (): number => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0)
    const before = open()
    await expect(openSource(directory)).rejects.toMatchObject({ kind: 'malformed' })
    expect(open()).toBe(before)
  })

  it('a file of a sharded V1 checkpoint', async () => {
    const directory = folder()
    cpSync(tf('fmt_v1_sharded'), directory, { recursive: true })
    rmSync(join(directory, 'model.ckpt-00001-of-00003'))
    await expect(openSource(directory)).rejects.toThrow('a file of the checkpoint is missing')
    const part = await openSource(directory, { allowMissingData: true })
    expect(part.notes.join()).toContain('1 of 3 files')
    part.close()
  })

  it('the variables of a SavedModel', async () => {
    const directory = folder()
    cpSync(tf('fmt_savedmodel_tf1/saved_model'), directory, { recursive: true })
    rmSync(join(directory, 'variables/variables.index'))
    await expect(openSource(directory)).rejects.toThrow('the .index file of the variables is missing')
    rmSync(join(directory, 'variables'), { recursive: true })
    await expect(openSource(directory)).rejects.toThrow('the variables of the SavedModel are missing')
  })

  it('a SavedModel of a frozen graph has its weights in saved_model.pb', async () => {
    const frozen = await openSource(tf('fmt_frozen'))
    const graph = readFileSync(join(tf('fmt_frozen'), 'frozen_model.pb'))
    const field = (number: number, bytes: Buffer): Buffer => {
      const length: number[] = []
      for (let rest = bytes.length; ; rest = Math.floor(rest / 128)) {
        length.push(rest < 128 ? rest : (rest % 128) | 128)
        if (rest < 128) break
      }
      return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), bytes])
    }
    const directory = folder()
    mkdirSync(join(directory, 'variables'))
    writeFileSync(join(directory, 'saved_model.pb'), field(2, field(2, graph)))
    const source = await openSource(directory)
    expect(source.format).toBe('saved-model')
    expectSame(frozen, source)
    frozen.close()
    source.close()
  })

  it('of several graphs one must be chosen', async () => {
    const directory = folder()
    for (const name of ['a.pb', 'b.pb']) copyFileSync(join(tf('fmt_frozen'), 'frozen_model.pb'), join(directory, name))
    await expect(openSource(directory)).rejects.toThrow('holds several graphs: a.pb, b.pb')
  })
})

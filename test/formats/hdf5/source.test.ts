import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AlbertkitError } from '../../../src/base/errors.js'
import { boxes } from '../../../src/formats/hdf5/boxes.js'
import { openSource } from '../../../src/api/open/source.js'
import { elementCount, readAll } from '../../../src/formats/core/source.js'
import { fuzz } from '../../helpers/fuzz.js'
import { writeH5 } from '../../helpers/h5.js'

const out = mkdtempSync(join(tmpdir(), 'albertkit-h5-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

const FIXTURE = new URL('../../fixtures/formats/h5/TFAlbertForMaskedLM/tf_model.h5', import.meta.url)

describe('blocks of an array', () => {
  it('are the elements asked for, in their order', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 })
    const cases = shapes.chain((shape) => {
      const total = elementCount(shape)
      const range = fc.tuple(fc.nat(total), fc.nat(total))
      return range.map(([a, b]) => ({ shape, first: Math.min(a, b), count: Math.abs(a - b) }))
    })
    fc.assert(
      fc.property(cases, ({ shape, first, count }) => {
        const numbers: number[] = []
        for (const { start, extent, elements } of boxes(shape, first, count)) {
          expect(elementCount(extent)).toBe(elements)
          for (let i = 0; i < elements; i++) {
            // The place of element i of the block, and its number in the whole.
            let rest = i
            const at = [...extent].reverse().map((size) => {
              const index = rest % size
              rest = Math.floor(rest / size)
              return index
            })
            at.reverse()
            numbers.push(shape.reduce((n, size, axis) => n * size + start[axis]! + at[axis]!, 0))
          }
        }
        expect(numbers).toEqual(Array.from({ length: count }, (_, i) => first + i))
      }),
    )
  })
})

describe('datasets', () => {
  let path: string
  const numbers = Float32Array.from({ length: 3000 }, (_, i) => i / 7)
  beforeAll(async () => {
    path = await writeH5(
      join(out, 'all.h5'),
      `const f = new File(path, 'w')
      const numbers = Float32Array.from({ length: 3000 }, (_, i) => i / 7)
      f.create_dataset({ name: 'plain', data: numbers, shape: [10, 20, 15] })
      f.create_dataset({ name: 'packed', data: numbers, shape: [100, 30], chunks: [7, 11], compression: 6 })
      f.create_dataset({ name: 'double', data: Float64Array.from([1, 2.5]) })
      f.create_dataset({ name: 'integers', data: BigInt64Array.from([-1n, 2n]) })
      f.create_dataset({ name: 'text', data: ['a', 'bc'] })
      f.create_group('deep').create_group('er').create_dataset({ name: 'scalar', data: new Float32Array([3]), shape: [] })
      f.create_soft_link('/plain', '/deep/soft')
      f.create_external_link('/etc/other.h5', '/x', '/deep/external')
      f.flush(); f.close()`,
    )
  })

  it('have their names, types and shapes, and every value', async () => {
    const source = await openSource(path)
    const kinds = [...source.tensors.values()].map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join()}]`)
    expect(kinds.sort()).toEqual([
      'deep/er/scalar F32 []',
      'deep/soft F32 [10,20,15]',
      'double F64 [2]',
      'integers I64 [2]',
      'packed F32 [100,30]',
      'plain F32 [10,20,15]',
      'text STRING [2]',
    ])
    const floats = (name: string): Float32Array => new Float32Array(readAll(source, name).slice().buffer)
    expect(floats('plain')).toEqual(numbers)
    expect(floats('packed')).toEqual(numbers)
    expect([...floats('deep/er/scalar')]).toEqual([3])
    expect([...new Float64Array(readAll(source, 'double').slice().buffer)]).toEqual([1, 2.5])
    expect([...new BigInt64Array(readAll(source, 'integers').slice().buffer)]).toEqual([-1n, 2n])
    source.close()
  })

  it.each(['plain', 'packed'])('any range of %s is that part of the whole', async (name) => {
    const source = await openSource(path)
    const whole = readAll(source, name)
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(whole.length), (a, b) => {
        const target = new Uint8Array(Math.abs(a - b))
        source.read(name, Math.min(a, b), target)
        return Buffer.compare(target, whole.subarray(Math.min(a, b), Math.max(a, b))) === 0
      }),
      { numRuns: 50 },
    )
    source.close()
  })
})

describe('datasets that h5py writes (test/oracle/make_odd_h5.py)', () => {
  const path = (name: string): string => fileURLToPath(new URL(`../../fixtures/formats/${name}`, import.meta.url))
  it('big-endian, half and bfloat16 numbers', async () => {
    const source = await openSource(path('odd.h5'))
    const kinds = [...source.tensors.values()].map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join()}]`)
    expect(kinds).toEqual([
      'bf16 BF16 [3]',
      'big F32 [2,3]',
      'bool BOOL [2]',
      'complex OTHER [2]',
      'half F16 [3]',
      'null OTHER []',
    ])
    expect([...new Float32Array(readAll(source, 'big').slice().buffer)]).toEqual([0, 1, 2, 3, 4, 5])
    const part = new Uint8Array(6)
    source.read('big', 3, part)
    expect(Buffer.from(part)).toEqual(Buffer.from(readAll(source, 'big').subarray(3, 9)))
    expect([...new Uint16Array(readAll(source, 'half').slice().buffer)]).toEqual([0x3c00, 0xc100, 0])
    expect([...new Uint16Array(readAll(source, 'bf16').slice().buffer)]).toEqual([0x3f80, 0xc020, 0x4040])
    source.close()
  })

  it('data in other files is not read', async () => {
    await expect(openSource(path('virtual.h5'))).rejects.toMatchObject({
      kind: 'unsupported',
      place: { tensor: 'virtual' },
    })
    const source = await openSource(path('external.h5'))
    expect([...source.tensors.keys()]).toEqual(['storage'])
    expect(() => readAll(source, 'storage')).toThrow(AlbertkitError)
    source.close()
  })
})

describe('HDF5 files that are not models', () => {
  it('another file called .h5 is malformed, and says so in one line', async () => {
    const path = join(out, 'no.h5')
    writeFileSync(path, 'hello'.repeat(100))
    const error: unknown = await openSource(path).catch((e: unknown) => e)
    expect(error).toMatchObject({ kind: 'malformed', place: { file: path } })
    expect((error as Error).message).toMatch(/^the file is no HDF5 file that can be read: [^\n]+$/)
  })

  it('a file cut off is malformed', async () => {
    const path = join(out, 'cut.h5')
    const bytes = readFileSync(FIXTURE)
    writeFileSync(path, bytes.subarray(0, bytes.length - 100))
    await expect(openSource(path)).rejects.toMatchObject({ kind: 'malformed', place: { file: path } })
    await expect(openSource(path)).rejects.toThrow(/truncated file/)
  })

  it('one without datasets is unsupported', async () => {
    const path = await writeH5(join(out, 'none.h5'), `const f = new File(path, 'w'); f.create_group('a'); f.close()`)
    await expect(openSource(path)).rejects.toMatchObject({ kind: 'unsupported' })
  })

  it('groups that hold each other end', async () => {
    const path = await writeH5(
      join(out, 'circle.h5'),
      `const f = new File(path, 'w')
      f.create_group('a').create_dataset({ name: 'x', data: new Float32Array(4) })
      f.create_soft_link('/', '/a/up'); f.create_soft_link('/a', '/a/self'); f.flush(); f.close()`,
    )
    await expect(openSource(path)).rejects.toMatchObject({ kind: 'unsupported', place: { file: path } })
  })
})

it('any byte changed, or the end cut off', async () => {
  await fuzz(join(out, 'x.h5'), readFileSync(FIXTURE), { header: 8192, runs: 100 })
})

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { AlbertkitError } from '../../../src/base/errors.js'
import { openSource } from '../../../src/api/open/source.js'
import { readAll } from '../../../src/formats/core/source.js'
import { zip } from '../../helpers/archive.js'

// Files that NumPy 2 wrote: np.savez and np.savez_compressed of the same arrays.
const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/formats/${name}.npz`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'albertkit-npz-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe.each(['arrays', 'arrays-compressed'])('%s.npz', (name) => {
  it('gives the arrays that NumPy wrote', async () => {
    const source = await openSource(fixture(name))
    const of = (tensor: string) => {
      const { dtype, shape } = source.tensors.get(tensor)!
      return { dtype, shape, buffer: readAll(source, tensor).buffer }
    }
    const f8 = of('f8')
    expect(f8).toMatchObject({ dtype: 'F64', shape: [2, 3] })
    expect([...new Float64Array(f8.buffer)].slice(0, 2)).toEqual([0.345584192064786, 0.8216181435011584])
    expect([...new Float32Array(of('f4').buffer)][3]).toBe(0.2941325008869171)
    expect(of('f2')).toMatchObject({ dtype: 'F16', shape: [2, 2] })
    expect([...new BigInt64Array(of('i8').buffer)]).toEqual([-3n, -2n, -1n, 0n, 1n, 2n])
    expect([...new Int32Array(of('i4').buffer)]).toEqual([7, -8])
    expect([...new Uint8Array(of('b1').buffer)]).toEqual([1, 0])
    expect(of('scalar')).toMatchObject({ dtype: 'F32', shape: [] })
    expect(of('empty')).toMatchObject({ dtype: 'F32', shape: [0, 3] })
    source.close()
  })

  it('refuses what was damaged, with a typed error, or reads what it says', async () => {
    const bytes = readFileSync(fixture(name))
    const path = join(folder, `${name}.npz`)
    const property = fc.asyncProperty(
      fc.integer({ min: 0, max: bytes.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      async (at, by, cut) => {
        const damaged = Buffer.from(bytes)
        damaged[at] = damaged[at]! ^ by
        writeFileSync(path, cut ? damaged.subarray(0, at) : damaged)
        try {
          const source = await openSource(path)
          for (const tensor of source.tensors.keys()) readAll(source, tensor)
          source.close()
        } catch (error) {
          if (!(error instanceof AlbertkitError)) throw error
          expect(['malformed', 'unsupported']).toContain(error.kind)
        }
      },
    )
    await fc.assert(property, { numRuns: 150, seed: 7 })
  })
})

it('a flipped byte of a number is found by its checksum', async () => {
  const bytes = readFileSync(fixture('arrays'))
  const at = bytes.indexOf(Buffer.from(new Float64Array([0.345584192064786]).buffer))
  bytes[at] = bytes[at]! ^ 1
  const path = join(folder, 'flipped.npz')
  writeFileSync(path, bytes)
  const source = await openSource(path)
  expect(() => readAll(source, 'f8')).toThrow(/f8\.npy is damaged: its checksum is wrong/)
  source.close()
})

describe('arrays that NumPy stores by columns', () => {
  /** An archive of one array, not compressed, with `fortran_order` as NumPy writes it for transposed views. */
  function archive(shape: readonly (number | string)[], columns: readonly number[]): Promise<Buffer> {
    const data = Buffer.from(Int32Array.from(columns).buffer)
    const text = `{'descr': '<i4', 'fortran_order': True, 'shape': (${shape.join(', ')}), }`
    const header = text.padEnd(117) + '\n'
    const npy = Buffer.concat([
      Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
      Buffer.from([118, 0]),
      Buffer.from(header),
      data,
    ])
    return zip([{ name: 'x.npy', data: npy }], { compress: false })
  }

  it('have whole numbers as Python 2 writes them', async () => {
    const path = join(folder, 'long.npz')
    writeFileSync(path, await archive(['2L', '2L'], [0, 2, 1, 3]))
    const source = await openSource(path)
    expect(source.tensors.get('x')?.shape).toEqual([2, 2])
    source.close()
  })

  it('come in the order of rows', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 }), async (shape) => {
        const total = shape.reduce((a, b) => a * b, 1)
        // Element (i, j, k …) stands at i + I·(j + J·(k + …)); it is numbered by its place in the order of rows.
        const columns = new Array<number>(total)
        for (let row = 0; row < total; row++) {
          let [rest, place, step] = [row, 0, total]
          for (let axis = shape.length - 1; axis >= 0; axis--) {
            step /= shape[axis]!
            place += (rest % shape[axis]!) * step
            rest = Math.floor(rest / shape[axis]!)
          }
          columns[place] = row
        }
        const path = join(folder, 'columns.npz')
        writeFileSync(path, await archive(shape, columns))
        const source = await openSource(path)
        const rows = new Int32Array(readAll(source, 'x').buffer)
        source.close()
        expect([...rows]).toEqual(Array.from({ length: total }, (_, i) => i))
      }),
      { numRuns: 40, seed: 1 },
    )
  })
})

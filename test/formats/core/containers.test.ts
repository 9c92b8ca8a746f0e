import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { openSource } from '../../../src/api/open/source.js'
import { readAll } from '../../../src/formats/core/source.js'
import { describeShared, SHARED, ZH_NEWS } from '../../helpers/shared.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-formats-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('a path may be', () => {
  const prefix = join(ZH_NEWS, 'model.ckpt')
  it.each([ZH_NEWS, prefix, `${prefix}.index`, `${prefix}.data-00000-of-00001`])('%s', async (path) => {
    const source = await openSource(path)
    expect(source.format).toBe('tf-bundle')
    expect(source.tensors.get('bert/embeddings/word_embeddings')?.shape).toEqual([4100, 64])
    source.close()
  })
})

it('files that file managers and downloaders leave next to a model are ignored', async () => {
  const directory = join(folder, 'litter')
  cpSync(ZH_NEWS, join(directory, 'inner'), { recursive: true })
  for (const name of ['__MACOSX', '.cache']) mkdirSync(join(directory, name))
  for (const name of ['._model.ckpt.index', '._model.ckpt.data-00000-of-00001', '.DS_Store'])
    writeFileSync(join(directory, 'inner', name), '\0\x05\x16\x07')
  const source = await openSource(directory)
  expect(source.files.map((file) => basename(file))).toContain('model.ckpt.index')
  source.close()
})

describe('ranges', () => {
  it('any range of a tensor is that part of the whole', async () => {
    const source = await openSource(ZH_NEWS)
    const name = 'bert/embeddings/word_embeddings'
    const whole = readAll(source, name)
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(5000), (start, length) => {
        const target = new Uint8Array(Math.min(length, whole.length - start))
        source.read(name, start, target)
        return Buffer.compare(target, whole.subarray(start, start + target.length)) === 0
      }),
    )
    source.close()
  })

  it('a range outside is refused', async () => {
    const source = await openSource(ZH_NEWS)
    expect(() => {
      source.read('output_bias', 0, new Uint8Array(1000))
    }).toThrow(RangeError)
  })
})

describeShared('the bytes of every tensor', () => {
  const names = [
    'zh_postln_all',
    'fmt_sharded',
    'fmt_partitioned',
    'fmt_partitioned_sharded',
    'fmt_bfloat16',
    'fmt_float16',
    'zh_classifier',
  ]
  it.each(names)('of %s have their sha256', async (name) => {
    const directory = join(SHARED, 'tf', name)
    const variables = JSON.parse(readFileSync(join(directory, 'variables.json'), 'utf8')) as Record<
      string,
      { sha256: string; shape: number[] }
    >
    const source = await openSource(directory)
    expect(Object.keys(variables).length).toBeGreaterThan(20)
    for (const [variable, { sha256: expected, shape }] of Object.entries(variables)) {
      expect(source.tensors.get(variable)?.shape).toEqual(shape)
      expect(sha256(readAll(source, variable)), variable).toBe(expected)
    }
    source.close()
  })

  it('any range of a partitioned variable is that part of the whole', async () => {
    const whole = await openSource(join(SHARED, 'tf/zh_postln_all'))
    const sliced = await openSource(join(SHARED, 'tf/fmt_partitioned_sharded'))
    for (const name of ['bert/embeddings/word_embeddings', 'bert/encoder/layer_shared/intermediate/dense/kernel']) {
      const bytes = readAll(whole, name)
      fc.assert(
        fc.property(fc.nat(bytes.length / 4 - 1), fc.nat(3000), (start, length) => {
          const target = new Uint8Array(Math.min(length * 4, bytes.length - start * 4))
          sliced.read(name, start * 4, target)
          return Buffer.compare(target, bytes.subarray(start * 4, start * 4 + target.length)) === 0
        }),
      )
    }
  })

  it('dtypes.ckpt: every element type, and strings are listed', async () => {
    const source = await openSource(join(SHARED, 'tf/fmt_table_cases/dtypes.ckpt'))
    const dtypes = new Set([...source.tensors.values()].map((t) => t.dtype))
    for (const dtype of ['F32', 'F64', 'F16', 'I64', 'I32', 'BOOL', 'STRING'] as const)
      expect([...dtypes]).toContain(dtype)
    for (const { name, dtype } of source.tensors.values())
      if (dtype !== 'STRING' && dtype !== 'OTHER') readAll(source, name)
  })

  it('many.ckpt: 7000 scalars over several blocks', async () => {
    const source = await openSource(join(SHARED, 'tf/fmt_table_cases/many.ckpt'))
    const names = [...source.tensors.keys()].sort()
    expect(names.length).toBe(7000)
    names.forEach((name, i) => {
      const bytes = readAll(source, name)
      const value = bytes.length === 4 ? new Float32Array(bytes.buffer)[0] : new Float64Array(bytes.buffer)[0]
      if (source.tensors.get(name)?.dtype.startsWith('F') === true) expect(value).toBe(i)
    })
  })
})

/** A safetensors file of the given tensors, written by hand. */
function writeTensors(file: string, tensors: readonly (readonly [string, Uint8Array])[]): void {
  let offset = 0
  const entries = tensors.map(([name, bytes]) => {
    const entry = [name, { dtype: 'U8', shape: [bytes.length], data_offsets: [offset, offset + bytes.length] }] as const
    offset += bytes.length
    return entry
  })
  const header = Buffer.from(
    `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(',')}}`,
  )
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  writeFileSync(file, Buffer.concat([length, header, ...tensors.map(([, bytes]) => bytes)]))
}

describe('safetensors', () => {
  it('written files are read back under any name', async () => {
    const file = join(folder, 'any.safetensors')
    const tensors = fc.uniqueArray(
      fc.tuple(
        fc.string({ unit: 'grapheme' }).filter((s) => s !== '__metadata__'),
        fc.uint8Array({ maxLength: 64 }),
      ),
      { selector: ([name]) => name },
    )
    await fc.assert(
      fc.asyncProperty(tensors, async (list) => {
        writeTensors(file, list)
        const source = await openSource(file)
        expect([...source.tensors.keys()]).toEqual(list.map(([name]) => name))
        for (const [name, bytes] of list) expect([...readAll(source, name)]).toEqual([...bytes])
        source.close()
      }),
      { numRuns: 60 },
    )
  })

  it('any flipped bit of the header gives the same tensors or a typed error', async () => {
    const file = join(folder, 'flipped.safetensors')
    writeTensors(file, [
      ['a', new Uint8Array([1, 2, 3])],
      ['b', new Uint8Array([4])],
    ])
    const bytes = readFileSync(file)
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 5), fc.nat(7), async (at, bit) => {
        const damaged = Buffer.from(bytes)
        damaged[at]! ^= 1 << bit
        writeFileSync(file, damaged)
        const result: unknown = await openSource(file).then(
          () => null,
          (error: unknown) => error,
        )
        if (result !== null) expect(result).toHaveProperty('name', 'AlbertkitError')
      }),
    )
  })
})

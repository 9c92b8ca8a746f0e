import { describe, expect, it } from 'vitest'
import { AlbertkitError } from '../../../src/base/errors.js'
import { RangedFile } from '../../../src/formats/core/file.js'
import { readHeader, type SafetensorsHeader } from '../../../src/formats/safetensors/header.js'
import { openSafetensors, openShardedSafetensors } from '../../../src/formats/safetensors/source.js'
import { memoryFiles } from '../../../src/files/memory.js'

/** A file with this header and so many bytes of data, which count up. */
function fileOf(header: string | Uint8Array, bytes = 0, length?: bigint): Uint8Array {
  const text = Buffer.from(header)
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(length ?? BigInt(text.length))
  return Buffer.concat([size, text, Uint8Array.from({ length: bytes }, (_, i) => i)])
}

const read = (file: Uint8Array): SafetensorsHeader => readHeader(new RangedFile(memoryFiles([['m', file]]), 'm'))

/** The error of a file, with all that it says. */
function refusal(file: Uint8Array): unknown {
  try {
    read(file)
  } catch (error) {
    if (!(error instanceof AlbertkitError)) throw error
    const { code, kind, message, place, hint } = error
    return { code, kind, message, ...place, hint }
  }
  return 'read'
}

const HINT = 'the file is not valid safetensors: fetch or write it again'
const refused = (code: string, message: string, place: object = {}): unknown => ({
  code,
  kind: 'malformed',
  message: expect.stringContaining(message) as string,
  file: 'm',
  hint: HINT,
  ...place,
})

/** A tensor `x` of float32. */
const x = (shape: string, offsets: string, more = ''): string =>
  `{"x":{"dtype":"F32","shape":${shape},"data_offsets":${offsets}${more}}}`

describe('a header', () => {
  it('lists tensors in its order, each with its place in the file', () => {
    const text =
      '{"b":{"dtype":"F32","shape":[1,2],"data_offsets":[2,10]},"__metadata__":{"format":"pt"},' +
      '"a":{"dtype":"F16","shape":[],"data_offsets":[0,2]},"c":{"dtype":"F8_E4M3","shape":[0],"data_offsets":[10,10]}}'
    const { entries, metadata } = read(fileOf(text, 10))
    const start = 8 + text.length
    expect([...entries]).toEqual([
      ['b', { name: 'b', dtype: 'F32', shape: [1, 2], byteLength: 8, file: 'm', offset: start + 2 }],
      ['a', { name: 'a', dtype: 'F16', shape: [], byteLength: 2, file: 'm', offset: start }],
      [
        'c',
        { name: 'c', dtype: 'OTHER', spelling: 'F8_E4M3', shape: [0], byteLength: 0, file: 'm', offset: start + 10 },
      ],
    ])
    expect([...metadata]).toEqual([['format', 'pt']])
  })

  it('may have no metadata, null for them, no tensor, and space around it', () => {
    expect([...read(fileOf('{}')).metadata]).toEqual([])
    expect([...read(fileOf(' {"__metadata__":null} ')).metadata]).toEqual([])
    expect(read(fileOf('{ }')).entries.size).toBe(0)
  })

  it('may list a tensor twice if nothing but its name occurs twice', () => {
    const one = '"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    expect([...read(fileOf(`{${one},${one}}`, 4)).entries.keys()]).toEqual(['x'])
    for (const other of [
      'F32","shape":[1],"data_offsets":[4,8]',
      'I32","shape":[1],"data_offsets":[0,4]',
      'F32","shape":[1,1],"data_offsets":[0,4]',
    ])
      expect(refusal(fileOf(`{${one},"x":{"dtype":"${other}}}`, 8)), other).toMatchObject({
        code: 'tensor-duplicate',
        tensor: 'x',
        offset: expect.any(Number) as number,
        message: expect.stringContaining('the header has the tensor twice, at bytes') as string,
      })
  })

  it.each([
    [new Uint8Array(7), 'file-truncated', '7 bytes are too few for a header', 0],
    [fileOf('{}', 0, 100_000_001n), 'limit-exceeded', 'claims 100000001 bytes, more than the limit of 100000000', 0],
    [fileOf('{}', 0, 100_000_000n), 'file-truncated', 'claims 100000000 bytes, but the file has 10', 0],
    [fileOf('{}', 0, 3n), 'file-truncated', 'claims 3 bytes, but the file has 10', 0],
    [fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), 'header-invalid', 'the header is not UTF-8', 8],
    [fileOf('{"a"}'), 'header-invalid', 'the header is not JSON: no colon', 8],
    [fileOf('[]'), 'header-invalid', 'the header is not JSON: no JSON object at character 0', 8],
    [fileOf('{} {}'), 'header-invalid', 'the header is not JSON: something after the value', 8],
    [fileOf(''), 'header-invalid', 'the header is not JSON', 8],
  ])('is refused as a whole: %#', (file, code, message, offset) => {
    expect(refusal(file)).toEqual(refused(code, message, { offset }))
  })

  it.each([
    ['{"__metadata__":[]}', '__metadata__ is not an object of strings'],
    ['{"__metadata__":{"a":1}}', '__metadata__ a is not a string'],
    ['{"__metadata__":{},"__metadata__":{}}', '__metadata__ occurs twice'],
  ])('is refused for its metadata: %s', (text, message) => {
    expect(refusal(fileOf(text))).toEqual(refused('header-invalid', message))
  })

  it.each([
    ['{"x":[]}', 'header-invalid', 'the tensor is not described by an object'],
    ['{"x":{}}', 'dtype-unsupported', 'the unknown dtype null'],
    ['{"x":{"dtype":"F33"}}', 'dtype-unsupported', 'the unknown dtype "F33"'],
    ['{"x":{"dtype":"toString"}}', 'dtype-unsupported', 'the unknown dtype "toString"'],
    ['{"x":{"dtype":"F32","dtype":"F32"}}', 'header-invalid', 'the tensor has the field dtype twice'],
    ['{"x":{"dtype":"F32"}}', 'header-invalid', 'the tensor has no shape'],
    [x('{}', '[0,0]'), 'header-invalid', 'the tensor has no shape'],
    [x('["1"]', '[0,4]'), 'header-invalid', 'shape of the tensor holds something that is no whole number'],
    [x('[1.0]', '[0,4]'), 'header-invalid', 'shape of the tensor holds something that is no whole number'],
    [x('[-1]', '[0,4]'), 'header-invalid', 'shape of the tensor holds something that is no whole number'],
    [x('[9007199254740993]', '[0,4]'), 'header-invalid', 'holds 9007199254740993, larger than any file'],
    [x(`[${'1,'.repeat(254)}1]`, '[0,4]'), 'limit-exceeded', 'the tensor has 255 axes, and 254 is the limit'],
    ['{"x":{"dtype":"F32","shape":[1]}}', 'header-invalid', 'the tensor has no data_offsets'],
    [x('[1]', '[]'), 'header-invalid', 'data_offsets of the tensor has 0 numbers instead of two'],
    [x('[1]', '[0]'), 'header-invalid', 'data_offsets of the tensor has 1 numbers instead of two'],
    [x('[1]', '[0,4,4]'), 'header-invalid', 'data_offsets of the tensor has 3 numbers instead of two'],
    [x('[1]', '[4,0]'), 'range-invalid', 'the tensor has impossible data_offsets'],
  ])('is refused for a tensor: %s', (text, code, message) => {
    expect(refusal(fileOf(text, 4))).toEqual(refused(code, message, { tensor: 'x' }))
  })

  it('may have 254 axes', () => {
    expect(read(fileOf(x(`[${'1,'.repeat(253)}1]`, '[0,4]'), 4)).entries.get('x')?.shape.length).toBe(254)
  })

  it.each([
    ['[3]', '[0,8]', 'the tensor is 8 bytes long, but shape [3] of F32 takes 12'],
    ['[1,2]', '[0,4]', 'the tensor is 4 bytes long, but shape [1, 2] of F32 takes 8'],
    ['[9007199254740991,0]', '[0,4]', 'of F32 takes 0'],
  ])('%s in %s is refused for its size', (shape, offsets, message) => {
    const text = x(shape, offsets)
    expect(refusal(fileOf(text, 8))).toEqual(
      refused('range-invalid', message, { tensor: 'x', offset: 8 + text.length }),
    )
  })

  it('is refused for the size of a tensor that other data comes before', () => {
    const text = x('[3]', '[4,12]')
    expect(refusal(fileOf(text, 12))).toEqual(
      refused('range-invalid', 'the tensor is 8 bytes long, but shape [3] of F32 takes 12', {
        tensor: 'x',
        offset: 8 + text.length + 4,
      }),
    )
  })

  it('may have tensors without elements where another begins', () => {
    const [one, none] = [
      '"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}',
      '"z":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}',
    ]
    for (const text of [`{${one},${none}}`, `{${none},${one}}`]) expect(read(fileOf(text, 4)).entries.size).toBe(2)
  })

  it.each([
    [
      'begins late',
      '[2,6]',
      6,
      'range-invalid',
      (s: number) => `the tensor begins at byte ${s + 2}, where ${s} is expected: ranges must join`,
      2,
    ],
    ['leaves bytes', '[0,4]', 7, 'range-invalid', () => '3 bytes follow the last tensor', 4],
    [
      'ends early',
      '[0,4]',
      3,
      'file-truncated',
      (s: number) => `the file ends at byte ${s + 3}, but its tensors need ${s + 4}`,
      4,
    ],
  ])('whose data %s is refused', (_, offsets, bytes, code, message, at) => {
    const text = x('[1]', offsets)
    const start = 8 + text.length
    expect(refusal(fileOf(text, bytes))).toEqual(refused(code, message(start), { tensor: 'x', offset: start + at }))
  })

  it('whose ranges overlap or leave a hole is refused at the tensor after it', () => {
    for (const begin of [3, 5]) {
      const y = `"y":{"dtype":"F32","shape":[1],"data_offsets":[${begin},${begin + 4}]}`
      const text = `{${y},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`
      expect(refusal(fileOf(text, begin + 4))).toMatchObject({
        code: 'range-invalid',
        tensor: 'y',
        offset: 8 + text.length + begin,
      })
    }
  })

  it('without tensors ends the file', () => {
    expect(refusal(fileOf('{}', 1))).toEqual(refused('range-invalid', '1 bytes follow the last tensor', { offset: 10 }))
  })

  it('counts names with more than its bytes allow for', () => {
    const long = 'n'.repeat(1025)
    expect(refusal(fileOf(`{"${long}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`))).toMatchObject({
      code: 'limit-exceeded',
    })
    expect(read(fileOf(`{"${long.slice(1)}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`)).entries.size).toBe(1)
  })
})

describe('a source', () => {
  const one = fileOf(
    '{"x":{"dtype":"U8","shape":[4],"data_offsets":[1,5]},"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    5,
  )
  const two = fileOf('{"y":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}', 2)
  const index = (map: object): Uint8Array => Buffer.from(JSON.stringify({ weight_map: map }))
  const sharded = (map: object) =>
    openShardedSafetensors(
      memoryFiles([
        ['d/i.json', index(map)],
        ['d/1', one],
        ['d/2', two],
      ]),
      'd/i.json',
    )
  const bytes = (
    source: ReturnType<typeof openSafetensors>,
    name: string,
    offset: number,
    length: number,
  ): number[] => {
    const target = new Uint8Array(length)
    source.read(name, offset, target)
    return [...target]
  }

  it('reads ranges of a tensor, and nothing outside of it', () => {
    const source = openSafetensors(memoryFiles([['m', one]]), 'm')
    expect([source.format, source.files, source.notes]).toEqual(['safetensors', ['m'], []])
    expect(bytes(source, 'x', 0, 4)).toEqual([1, 2, 3, 4])
    expect(bytes(source, 'x', 2, 2)).toEqual([3, 4])
    expect(bytes(source, 'x', 4, 0)).toEqual([])
    expect(() => bytes(source, 'x', -1, 1)).toThrow('x: range outside the tensor')
    expect(() => bytes(source, 'x', 3, 2)).toThrow('x: range outside the tensor')
    expect(() => bytes(source, 'z', 0, 1)).toThrow('no tensor named z')
    source.verifyChecksum('x')
    source.close()
    expect(() => bytes(source, 'x', 0, 1)).toThrow('closed')
  })

  it('of shards has the tensors of the index, in its order, from the file of each', () => {
    const source = sharded({ y: '2', x: '1' })
    expect(source.files).toEqual(['d/i.json', 'd/1', 'd/2'])
    expect([...source.tensors].map(([name, { file }]) => [name, file])).toEqual([
      ['y', 'd/2'],
      ['x', 'd/1'],
    ])
    expect([bytes(source, 'y', 0, 2), bytes(source, 'x', 0, 4)]).toEqual([
      [0, 1],
      [1, 2, 3, 4],
    ])
    source.close()
    for (const name of ['x', 'y']) expect(() => bytes(source, name, 0, 1)).toThrow('closed')
  })

  it('of shards that lack a tensor of the index is refused, and its files are closed', () => {
    expect(() => sharded({ x: '1', y: '1' })).toThrow(
      expect.objectContaining({
        code: 'shard-mismatch',
        place: { file: 'd/i.json', tensor: 'y' },
        message: expect.stringContaining('the index puts the tensor in 1, which does not have it') as string,
      }) as Error,
    )
  })

  it('of shards reads none that is a link out of the folder', () => {
    const files = memoryFiles([
      ['d/i.json', index({ x: '1', y: '2' })],
      ['d/1', one],
      ['d/2', two],
    ])
    const linked = (to: string): typeof files => ({ ...files, realPath: (path) => (path === 'd/2' ? to : path) })
    expect(openShardedSafetensors(linked('d/3'), 'd/i.json').files).toHaveLength(3)
    expect(() => openShardedSafetensors(linked('elsewhere/2'), 'd/i.json')).toThrow(
      expect.objectContaining({ code: 'path-escapes', place: { file: 'd/2' } }) as Error,
    )
  })

  it('closes every file if one of them is refused', () => {
    const open = new Set<string>()
    const files = memoryFiles([
      ['d/i.json', index({ x: '1', y: '2' })],
      ['d/1', one],
      ['d/2', new Uint8Array(3)],
    ])
    const watched: typeof files = {
      ...files,
      open(path) {
        const file = files.open(path)
        open.add(path)
        const close = (): void => {
          open.delete(path)
          file.close()
        }
        return { size: file.size, read: (offset, target) => file.read(offset, target), close }
      },
    }
    expect(() => openShardedSafetensors(watched, 'd/i.json')).toThrow(/too few for a header/)
    expect([...open]).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import type { TensorSource } from '../../../src/formats/core/source.js'
import { memoryFiles } from '../../../src/files/memory.js'
import { safetensors } from '../../../src/formats/safetensors/container.js'
import { buildHeader, writeSafetensors } from '../../../src/formats/safetensors/write.js'

/** A file of one tensor of this name. */
const fileOf = (name: string): Uint8Array => {
  const parts: Uint8Array[] = []
  writeSafetensors(
    (bytes) => parts.push(bytes),
    [{ name, dtype: 'U8', shape: [1] }],
    (_, put) => {
      put(Uint8Array.of(7))
    },
  )
  return Buffer.concat(parts)
}
const index = (map: object): Uint8Array => Buffer.from(JSON.stringify({ weight_map: map }))

const FILES = memoryFiles([
  ['d/model.safetensors', fileOf('model')],
  ['d/other.safetensors', fileOf('other')],
  ['d/third.safetensors', fileOf('third')],
  ['d/adapter_model.safetensors', fileOf('adapter')],
  ['d/golden.safetensors', fileOf('golden')],
  ['d/model.safetensors.index.json', index({ other: 'other.safetensors', third: 'third.safetensors' })],
  ['d/a.safetensors.index.json', index({ model: 'model.safetensors' })],
])

type Opened = ReturnType<NonNullable<typeof safetensors.byName>>
/** Names of the tensors of what was found. */
function tensorsOf(found: Opened): unknown {
  if (found === null) return null
  expect([found.directories, found.notes]).toEqual([['d'], []])
  const { source } = (found.open as unknown as () => { source: TensorSource })()
  const names = [...source.tensors.keys()]
  source.close()
  return names
}

describe('safetensors', () => {
  it('are recognised by their name, or by their bytes', () => {
    expect(safetensors.title).toBe('.safetensors')
    const byName = (path: string): unknown => tensorsOf(safetensors.byName!(FILES, path))
    expect(byName('d/model.safetensors')).toEqual(['model'])
    expect(byName('d/model.safetensors.index.json')).toEqual(['other', 'third'])
    expect(byName('d/golden.safetensors')).toEqual(['golden'])
    expect([byName('d/model.bin'), byName('d/index.json'), byName('d/safetensors/x.json')]).toEqual([null, null, null])
    expect(tensorsOf(safetensors.byBytes!(FILES, 'd/other.safetensors', 'safetensors'))).toEqual(['other'])
    expect(safetensors.byBytes!(FILES, 'd/other.safetensors', 'zip')).toBeNull()
  })

  it.each([
    [['model.safetensors'], ['model']],
    [['other.safetensors', 'model.safetensors'], ['model']],
    [['other.safetensors', 'config.json', 'golden.safetensors'], ['other']],
    [['adapter_model.safetensors', 'other.safetensors'], ['other']],
    [['adapter_model.safetensors'], ['adapter']],
    [['adapter_model.safetensors', 'pytorch_model.bin'], null],
    [['adapter_model.safetensors', 'pytorch_model.bin', 'third.safetensors'], ['third']],
    [['golden.safetensors', 'x.bin'], null],
    [[], null],
    [
      ['model.safetensors', 'model.safetensors.index.json', 'a.safetensors.index.json'],
      ['other', 'third'],
    ],
    [
      ['a.safetensors.index.json', 'model.safetensors.index.json'],
      ['other', 'third'],
    ],
    [['other.safetensors', 'third.safetensors', 'a.safetensors.index.json'], ['model']],
  ])('of a folder of %j are %j', (names, tensors) => {
    expect(tensorsOf(safetensors.inDirectory!(FILES, 'd', names))).toEqual(tensors)
  })

  it('of a folder with several models must be named', () => {
    expect(() =>
      safetensors.inDirectory!(FILES, 'd', ['third.safetensors', 'other.safetensors', 'golden.safetensors']),
    ).toThrow(
      expect.objectContaining({
        kind: 'usage',
        code: 'choice-ambiguous',
        message: 'd holds several models: other.safetensors, third.safetensors',
        hint: 'give the one you mean',
      }) as Error,
    )
  })
})

describe('a header that is built', () => {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.subarray(8))
  const lengthOf = (bytes: Uint8Array): number =>
    Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))

  it('lists tensors one after another, and is padded to eight bytes', () => {
    const header = buildHeader(
      [
        { name: 'a"b', dtype: 'F32', shape: [2, 3] },
        { name: 'c', dtype: 'F16', shape: [] },
      ],
      { format: 'pt' },
    )
    const json =
      '{"__metadata__":{"format":"pt"},"a\\"b":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},' +
      '"c":{"dtype":"F16","shape":[],"data_offsets":[24,26]}}'
    expect(text(header)).toBe(json.padEnd(Math.ceil(json.length / 8) * 8))
    expect([lengthOf(header), header.length % 8]).toEqual([header.length - 8, 0])
    expect(text(buildHeader([]))).toBe('{}      ')
    expect(buildHeader([]).length).toBe(16)
  })

  it('has at least the bytes that are asked for', () => {
    for (const [least, length] of [
      [0, 16],
      [16, 16],
      [17, 24],
      [24, 24],
      [100, 104],
    ] as const)
      expect(buildHeader([], {}, least).length, String(least)).toBe(length)
  })
})

import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { AlbertkitError } from '../../../src/base/errors.js'
import { disk } from '../../../src/files/disk.js'
import { memoryFiles } from '../../../src/files/memory.js'
import { readAll, type DType, type TensorSource } from '../../../src/formats/core/source.js'
import { openTorch } from '../../../src/formats/torch/source.js'

/** Files that `torch.save` wrote, in both its formats, and the values that PyTorch reads from them. */

const path = (name: string): string => fileURLToPath(new URL(`recorded/${name}`, import.meta.url))
type Expected = Readonly<Record<string, { shape: number[]; values: number[] }>>
const expected = JSON.parse(readFileSync(path('expected.json'), 'utf8')) as Readonly<
  Record<'views' | 'types' | 'parameters', Expected>
>

const READERS: Partial<Record<DType, readonly [width: number, read: (view: DataView, at: number) => number]>> = {
  F64: [8, (view, at) => view.getFloat64(at, true)],
  F32: [4, (view, at) => view.getFloat32(at, true)],
  BF16: [2, (view, at) => new Float32Array(Uint32Array.of(view.getUint16(at, true) << 16).buffer)[0]!],
  I64: [8, (view, at) => Number(view.getBigInt64(at, true))],
  I32: [4, (view, at) => view.getInt32(at, true)],
  I16: [2, (view, at) => view.getInt16(at, true)],
  U16: [2, (view, at) => view.getUint16(at, true)],
  I8: [1, (view, at) => view.getInt8(at)],
  U8: [1, (view, at) => view.getUint8(at)],
  BOOL: [1, (view, at) => view.getUint8(at)],
}

function valuesOf(source: TensorSource, name: string): number[] | string {
  const { dtype } = source.tensors.get(name)!
  const bytes = readAll(source, name)
  const reader = READERS[dtype]
  if (reader === undefined) return `${dtype} ${Buffer.from(bytes).toString('hex')}`
  const [width, read] = reader
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / width }, (_, i) => read(view, i * width))
}

/** Values as `valuesOf` gives them: JavaScript has no float16 to compute with. */
const F16: Readonly<Record<string, string>> = { f16: 'F16 003800c0' }

describe.each(['zip', 'legacy'])('the %s format', (format) => {
  it.each(['views', 'types', 'parameters'] as const)('%s', (name) => {
    const source = openTorch(disk, path(`${name}.${format}.pt`))
    const wanted = Object.entries(expected[name]).filter(([tensor]) => format === 'zip' || tensor !== 'u16')
    expect([...source.tensors.keys()]).toEqual(wanted.map(([tensor]) => tensor))
    for (const [tensor, { shape, values }] of wanted) {
      expect(source.tensors.get(tensor)?.shape, tensor).toEqual(shape)
      expect(valuesOf(source, tensor), tensor).toEqual(F16[tensor] ?? values)
      source.verifyChecksum(tensor)
    }
    expect(source.notes).toEqual([
      ...(format === 'legacy' ? ['written before PyTorch 1.6'] : []),
      ...(name === 'views' ? ['5 tensors are stored in another order (strides)'] : []),
      ...(name === 'parameters' ? ['3 values of the file are no tensors'] : []),
    ])
    source.close()
  })

  it('any range of bytes of a view is that of the whole view', () => {
    const source = openTorch(disk, path(`views.${format}.pt`))
    const names = [...source.tensors.keys()].filter((name) => source.tensors.get(name)!.byteLength > 0)
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), fc.nat(), (name, a, b) => {
        const whole = readAll(source, name)
        const [from, to] = [a % whole.length, b % whole.length].sort((x, y) => x - y) as [number, number]
        const part = new Uint8Array(to - from + 1)
        source.read(name, from, part)
        expect(part).toEqual(whole.subarray(from, to + 1))
      }),
    )
    expect(() => {
      source.read('whole', 93, new Uint8Array(4))
    }).toThrow(RangeError)
    expect(() => readAll(source, 'no such')).toThrow()
    source.close()
  })

  it('every byte that is cut off is missed', () => {
    const bytes = readFileSync(path(`views.${format}.pt`))
    for (let length = 0; length < bytes.length; length += 13)
      expect(() => {
        const source = openTorch(memoryFiles([['a.pt', bytes.subarray(0, length)]]), 'a.pt')
        for (const name of source.tensors.keys()) readAll(source, name)
      }, `${length} bytes`).toThrow(AlbertkitError)
  })
})

const WEIGHTS = { 'layer.weight': [1, 2], 'layer.bias': [3] }

describe('weights in what trainers save', () => {
  it.each<[string, Readonly<Record<string, number[]>>, readonly string[]]>([
    [
      'lightning',
      WEIGHTS,
      ['the weights are those under state_dict', 'every name begins with model., which is left out'],
    ],
    ['parallel', WEIGHTS, ['every name begins with module., which is left out']],
    ['compiled-parallel', WEIGHTS, ['every name begins with _orig_mod.module., which is left out']],
    [
      'nested',
      { 'encoder.layer.weight': [1, 2], 'encoder.layer.bias': [3], 'head.weight': [9] },
      ['the weights are those under model'],
    ],
    [
      'averages',
      { ...WEIGHTS, 'ema_model.layer.weight': [2, 3], 'ema_model.layer.bias': [4] },
      ['the weights are those under model'],
    ],
    ['other-part', { ...WEIGHTS, 'crf.transitions': [0.5] }, ['the weights are those under model']],
    ['number-keys', { 0: [1], a: [2] }, ['1 values of the file are no tensors']],
  ])('%s', (name, right, notes) => {
    const source = openTorch(disk, path(`${name}.pt`))
    expect(Object.fromEntries([...source.tensors.keys()].map((tensor) => [tensor, valuesOf(source, tensor)]))).toEqual(
      right,
    )
    expect(source.notes).toEqual(notes)
    source.close()
  })
})

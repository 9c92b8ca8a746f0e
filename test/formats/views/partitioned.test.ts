import { describe, expect, it } from 'vitest'
import { joinParts } from '../../../src/formats/views/partitioned.js'
import { readAll, type TensorSource } from '../../../src/formats/core/source.js'

/** A source that holds float32 tensors: each is its shape and its numbers. */
function sourceOf(tensors: Readonly<Record<string, readonly [shape: number[], numbers: number[]]>>): TensorSource {
  const bytes = new Map(
    Object.entries(tensors).map(([name, [, numbers]]) => [name, new Uint8Array(new Float32Array(numbers).buffer)]),
  )
  return {
    format: 'tf-bundle',
    files: ['file'],
    notes: [],
    tensors: new Map(
      Object.entries(tensors).map(([name, [shape]]) => [
        name,
        { name, dtype: 'F32', shape, byteLength: bytes.get(name)!.length, file: 'file' },
      ]),
    ),
    read: (name, offset, target) => {
      target.set(bytes.get(name)!.subarray(offset, offset + target.length))
    },
    verifyChecksum: () => undefined,
    close: () => undefined,
  }
}

const numbersOf = (source: TensorSource, name: string): number[] => [
  ...new Float32Array(readAll(source, name).slice().buffer),
]

describe('parts of a partitioned variable that have names of their own', () => {
  it('are one variable, cut along the first axis', () => {
    const source = joinParts(
      sourceOf({
        'a/part_1': [
          [1, 2],
          [5, 6],
        ],
        'a/part_0': [
          [2, 2],
          [1, 2, 3, 4],
        ],
        'a/part_2': [[0, 2], []],
        b: [[1], [9]],
      }),
    )
    expect([...source.tensors.keys()].sort()).toEqual(['a', 'b'])
    expect(source.tensors.get('a')).toMatchObject({ shape: [3, 2], byteLength: 24 })
    expect(numbersOf(source, 'a')).toEqual([1, 2, 3, 4, 5, 6])
    expect(numbersOf(source, 'b')).toEqual([9])
    expect(source.notes[0]).toContain('a/part_0')
    // A range that begins and ends within elements, and in two parts.
    const some = new Uint8Array(9)
    source.read('a', 10, some)
    expect(some).toEqual(new Uint8Array(new Float32Array([1, 2, 3, 4, 5, 6]).buffer).slice(10, 19))
  })

  it('are one variable, cut along another axis', () => {
    const source = joinParts(
      sourceOf({
        'k/part_0': [
          [2, 1],
          [1, 4],
        ],
        'k/part_1': [
          [2, 2],
          [2, 3, 5, 6],
        ],
      }),
    )
    expect(source.tensors.get('k')?.shape).toEqual([2, 3])
    expect(numbersOf(source, 'k')).toEqual([1, 2, 3, 4, 5, 6])
  })

  it.each([
    ['one is missing', { 'a/part_0': [[1], [1]], 'a/part_2': [[1], [1]] }],
    [
      'two axes differ',
      {
        'a/part_0': [
          [1, 2],
          [1, 1],
        ],
        'a/part_1': [
          [2, 1],
          [1, 1],
        ],
      },
    ],
    ['the variable is there too', { 'a/part_0': [[1], [1]], a: [[1], [1]] }],
    ['they are scalars', { 'a/part_0': [[], [1]], 'a/part_1': [[], [1]] }],
    ['the number is spelt otherwise', { 'a/part_00': [[1], [1]], 'a/part_01': [[1], [1]] }],
    ['the number is absurd', { 'a/part_4000000000': [[1], [1]] }],
  ] as const)('stay as they are where %s', (_, tensors) => {
    const source = sourceOf(tensors as unknown as Parameters<typeof sourceOf>[0])
    expect(joinParts(source)).toBe(source)
  })
})

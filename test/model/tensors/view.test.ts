import { expect, it } from 'vitest'
import type { TensorSource } from '../../../src/formats/core/source.js'
import type { Parameter } from '../../../src/model/albert.js'
import { logicalView, storedView } from '../../../src/model/tensors/view.js'
import { readLogical } from '../../../src/model/tensors/read.js'

/** `x` with element i = i, exact in float32 below 2^24. */
const counting = (bytes: number): TensorSource =>
  ({
    read(_: string, offset: number, target: Uint8Array) {
      const values = new Float32Array(target.length / 4).map((_v, i) => offset / 4 + i)
      target.set(new Uint8Array(values.buffer))
    },
    tensors: new Map([['x', { dtype: 'F32', byteLength: bytes }]]),
  }) as unknown as TensorSource

const parameter = (shape: number[], storedShape: number[], layout: Parameter['layout']): Parameter => ({
  slot: 'x',
  variable: 'x',
  shape,
  storedShape,
  layout,
  dtype: 'F32',
})

it.each([
  // The last is too large to be held: it comes by blocks.
  ['as_is', [5, 7], [5, 7]],
  ['transposed', [7, 5], [5, 7]],
  ['grouped', [16, 2, 3], [2, 3, 16]],
  ['transposed', [2053, 2101], [2101, 2053]],
] as const)('a %s view of %j is what the forward pass means', (layout, shape, stored) => {
  const p = parameter([...shape], [...stored], layout)
  const total = shape.reduce((a: number, b) => a * b, 1)
  const source = counting(4 * total)
  // The stored order counts up: the element of the logical one is its place there.
  const columns = shape[shape.length - 1]!
  const meant = new Float32Array(total)
  const [first, rest] = [shape[0], total / shape[0]]
  for (let i = 0; i < total; i++) meant[i] = layout === 'as_is' ? i : (i % rest) * first + Math.floor(i / rest)
  // Transposing the largest takes long.
  if (total < 1000) expect(readLogical(source, p)).toEqual(meant)
  const view = logicalView(source, p)
  for (const [start, length] of [
    [0, columns],
    [columns, 1],
    [3, columns],
    [total - columns - 2, columns + 1],
  ] as const) {
    const target = new Float32Array(length)
    view.read(start, target)
    expect(target).toEqual(meant.slice(start, start + length))
  }
  // Places of the stored order are those of the same element in the meant one.
  const [found] = [storedView(source, p)]
  for (const index of [0, 1, 4, total - 1]) {
    const place = found.place(index)
    const flat = place.reduce((at, i, axis) => at * shape[axis]! + i, 0)
    expect(meant[flat]).toBe(index)
  }
})

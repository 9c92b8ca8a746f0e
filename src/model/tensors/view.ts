import type { TensorSource } from '../../formats/core/source.js'
import type { Parameter } from '../albert.js'
import type { Fill } from './derived.js'
import { readLogical, readStored } from './read.js'
import { transpose } from './transpose.js'

/** A tensor that is read by ranges, independent of its file, layout and element type; it may be computed. */
export interface View {
  /** Row-major order of `read`. */
  readonly shape: readonly number[]
  /** Fills `target` with the elements from `start` on, as float32. Ranges of whole rows are fastest. */
  readonly read: (start: number, target: Float32Array) => void
  /** Index of an element of that order in the logical tensor. */
  readonly place: (index: number) => readonly number[]
}

/** Elements of a matrix that may be held at a time. */
const HELD = 4 << 20

/** Index along each axis of flat position `flat`. */
export function unravel(flat: number, shape: readonly number[]): number[] {
  const index = shape.map(() => 0)
  let rest = flat
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1
    index[axis] = rest % size
    rest = Math.floor(rest / size)
  }
  return index
}

export const computedView = (shape: readonly number[], fill: Fill): View => ({
  shape,
  read: fill,
  place: (index) => unravel(index, shape),
})

/** View in the stored order, with places in the logical one: for two of the same layout. */
export const storedView = (source: TensorSource, p: Parameter): View => ({
  shape: p.storedShape,
  read: (start, target) => {
    readStored(source, p, start, target)
  },
  place(index) {
    const at = unravel(index, p.storedShape)
    if (p.layout === 'transposed') return at.reverse()
    return p.layout === 'grouped' ? [at[at.length - 1] ?? 0, ...at.slice(0, -1)] : at
  },
})

/** View in the logical order. Transposed tensors are read by blocks of rows, each a strip of every stored row. */
export function logicalView(source: TensorSource, p: Parameter): View {
  const { shape } = p
  if (p.layout === 'as_is') return storedView(source, p)
  let held: Float32Array | null = null
  const place = (index: number): number[] => unravel(index, shape)
  const [rows = 1, columns = 1] = shape
  if (p.layout === 'grouped' || rows * columns <= HELD) {
    const read = (start: number, target: Float32Array): void => {
      held ??= readLogical(source, p)
      target.set(held.subarray(start, start + target.length))
    }
    return { shape, read, place }
  }
  const read = (start: number, target: Float32Array): void => {
    const first = Math.floor(start / columns)
    const high = Math.ceil((start + target.length) / columns) - first
    const strips = new Float32Array(high * columns)
    for (let c = 0; c < columns; c++) readStored(source, p, c * rows + first, strips.subarray(c * high, (c + 1) * high))
    const block = new Float32Array(strips.length)
    transpose(strips, columns, high, block)
    target.set(block.subarray(start - first * columns, start - first * columns + target.length))
  }
  return { shape, read, place }
}

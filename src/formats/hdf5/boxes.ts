import { elementCount } from '../core/source.js'

/** A block of an array (HDF5: hyperslab). */
export interface Box {
  readonly start: readonly number[]
  readonly extent: readonly number[]
  readonly elements: number
}

/**
 * The blocks that `count` elements of an array of `shape` make up, from element `first` on in row-major order: what is
 * left of a row, whole rows, and the beginning of another, on every axis.
 */
export function* boxes(shape: readonly number[], first: number, count: number): Generator<Box> {
  if (count === 0) return
  const [size, ...rest] = shape
  if (size === undefined) {
    yield { start: [], extent: [], elements: 1 }
    return
  }
  const inner = elementCount(rest)
  const end = first + count
  const within = function* (row: number, from: number, to: number): Generator<Box> {
    for (const { start, extent, elements } of boxes(rest, from, to - from))
      yield { start: [row, ...start], extent: [1, ...extent], elements }
  }
  const head = Math.floor(first / inner)
  const tail = Math.floor(end / inner)
  if (head === tail) {
    yield* within(head, first - head * inner, end - head * inner)
    return
  }
  const fromRow = Math.ceil(first / inner)
  if (fromRow !== head) yield* within(head, first - head * inner, inner)
  if (tail > fromRow)
    yield {
      start: [fromRow, ...rest.map(() => 0)],
      extent: [tail - fromRow, ...rest],
      elements: (tail - fromRow) * inner,
    }
  if (end > tail * inner) yield* within(tail, 0, end - tail * inner)
}

import { elementCount, type TensorSource } from '../../formats/core/source.js'
import type { Dense, Parameter } from '../albert.js'
import { readLogical, readStored } from './read.js'

/** Values that a target needs and no source stores; each fills a range of its row-major elements. */
export type Fill = (start: number, target: Float32Array) => void

export const zeros: Fill = (_, target) => {
  target.fill(0)
}

/** The identity matrix of `width`. */
export const identityMatrix =
  (width: number): Fill =>
  (start, target) => {
    target.fill(0)
    // The diagonal has element i·(width + 1).
    for (let i = Math.ceil(start / (width + 1)) * (width + 1); i < start + target.length; i += width + 1)
      target[i - start] = 1
  }

/**
 * `left [n, k] · right [k, m]`, summed in float64 and rounded to float32 once. `right` is held (k·m doubles, from the
 * first use on); `left` is read by rows.
 */
export function product(source: TensorSource, left: Parameter, right: Parameter): Fill {
  const [k = 1, m = 1] = right.shape
  const inputs = new Float32Array(k)
  const sums = new Float64Array(m)
  let matrix: Float64Array | null = null
  let held = -1
  const compute = (row: number): void => {
    if (row === held) return
    matrix ??= Float64Array.from(readLogical(source, right))
    readStored(source, left, row * k, inputs)
    sums.fill(0)
    for (let i = 0; i < k; i++) {
      const x = inputs[i]!
      for (let j = 0, at = i * m; j < m; j++, at++) sums[j]! += x * matrix[at]!
    }
    held = row
  }
  return (start, target) => {
    for (let done = 0; done < target.length;) {
      const row = Math.floor((start + done) / m)
      const column = start + done - row * m
      compute(row)
      const part = sums.subarray(column, Math.min(m, column + target.length - done))
      target.set(part, done)
      done += part.length
    }
  }
}

/**
 * A kernel of google_fast `[groups, in/groups, out/groups]` as the whole kernel `[in, out]` that it is a part of: group g
 * takes the input channels `h·groups + g` and gives the output channels from `g·out/groups` on; all else is zero. It is
 * held once (float32, from the first use on).
 */
export function ungrouped(source: TensorSource, kernel: Parameter): Fill {
  const [groups = 1, rows = 1, columns = 1] = kernel.shape
  const width = groups * columns
  let held: Float32Array | null = null
  return (start, target) => {
    held ??= readLogical(source, kernel)
    target.fill(0)
    const end = start + target.length
    for (let row = Math.floor(start / width); row * width < end; row++) {
      const group = row % groups
      const at = row * width + group * columns
      const from = (group * rows + Math.floor(row / groups)) * columns
      const [first, last] = [Math.max(at, start), Math.min(at + columns, end)]
      if (first < last) target.set(held.subarray(from + first - at, from + last - at), first - start)
    }
  }
}

/** The same kernel in the order that TensorFlow's code of google_fast stores it in, `[in/groups, out/groups, groups]`. */
export function groupsLast(source: TensorSource, kernel: Parameter): Fill {
  const [groups = 1] = kernel.shape
  const size = elementCount(kernel.shape) / groups
  let held: Float32Array | null = null
  return (start, target) => {
    held ??= readLogical(source, kernel)
    for (let i = 0; i < target.length; i++) {
      const at = start + i
      target[i] = held[(at % groups) * size + Math.floor(at / groups)]!
    }
  }
}

/** True if a dense layer maps every vector to itself: an identity kernel and a zero bias. Reads it by pieces. */
export function isIdentity(source: TensorSource, { kernel, bias }: Dense): boolean {
  const [rows = 0, columns = 0] = kernel.shape
  if (rows !== columns) return false
  if (bias !== null && readLogical(source, bias).some((x) => x !== 0)) return false
  const piece = new Float32Array(Math.max(1, Math.floor((1 << 20) / columns)) * columns)
  const wanted = new Float32Array(piece.length)
  const expected = identityMatrix(columns)
  for (let start = 0; start < rows * columns; start += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, rows * columns - start))
    readStored(source, kernel, start, part)
    expected(start, wanted)
    if (part.some((x, i) => x !== wanted[i])) return false
  }
  return true
}

import { elementCount, type TensorSource } from '../../formats/core/source.js'
import type { Parameter } from '../albert.js'
import { readStored } from '../tensors/read.js'

/** Numbers about the values of one tensor; mean, deviation and extremes are over the finite ones. */
export interface TensorStatistics {
  readonly count: number
  /** Null if no value is finite. */
  readonly mean: number | null
  /** Standard deviation (of the population). */
  readonly std: number | null
  readonly min: number | null
  readonly max: number | null
  readonly zeros: number
  readonly nan: number
  readonly inf: number
}

const PIECE = 1 << 20

/** Calls `body` with the parameter's elements as stored, a few MiB at a time; the array is used again. */
export function eachPiece(
  source: TensorSource,
  p: Parameter,
  body: (piece: Float32Array, start: number) => void,
): void {
  const total = elementCount(p.storedShape)
  const buffer = new Float32Array(Math.min(PIECE, total))
  for (let start = 0; start < total; start += PIECE) {
    const piece = buffer.subarray(0, Math.min(PIECE, total - start))
    readStored(source, p, start, piece)
    body(piece, start)
  }
}

/** Reads a tensor once, piece by piece. */
export function tensorStatistics(source: TensorSource, p: Parameter): TensorStatistics {
  let [sum, squares, zeros, nan, inf, finite] = [0, 0, 0, 0, 0, 0]
  let [min, max] = [Infinity, -Infinity]
  eachPiece(source, p, (piece) => {
    for (const x of piece) {
      if (x - x !== 0) {
        if (Number.isNaN(x)) nan++
        else inf++
        continue
      }
      finite++
      sum += x
      squares += x * x
      if (x === 0) zeros++
      if (x < min) min = x
      if (x > max) max = x
    }
  })
  const count = elementCount(p.storedShape)
  if (finite === 0) return { count, mean: null, std: null, min: null, max: null, zeros, nan, inf }
  const mean = sum / finite
  const std = min === max ? 0 : Math.sqrt(Math.max(0, squares / finite - mean * mean))
  return { count, mean, std, min, max, zeros, nan, inf }
}

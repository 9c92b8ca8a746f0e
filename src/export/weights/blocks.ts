import { elementCount } from '../../formats/core/source.js'
import type { ElementOrder } from '../../base/artefact-layout.js'
import type { Parameter } from '../../model/albert.js'
import type { Sink, WeightStream } from './weight-stream.js'

/** Inputs that share a scale. */
export const BLOCK = 32
/** Bytes of a block. */
export const BLOCK_BYTES = BLOCK / 2
/** Largest magnitudes of the integers, below and above zero, and the half step up to which values are rounded to them. */
const [BELOW, ABOVE] = [8.5, 7.5]
/** What is added to an integer to store it. */
const ZERO = 8
/** Two zeros. */
const PADDING = ZERO | (ZERO << 4)

/**
 * Integers of four bits in blocks: `value = (q − 8) · scale`, q in 0 … 15; the scale is negative if the largest
 * magnitude is that of a positive number, since there is one integer more below zero. A row has the inputs of one
 * output, in blocks with a scale each, padded with zeros to whole blocks; two elements make a byte, the first in its
 * low half.
 */
export interface BlockEncoding {
  readonly kind: 'blocks'
  readonly rows: number
  /** Elements of a row. */
  readonly inputs: number
  /** One for each block, row after row. */
  readonly scales: Float32Array
}

/** Blocks of a row. */
export const blocksOf = (inputs: number): number => Math.ceil(inputs / BLOCK)

/** Order in which the inputs of a matrix come last. @param axis its output axis */
export const inputsLast = (axis: 0 | 1): ElementOrder => (axis === 0 ? 'logical' : 'transposed')

/** Smallest scale with which every value of a block is rounded by half a step at most. */
function scaleOf(low: number, high: number): number {
  const [most, least] = -low > high ? [-low, high] : [high, -low]
  // A block of zeros gets the scale 1, to avoid division by zero.
  if (most === 0) return 1
  const step = Math.max(most / BELOW, least / ABOVE)
  return -low > high ? step : -step
}

/** Chooses the scale of each block. */
export function blockEncoding(stream: WeightStream, parameter: Parameter, axis: 0 | 1): BlockEncoding {
  const rows = parameter.shape[axis] ?? 1
  const inputs = elementCount(parameter.shape) / rows
  const perRow = blocksOf(inputs)
  const [low, high] = [new Float32Array(rows * perRow), new Float32Array(rows * perRow)]
  let [row, column] = [0, 0]
  stream.stream(parameter, inputsLast(axis), (bytes) => {
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    for (let i = 0; i < values.length;) {
      const run = Math.min(BLOCK - (column % BLOCK), inputs - column, values.length - i)
      const block = row * perRow + Math.floor(column / BLOCK)
      let [least, most] = [low[block]!, high[block]!]
      for (let j = i; j < i + run; j++) {
        least = Math.min(least, values[j]!)
        most = Math.max(most, values[j]!)
      }
      ;[low[block], high[block]] = [least, most]
      i += run
      column += run
      if (column === inputs) [row, column] = [row + 1, 0]
    }
  })
  return { kind: 'blocks', rows, inputs, scales: low.map((least, i) => scaleOf(least, high[i]!)) }
}

/** Wraps `sink` in one that takes float32 in the order of `inputsLast` and passes on the bytes of blocks. */
export function blockSink({ inputs, scales }: BlockEncoding, sink: Sink): Sink {
  const perRow = blocksOf(inputs)
  const rowBytes = perRow * BLOCK_BYTES
  let [row, column] = [0, 0]
  /** Byte whose low half alone is known. */
  let half = 0
  return (bytes) => {
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    const out = new Uint8Array(Math.ceil((column + values.length) / inputs) * rowBytes)
    let n = 0
    for (const value of values) {
      const scaled = value / scales[row * perRow + Math.floor(column / BLOCK)]!
      const q = ZERO + Math.min(7, Math.max(-8, scaled < 0 ? (scaled - 0.5) | 0 : (scaled + 0.5) | 0))
      if (column % 2 === 0) half = q
      else out[n++] = half | (q << 4)
      if (++column < inputs) continue
      if (inputs % 2 === 1) out[n++] = half | (ZERO << 4)
      const padding = rowBytes - Math.ceil(inputs / 2)
      out.fill(PADDING, n, n + padding)
      n += padding
      ;[row, column] = [row + 1, 0]
    }
    sink(out.subarray(0, n))
  }
}

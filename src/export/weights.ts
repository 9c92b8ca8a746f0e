import { DTYPE_BYTES, elementCount, type TensorSource } from '../formats/source.js'
import type { Parameter } from '../model/albert.js'
import { decodeFloats } from '../model/decode.js'
import type { WeightForm } from './written.js'

/** Bytes of a piece that is given to a sink at a time. */
export const PIECE_BYTES = 4 << 20
/** Bytes that a stripe of a transposed matrix may take: with it, memory does not grow with the matrix. */
const STRIPE_BYTES = 68 << 20
/** Bytes of source rows that are read before they are transposed; small, so that they stay in the cache. */
const STRIP_BYTES = 1 << 20

/** Receives the next bytes, which are overwritten after it returns. */
export type Sink = (bytes: Uint8Array) => void

const bytesOf = (floats: Float32Array): Uint8Array =>
  new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength)

/** The buffers of a conversion, each made once: fresh memory costs more than the copying. */
export class WeightStream {
  #piece: Float32Array | null = null
  #stripe: Float32Array | null = null
  #strip: Float32Array | null = null
  #raw: Uint8Array | null = null

  constructor(readonly source: TensorSource) {}

  /**
   * Streams `parameter` as little-endian float32 to `sink`, in pieces of at most 4 MiB.
   * @param as `stored`: in the source's order; `meant`: as the forward pass means it, i.e. transposed where the
   *   parameter's layout says so.
   * @throws AlbertkitError `malformed` from the source.
   */
  stream(parameter: Parameter, as: WeightForm, sink: Sink): void {
    const total = elementCount(parameter.shape)
    if (total === 0) return
    if (as === 'stored' || parameter.layout === 'as_is') this.#copy(parameter, total, sink)
    else this.#transpose(parameter, sink)
  }

  /** Elements `[start, start + target.length)` as stored. */
  #read(parameter: Parameter, start: number, target: Float32Array): void {
    const width = DTYPE_BYTES[parameter.dtype]
    if (parameter.dtype === 'F32') {
      this.source.read(parameter.variable, start * 4, bytesOf(target))
      return
    }
    const length = target.length * width
    if (this.#raw === null || this.#raw.length < length) this.#raw = new Uint8Array(length)
    const raw = this.#raw.subarray(0, length)
    this.source.read(parameter.variable, start * width, raw)
    decodeFloats(parameter.dtype, raw, target)
  }

  #copy(parameter: Parameter, total: number, sink: Sink): void {
    const piece = (this.#piece ??= new Float32Array(PIECE_BYTES / 4))
    for (let start = 0; start < total; start += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, total - start))
      this.#read(parameter, start, part)
      sink(bytesOf(part))
    }
  }

  /**
   * `[rows, columns]` → `[columns, rows]` by stripes of columns. Every stripe passes over the rows of the source once:
   * reading its part of each row where that part is long enough to be worth a read, else whole rows.
   */
  #transpose(parameter: Parameter, sink: Sink): void {
    const [rows = 1, columns = 1] = parameter.storedShape
    const pitch = pitchOf(rows)
    const stripes = Math.ceil((4 * pitch * columns) / STRIPE_BYTES)
    const even = Math.ceil(columns / stripes)
    const width = Math.min(columns, even < 8 ? even : Math.floor(even / 8) * 8)
    const stripe = this.#stripeOf(pitch * width)
    for (let c0 = 0; c0 < columns; c0 += width) {
      const wide = Math.min(width, columns - c0)
      this.#fillStripe(parameter, columns, c0, wide, stripe, pitch)
      this.#pour(stripe, pitch, wide, rows, sink)
    }
  }

  /** Gives the rows of a stripe, without the gaps between them, in pieces: many small writes take twice as long. */
  #pour(stripe: Float32Array, pitch: number, wide: number, rows: number, sink: Sink): void {
    const piece = (this.#piece ??= new Float32Array(PIECE_BYTES / 4))
    const perPiece = Math.floor(piece.length / rows)
    if (perPiece === 0) {
      for (let c = 0; c < wide; c++)
        for (let r = 0; r < rows; r += piece.length)
          sink(bytesOf(stripe.subarray(c * pitch + r, c * pitch + Math.min(r + piece.length, rows))))
      return
    }
    for (let c = 0; c < wide; c += perPiece) {
      const taken = Math.min(perPiece, wide - c)
      for (let i = 0; i < taken; i++) piece.set(stripe.subarray((c + i) * pitch, (c + i) * pitch + rows), i * rows)
      sink(bytesOf(piece.subarray(0, taken * rows)))
    }
  }

  #stripeOf(length: number): Float32Array {
    if (this.#stripe === null || this.#stripe.length < length)
      // The largest at once: a smaller one that is outgrown would stay in memory until the collector comes.
      this.#stripe = new Float32Array(Math.max(length, STRIPE_BYTES / 4))
    return this.#stripe
  }

  /** Columns `[c0, c0 + wide)` of the source as rows of `stripe [wide, pitch]`. */
  #fillStripe(
    parameter: Parameter,
    columns: number,
    c0: number,
    wide: number,
    stripe: Float32Array,
    pitch: number,
  ): void {
    const rows = parameter.storedShape[0] ?? 1
    const whole = wide === columns || wide * DTYPE_BYTES[parameter.dtype] < MIN_READ_BYTES
    const stride = whole ? columns : wide
    const strip = this.#stripFor(stride)
    const height = Math.max(1, Math.floor(strip.length / stride / 8) * 8)
    for (let r0 = 0; r0 < rows; r0 += height) {
      const high = Math.min(height, rows - r0)
      if (whole) this.#read(parameter, r0 * columns, strip.subarray(0, high * columns))
      else {
        for (let r = 0; r < high; r++)
          this.#read(parameter, (r0 + r) * columns + c0, strip.subarray(r * wide, (r + 1) * wide))
      }
      transposeInto(strip, whole ? c0 : 0, stride, high, wide, stripe, r0, pitch)
    }
  }

  #stripFor(stride: number): Float32Array {
    const length = Math.max(STRIP_BYTES / 4, stride * 8)
    if (this.#strip === null || this.#strip.length < length) this.#strip = new Float32Array(length)
    return this.#strip
  }
}

/**
 * Elements from one row of a stripe to the next. Rows whose distance is a power of two fall into the same few lines of
 * the cache, which makes a transposition several times slower: such rows get a gap.
 */
const pitchOf = (rows: number): number => (rows % 256 === 0 ? rows + 16 : rows)

/** Shorter reads than this cost more than reading whole rows again: a read call takes 4 µs, in which memory gives 40 kB. */
const MIN_READ_BYTES = 16 * 1024

/**
 * `to[c, r0 + r] = from[r, start + c]` for `high × wide` elements, in 8×8 blocks: one block touches 8 cache lines on
 * either side.
 * @param stride elements of a row of `from`
 * @param rows elements from one row of `to` to the next
 */
export function transposeInto(
  from: Float32Array,
  start: number,
  stride: number,
  high: number,
  wide: number,
  to: Float32Array,
  r0: number,
  rows: number,
): void {
  const high8 = high & ~7
  const wide8 = wide & ~7
  for (let r = 0; r < high8; r += 8) {
    for (let c = 0; c < wide8; c += 8) {
      for (let i = r; i < r + 8; i++) {
        let f = start + i * stride + c
        let t = c * rows + r0 + i
        for (let j = 0; j < 8; j++, f++, t += rows) to[t] = from[f]!
      }
    }
  }
  for (let r = 0; r < high; r++) {
    for (let c = r < high8 ? wide8 : 0; c < wide; c++) to[c * rows + r0 + r] = from[start + r * stride + c]!
  }
}

/** Streams one parameter; see `WeightStream.stream`. */
export function streamFloat32(source: TensorSource, parameter: Parameter, as: WeightForm, sink: Sink): void {
  new WeightStream(source).stream(parameter, as, sink)
}

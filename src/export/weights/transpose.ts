import { transposeInto, type Elements } from '../../model/tensors/transpose.js'

/** Consumer of the next bytes, which are overwritten after it returns. */
export type Sink = (bytes: Uint8Array) => void

/** Bytes passed to a sink at a time. */
export const PIECE_BYTES = 4 << 20
/** Largest size of a stripe of a transposed matrix, in bytes, so that memory does not grow with the matrix. */
const STRIPE_BYTES = 68 << 20
/** Bytes of source rows that are read before transposing them; small, so that they stay in the CPU cache. */
const STRIP_BYTES = 1 << 20
/** Shorter reads cost more than reading whole rows again: a read call takes 4 µs, as long as copying 40 kB. */
const MIN_READ_BYTES = 16 * 1024

export interface Matrix<A extends Elements> {
  readonly rows: number
  readonly columns: number
  /** Bytes read per element. */
  readonly width: number
  /** Fills `target` with the elements from `start` on, row-major. */
  readonly read: (start: number, target: A) => void
}

export const bytesOf = (elements: Elements): Uint8Array =>
  new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength)

/** Transposes matrices of one element type as streams; buffers are reused, since allocation costs more than copying. */
export class Transposer<A extends Elements> {
  #piece: A | null = null
  #stripe: A | null = null
  #strip: A | null = null
  readonly #bytes: number

  constructor(readonly make: (length: number) => A) {
    this.#bytes = make(0).BYTES_PER_ELEMENT
  }

  /** Buffer of one piece, free for other uses between two calls. */
  get piece(): A {
    return (this.#piece ??= this.make(PIECE_BYTES / this.#bytes))
  }

  /**
   * Transposes `[rows, columns]` to `[columns, rows]` in stripes of columns; yields pieces of the result, each of which
   * holds until the next. Each stripe reads the rows of the
   * source once, reading its part of each row if that is long enough to be worth a read call, else whole rows.
   */
  *transpose(matrix: Matrix<A>): Generator<Uint8Array> {
    const { rows, columns } = matrix
    const pitch = pitchOf(rows)
    const stripes = Math.ceil((this.#bytes * pitch * columns) / STRIPE_BYTES)
    const even = Math.ceil(columns / stripes)
    const width = Math.min(columns, even < 8 ? even : Math.floor(even / 8) * 8)
    const stripe = this.#stripeOf(pitch * width)
    for (let c0 = 0; c0 < columns; c0 += width) {
      const wide = Math.min(width, columns - c0)
      this.#fillStripe(matrix, c0, wide, stripe, pitch)
      yield* this.#pour(stripe, pitch, wide, rows)
    }
  }

  /** Yields the rows of a stripe without the gaps, in large pieces: many small writes take twice as long. */
  *#pour(stripe: A, pitch: number, wide: number, rows: number): Generator<Uint8Array> {
    const { piece } = this
    const perPiece = Math.floor(piece.length / rows)
    if (perPiece === 0) {
      for (let c = 0; c < wide; c++)
        for (let r = 0; r < rows; r += piece.length)
          yield bytesOf(stripe.subarray(c * pitch + r, c * pitch + Math.min(r + piece.length, rows)))
      return
    }
    for (let c = 0; c < wide; c += perPiece) {
      const taken = Math.min(perPiece, wide - c)
      for (let i = 0; i < taken; i++) piece.set(stripe.subarray((c + i) * pitch, (c + i) * pitch + rows), i * rows)
      yield bytesOf(piece.subarray(0, taken * rows))
    }
  }

  #stripeOf(length: number): A {
    if (this.#stripe === null || this.#stripe.length < length)
      // The full size at once: outgrown buffers stay in memory until garbage collection.
      this.#stripe = this.make(Math.max(length, STRIPE_BYTES / this.#bytes))
    return this.#stripe
  }

  /** Copies columns `[c0, c0 + wide)` of the source to rows of `stripe [wide, pitch]`. */
  #fillStripe({ rows, columns, width, read }: Matrix<A>, c0: number, wide: number, stripe: A, pitch: number): void {
    const whole = wide === columns || wide * width < MIN_READ_BYTES
    const stride = whole ? columns : wide
    const strip = this.#stripFor(stride)
    const height = Math.max(1, Math.floor(strip.length / stride / 8) * 8)
    for (let r0 = 0; r0 < rows; r0 += height) {
      const high = Math.min(height, rows - r0)
      if (whole) read(r0 * columns, strip.subarray(0, high * columns) as A)
      else {
        for (let r = 0; r < high; r++) read((r0 + r) * columns + c0, strip.subarray(r * wide, (r + 1) * wide) as A)
      }
      const from = { data: strip, start: whole ? c0 : 0, stride }
      transposeInto(from, { data: stripe, start: r0, stride: pitch }, high, wide)
    }
  }

  #stripFor(stride: number): A {
    const length = Math.max(STRIP_BYTES / this.#bytes, stride * 8)
    if (this.#strip === null || this.#strip.length < length) this.#strip = this.make(length)
    return this.#strip
  }
}

/**
 * Distance between rows of a stripe, in elements. Rows at distances of a power of two share few cache lines, which
 * makes transposing several times slower: such rows get a gap.
 */
const pitchOf = (rows: number): number => (rows % 256 === 0 ? rows + 16 : rows)

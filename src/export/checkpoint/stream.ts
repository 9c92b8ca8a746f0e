import { DTYPE_BYTES, elementCount, type DType, type TensorSource } from '../../formats/core/source.js'
import type { Parameter } from '../../model/albert.js'
import { decodeFloats } from '../../model/tensors/decode.js'
import { encodeFloats } from '../../model/tensors/encode.js'
import { originDtype, type PlannedTensor } from '../../model/rewrite/translation.js'
import { bytesOf, PIECE_BYTES, Transposer } from '../weights/transpose.js'
import type { Elements } from '../../model/tensors/transpose.js'
import type { Sink } from '../weights/weight-stream.js'

/** Allocator of arrays with elements of `width` bytes, which are copied and never interpreted. */
function elementsOf(width: number): (length: number) => Elements {
  if (width === 2) return (length) => new Uint16Array(length)
  return width === 8 ? (length) => new Float64Array(length) : (length) => new Float32Array(length)
}

/** Bytes of a tensor in the written file. */
export const byteLengthOf = ({ shape, dtype }: Pick<PlannedTensor, 'shape' | 'dtype'>): number =>
  elementCount(shape) * DTYPE_BYTES[dtype]

/** Streams planned tensors in their planned element type, in pieces of at most 4 MiB. */
export class TensorStream {
  readonly #transposers = new Map<number, Transposer<Elements>>()
  #piece: Uint8Array | null = null
  /** Buffers of conversions: floats, and encoded bytes of at most twice the size (float16 that becomes float32). */
  #floats: Float32Array | null = null
  #encoded: Uint8Array | null = null

  constructor(readonly source: TensorSource) {}

  /** Streams the pieces of `tensor` to `sink`. */
  stream(tensor: PlannedTensor, sink: Sink): void {
    for (const piece of this.pieces(tensor)) sink(piece)
  }

  /** Yields the pieces of `tensor`, each of which holds until the next. @throws AlbertkitError `malformed` from the source */
  *pieces(tensor: PlannedTensor): Generator<Uint8Array> {
    if (elementCount(tensor.logicalShape) === 0) return
    const own = originDtype(tensor)
    const pieces = this.#ownPieces(tensor)
    if (own === tensor.dtype) yield* pieces
    else for (const piece of pieces) yield* this.#converted(own, tensor.dtype, piece)
  }

  /** Yields elements of type `from` as `to`, converted via float32. */
  *#converted(from: DType, to: DType, bytes: Uint8Array): Generator<Uint8Array> {
    const most = PIECE_BYTES / DTYPE_BYTES[from]
    this.#floats ??= new Float32Array(PIECE_BYTES / 2)
    this.#encoded ??= new Uint8Array(PIECE_BYTES * 2)
    const [floats, encoded] = [this.#floats, this.#encoded]
    const n = bytes.length / DTYPE_BYTES[from]
    for (let start = 0; start < n; start += most) {
      const values = floats.subarray(0, Math.min(most, n - start))
      decodeFloats(from, bytes.subarray(start * DTYPE_BYTES[from]), values)
      const out = encoded.subarray(0, values.length * DTYPE_BYTES[to])
      encodeFloats(to, values, out)
      yield out
    }
  }

  /** Yields a tensor in the element type of its origin. */
  *#ownPieces({ origin, transposed, logicalShape }: PlannedTensor): Generator<Uint8Array> {
    if (origin.kind === 'parameter') {
      const { parameter } = origin
      if ((parameter.layout === 'transposed') === transposed) yield* this.#copy(parameter)
      else yield* this.#transpose(parameter)
      return
    }
    const { fill } = origin
    if (!transposed) {
      const total = elementCount(logicalShape)
      const piece = this.#transposer('F32').piece as Float32Array
      for (let start = 0; start < total; start += piece.length) {
        const part = piece.subarray(0, Math.min(piece.length, total - start))
        fill(start, part)
        yield bytesOf(part)
      }
      return
    }
    const [rows = 1, columns = 1] = logicalShape
    const read = (start: number, target: Elements): void => {
      fill(start, target as Float32Array)
    }
    // Computing a row again for every stripe costs more than reading it again, so no part of a row is too short.
    yield* this.#transposer('F32').transpose({ rows, columns, width: PIECE_BYTES, read })
  }

  #transposer(dtype: DType): Transposer<Elements> {
    const width = DTYPE_BYTES[dtype]
    let known = this.#transposers.get(width)
    if (known === undefined) this.#transposers.set(width, (known = new Transposer(elementsOf(width))))
    return known
  }

  *#copy({ variable, shape, dtype }: Parameter): Generator<Uint8Array> {
    const total = elementCount(shape) * DTYPE_BYTES[dtype]
    const piece = (this.#piece ??= new Uint8Array(PIECE_BYTES))
    for (let start = 0; start < total; start += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, total - start))
      this.source.read(variable, start, part)
      yield part
    }
  }

  #transpose({ variable, storedShape, dtype }: Parameter): Generator<Uint8Array> {
    const [rows = 1, columns = 1] = storedShape
    const width = DTYPE_BYTES[dtype]
    const read = (start: number, target: Elements): void => {
      this.source.read(variable, start * width, bytesOf(target))
    }
    return this.#transposer(dtype).transpose({ rows, columns, width, read })
  }
}

import { DTYPE_BYTES, elementCount, type TensorSource } from '../../formats/core/source.js'
import type { Parameter } from '../../model/albert.js'
import type { ElementOrder } from '../../base/artefact-layout.js'
import { readFloats, Scratch, storedMatrix } from '../../model/tensors/read.js'
import { bytesOf, Transposer, type Sink } from './transpose.js'

export { PIECE_BYTES, type Sink } from './transpose.js'

/** True if the elements of `parameter` have the same order in a file as in the source. */
export const inStoredOrder = ({ layout }: Parameter, as: ElementOrder): boolean =>
  as === 'stored' || (layout === 'as_is') === (as === 'logical')

/** Streams weights through buffers that are allocated once, since allocation costs more than copying. */
export class WeightStream {
  readonly #transposer = new Transposer((length) => new Float32Array(length))
  readonly #scratch = new Scratch()

  constructor(readonly source: TensorSource) {}

  /** Streams the pieces of `parameter` to `sink`. */
  stream(parameter: Parameter, as: ElementOrder, sink: Sink): void {
    for (const piece of this.pieces(parameter, as)) sink(piece)
  }

  /**
   * Yields `parameter` as little-endian float32, in pieces of at most 4 MiB, each of which holds until the next.
   * @param as `stored`: in the source's order; `logical`: in the order of the forward pass, i.e. transposed if the
   *   parameter's layout requires it; `transposed`: the transpose of that
   * @throws AlbertkitError `malformed` from the source
   */
  *pieces(parameter: Parameter, as: ElementOrder): Generator<Uint8Array> {
    const total = elementCount(parameter.shape)
    if (total === 0) return
    if (inStoredOrder(parameter, as)) yield* this.#copy(parameter, total)
    else yield* this.#transpose(parameter)
  }

  #read(parameter: Parameter, start: number, target: Float32Array): void {
    readFloats(this.source, parameter.variable, start, target, this.#scratch)
  }

  *#copy(parameter: Parameter, total: number): Generator<Uint8Array> {
    const { piece } = this.#transposer
    for (let start = 0; start < total; start += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, total - start))
      this.#read(parameter, start, part)
      yield bytesOf(part)
    }
  }

  #transpose(parameter: Parameter): Generator<Uint8Array> {
    const [rows, columns] = storedMatrix(parameter)
    const read = (start: number, target: Float32Array): void => {
      this.#read(parameter, start, target)
    }
    return this.#transposer.transpose({ rows, columns, width: DTYPE_BYTES[parameter.dtype], read })
  }
}

/** Streams one parameter; see `WeightStream.stream`. */
export function streamFloat32(source: TensorSource, parameter: Parameter, as: ElementOrder, sink: Sink): void {
  new WeightStream(source).stream(parameter, as, sink)
}

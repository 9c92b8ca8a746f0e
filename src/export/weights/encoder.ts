import type { Parameter } from '../../model/albert.js'
import { storedMatrix } from '../../model/tensors/read.js'
import { blockSink, type BlockEncoding } from './blocks.js'
import type { Encoding, IntegerEncoding } from './encoding.js'
import { toHalf } from '../../model/tensors/half.js'
import { PIECE_BYTES } from './transpose.js'
import type { Sink } from './weight-stream.js'

/** Rounds to the nearest integer, halves away from zero, for values within ±2³¹. */
const nearest = (x: number): number => (x < 0 ? (x - 0.5) | 0 : (x + 0.5) | 0)

/** 1/2 with the sign of float32 bits; without a branch, which a processor would guess wrongly for every other weight. */
const signedHalf = (bits: number): number => 0.5 + (bits >> 31)

/** Position of the channels in the order in which elements are written, with the scale of each. */
interface Channels {
  readonly channels: 'rows' | 'columns'
  readonly scales: Float32Array
  /** Elements of a row. */
  readonly columns: number
}

/** Divides by the scales and rounds as `nearest` does. */
function integersOf(values: Float32Array, at: number, { channels, scales, columns }: Channels, out: Int8Array): void {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < values.length;) {
    const column = (at + i) % columns
    const run = Math.min(columns - column, values.length - i)
    if (channels === 'rows') {
      const scale = scales[(at + i - column) / columns]!
      for (let j = i; j < i + run; j++) out[j] = (values[j]! / scale + signedHalf(bits[j]!)) | 0
    } else {
      for (let j = i, c = column; j < i + run; j++, c++) out[j] = (values[j]! / scales[c]! + signedHalf(bits[j]!)) | 0
    }
    i += run
  }
}

/** Packs integers of four bits, two a byte; one that is left over waits for the next piece. */
class Nibbles {
  #left: number | null = null

  /** @param last true if nothing follows @returns the number of bytes written to `out` */
  pack(values: Int8Array, out: Uint8Array, last: boolean): number {
    let n = 0
    for (const value of values) {
      if (this.#left === null) this.#left = value & 15
      else {
        out[n++] = this.#left | ((value & 15) << 4)
        this.#left = null
      }
    }
    if (last && this.#left !== null) out[n++] = this.#left
    return n
  }
}

/** Order in which a weight is streamed to an encoder. */
export interface StreamOrder {
  /** True if that is the stored matrix transposed. */
  readonly turned: boolean
}

/** Encodes streams of float32 piece by piece, in buffers that are allocated once. */
export class Encoder {
  readonly #buffer = new ArrayBuffer(PIECE_BYTES / 2)
  readonly #packed = new Uint8Array(PIECE_BYTES / 8 + 1)

  /**
   * Wraps `sink` in one that takes float32 and passes on the encoded bytes.
   * @param parameter parameter that is streamed, in stored order unless `turned`; blocks in that of `inputsLast`
   */
  sink(parameter: Parameter, encoding: Encoding, sink: Sink, { turned }: StreamOrder = { turned: false }): Sink {
    if (encoding.kind === 'f32') return sink
    if (encoding.kind === 'blocks') return blockSink(encoding, sink)
    if (encoding.kind === 'int8' || encoding.kind === 'int4') return this.#integers(parameter, encoding, sink, turned)
    return (bytes) => {
      sink(this.#encode(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4), encoding))
    }
  }

  #integers(parameter: Parameter, { kind, channels, scales }: IntegerEncoding, sink: Sink, turned: boolean): Sink {
    const [rows, columns] = storedMatrix(parameter)
    const other = channels === 'rows' ? 'columns' : 'rows'
    const laid: Channels = { scales, ...(turned ? { columns: rows, channels: other } : { columns, channels }) }
    const nibbles = new Nibbles()
    let at = 0
    return (bytes) => {
      const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
      const integers = new Int8Array(this.#buffer, 0, values.length)
      integersOf(values, at, laid, integers)
      at += values.length
      if (kind === 'int8') sink(new Uint8Array(this.#buffer, 0, values.length))
      else sink(this.#packed.subarray(0, nibbles.pack(integers, this.#packed, at === rows * columns)))
    }
  }

  #encode(
    values: Float32Array,
    encoding: Exclude<Encoding, IntegerEncoding | BlockEncoding | { readonly kind: 'f32' }>,
  ): Uint8Array {
    const n = values.length
    if (encoding.kind === 'f16') {
      toHalf(values, new Uint16Array(this.#buffer, 0, n))
      return new Uint8Array(this.#buffer, 0, 2 * n)
    }
    const { scale, min } = encoding
    const wide = encoding.dtype === 'uint16'
    // Uint8ClampedArray clamps values that rounding pushes past the ends.
    const out = wide ? new Uint16Array(this.#buffer, 0, n) : new Uint8ClampedArray(this.#buffer, 0, n)
    const top = wide ? 65535 : 255
    for (let i = 0; i < n; i++) out[i] = Math.min(top, Math.max(0, nearest((values[i]! - min) / scale)))
    return new Uint8Array(this.#buffer, 0, n * (wide ? 2 : 1))
  }
}

import type { Parameter } from '../../model/albert.js'
import { storedMatrix } from '../../model/tensors/read.js'
import type { Encoding } from './encoding.js'
import { toHalf } from '../../model/tensors/half.js'
import { PIECE_BYTES } from './transpose.js'
import type { Sink } from './weight-stream.js'

/** Rounds to the nearest integer, halves away from zero, for values within ±2³¹. */
const nearest = (x: number): number => (x < 0 ? (x - 0.5) | 0 : (x + 0.5) | 0)

function int8Of(values: Float32Array, at: number, columns: number, encoding: Encoding, out: Int8Array): void {
  if (encoding.kind !== 'int8') throw new RangeError(encoding.kind)
  const { channels, scales } = encoding
  for (let i = 0; i < values.length;) {
    const column = (at + i) % columns
    const run = Math.min(columns - column, values.length - i)
    if (channels === 'rows') {
      const scale = scales[(at + i - column) / columns]!
      for (let j = i; j < i + run; j++) out[j] = nearest(values[j]! / scale)
    } else {
      for (let j = i, c = column; j < i + run; j++, c++) out[j] = nearest(values[j]! / scales[c]!)
    }
    i += run
  }
}

/** Encodes streams of float32 piece by piece, in buffers that are allocated once. */
export class Encoder {
  readonly #buffer = new ArrayBuffer(PIECE_BYTES / 2)

  /**
   * Wraps `sink` in one that takes float32 and passes on the encoded bytes.
   * @param parameter parameter that is streamed, in stored order if the encoding has channels
   */
  sink(parameter: Parameter, encoding: Encoding, sink: Sink): Sink {
    if (encoding.kind === 'f32') return sink
    const [, columns] = storedMatrix(parameter)
    let at = 0
    return (bytes) => {
      const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
      sink(this.#encode(values, encoding, at, columns))
      at += values.length
    }
  }

  #encode(values: Float32Array, encoding: Encoding, at: number, columns: number): Uint8Array {
    const n = values.length
    switch (encoding.kind) {
      case 'f32':
        return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      case 'f16':
        toHalf(values, new Uint16Array(this.#buffer, 0, n))
        return new Uint8Array(this.#buffer, 0, 2 * n)
      case 'int8':
        int8Of(values, at, columns, encoding, new Int8Array(this.#buffer, 0, n))
        return new Uint8Array(this.#buffer, 0, n)
      case 'affine': {
        const { scale, min } = encoding
        const wide = encoding.dtype === 'uint16'
        // Uint8ClampedArray clamps values that rounding pushes past the ends.
        const out = wide ? new Uint16Array(this.#buffer, 0, n) : new Uint8ClampedArray(this.#buffer, 0, n)
        const top = wide ? 65535 : 255
        for (let i = 0; i < n; i++) out[i] = Math.min(top, Math.max(0, nearest((values[i]! - min) / scale)))
        return new Uint8Array(this.#buffer, 0, n * (wide ? 2 : 1))
      }
    }
  }
}

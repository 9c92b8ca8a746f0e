import type { Precision } from '../../base/artefact-layout.js'
import { elementCount, type TensorSource } from '../../formats/core/source.js'
import type { Parameter } from '../../model/albert.js'
import { storedMatrix } from '../../model/tensors/read.js'
import { LARGEST_HALF } from '../../model/tensors/half.js'
import { BLOCK, blockEncoding, blocksOf, BLOCK_BYTES, type BlockEncoding } from './blocks.js'
import { WeightStream } from './weight-stream.js'

/**
 * Signed, symmetric integers: `value = q · scale`, q in −127 … 127 or −7 … 7, one scale for each channel of the stored
 * matrix. Of four bits two make a byte, the first in its low half.
 */
interface Integers {
  readonly channels: 'rows' | 'columns'
  readonly scales: Float32Array
  /** True if the other factor of its products is quantised too, at run time. */
  readonly dynamic: boolean
}

export type IntegerEncoding = ({ readonly kind: 'int8' } & Integers) | ({ readonly kind: 'int4' } & Integers)

/** Encoding of the elements of one weight in an artefact. */
export type Encoding =
  | { readonly kind: 'f32' }
  | { readonly kind: 'f16' }
  | IntegerEncoding
  | BlockEncoding
  /** `value = q · scale + min`, one scale for the tensor: the quantisation of tfjs. */
  | { readonly kind: 'affine'; readonly dtype: 'uint8' | 'uint16'; readonly scale: number; readonly min: number }

/** Encodings of all weights. */
export interface Encodings {
  /** True if matrices are stored in blocks, and all others in the same order: their inputs last. */
  readonly blocks?: boolean
  /**
   * Encoding of a parameter.
   * @param axis channel axis of the logical matrix: 0 for tables and output heads, 1 for kernels. The first use of a
   *   parameter decides.
   */
  of(parameter: Parameter, axis: 0 | 1): Encoding
}

const F32: Encoding = { kind: 'f32' }
const F16: Encoding = { kind: 'f16' }
export const FLOAT32: Encodings = { of: () => F32 }

/** Bytes of `count` elements, without scales; half a byte for four bits. */
export function encodedBytes(encoding: Encoding, count: number): number {
  if (encoding.kind === 'blocks') return encoding.rows * blocksOf(encoding.inputs) * BLOCK_BYTES
  return Math.ceil(count * elementBytes(encoding))
}

function elementBytes(encoding: Exclude<Encoding, BlockEncoding>): number {
  switch (encoding.kind) {
    case 'f32':
      return 4
    case 'f16':
      return 2
    case 'int8':
      return 1
    case 'int4':
      return 0.5
    case 'affine':
      return encoding.dtype === 'uint8' ? 1 : 2
  }
}

export interface PrecisionOptions {
  /** Do not quantise activations: int8 weights become float32 again when the model is loaded. */
  readonly weightsOnly?: boolean
  /** Keep word, position and token-type embeddings in float32. */
  readonly keepEmbeddings?: boolean
  /** Slots whose weights stay float32. */
  readonly float32Slots?: ReadonlySet<string>
  /** Slots whose weights have eight bits instead of four. */
  readonly int8Slots?: ReadonlySet<string>
  /** Slots whose weights alone are quantised, without the other factor of their products. */
  readonly weightOnlySlots?: ReadonlySet<string>
}

/** Integers of four bits: with a scale for each channel, or for each block but in `wide` weights, which get int8. */
export type FourBits = { readonly by: 'channels' } | { readonly by: 'blocks'; readonly wide: ReadonlySet<Parameter> }

/** Calls `look` for every piece of a parameter, as float32 in stored order. */
function scan(stream: WeightStream, parameter: Parameter, look: (values: Float32Array) => void): void {
  stream.stream(parameter, 'stored', (bytes) => {
    look(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4))
  })
}

function largest(stream: WeightStream, parameter: Parameter): number {
  let most = 0
  scan(stream, parameter, (values) => {
    for (const value of values) {
      const size = Math.abs(value)
      if (size > most) most = size
    }
  })
  return most
}

/** Largest integer of each kind. */
export const LARGEST = { int8: 127, int4: 7 } as const

/** Computes the scale of each row or column of the stored matrix: the largest magnitude becomes `steps`. */
function channelScales(
  stream: WeightStream,
  parameter: Parameter,
  channels: 'rows' | 'columns',
  steps: number,
): Float32Array {
  const [rows, columns] = storedMatrix(parameter)
  const most = new Float32Array(channels === 'rows' ? rows : columns)
  let at = 0
  scan(stream, parameter, (values) => {
    for (let i = 0; i < values.length;) {
      const column = at % columns
      const run = Math.min(columns - column, values.length - i)
      if (channels === 'rows') {
        const row = (at - column) / columns
        let size = most[row]!
        for (let j = i; j < i + run; j++) size = Math.max(size, Math.abs(values[j]!))
        most[row] = size
      } else {
        for (let j = i, c = column; j < i + run; j++, c++) {
          const size = Math.abs(values[j]!)
          if (size > most[c]!) most[c] = size
        }
      }
      i += run
      at += run
    }
  })
  // A channel of zeros gets the scale 1, to avoid division by zero.
  return most.map((size) => (size > 0 ? size / steps : 1))
}

/** Affine quantisation of tfjs; the range always includes zero, so that zeros stay zeros. */
function affine(stream: WeightStream, parameter: Parameter, dtype: 'uint8' | 'uint16'): Encoding {
  let [low, high] = [0, 0]
  scan(stream, parameter, (values) => {
    for (const value of values) {
      if (value < low) low = value
      if (value > high) high = value
    }
  })
  if (low === high) return { kind: 'affine', dtype, scale: 1, min: 0 }
  const steps = dtype === 'uint8' ? 255 : 65535
  const scale = (high - low) / steps
  return { kind: 'affine', dtype, scale, min: Math.round(low / scale) * scale }
}

/** Slot of the table of words, which may also be multiplied. */
export const WORDS = 'embeddings/word_embeddings'

/** True for embedding tables, which are used by lookup. */
const isTable = ({ slot }: Parameter): boolean =>
  /^embeddings\/(word_embeddings|position_embeddings|token_type_embeddings)$/.test(slot)

/** Encodings of one precision; each weight is read when its encoding is first requested. */
export class PlannedEncodings implements Encodings {
  readonly #known = new Map<Parameter, Encoding>()
  readonly #stream: WeightStream

  constructor(
    source: TensorSource,
    readonly precision: Precision,
    readonly options: PrecisionOptions = {},
    readonly fourBits: FourBits = { by: 'channels' },
  ) {
    this.#stream = new WeightStream(source)
  }

  get blocks(): boolean {
    return this.precision === 'int4' && this.fourBits.by === 'blocks'
  }

  /** True if a matrix has four bits if those are asked for. */
  #isNarrow({ slot }: Parameter): boolean {
    return this.precision === 'int4' && this.options.int8Slots?.has(slot) !== true
  }

  /** True if a matrix is stored in blocks: at least one whole block in a row, and of a table no padding. */
  #takesBlocks(parameter: Parameter, axis: 0 | 1): boolean {
    const inputs = parameter.shape[1 - axis] ?? 1
    if (
      !this.blocks ||
      !this.#isNarrow(parameter) ||
      (this.fourBits.by === 'blocks' && this.fourBits.wide.has(parameter))
    )
      return false
    if (parameter.layout === 'grouped' || inputs < BLOCK) return false
    return !isTable(parameter) || (parameter.slot === WORDS && inputs % BLOCK === 0)
  }

  of(parameter: Parameter, axis: 0 | 1): Encoding {
    let known = this.#known.get(parameter)
    if (known === undefined) this.#known.set(parameter, (known = this.#choose(parameter, axis)))
    return known
  }

  #choose(parameter: Parameter, axis: 0 | 1): Encoding {
    const { float32Slots: keep, keepEmbeddings = false, weightsOnly = false, weightOnlySlots: still } = this.options
    const { slot, shape, layout } = parameter
    const small = shape.length < 2 || elementCount(shape) === 0
    if (this.precision === 'f32' || keep?.has(slot) === true) return F32
    if (this.precision === 'f16') {
      return parameter.dtype === 'F16' || largest(this.#stream, parameter) <= LARGEST_HALF ? F16 : F32
    }
    if (small || (keepEmbeddings && isTable(parameter))) return F32
    if (this.precision === 'uint8' || this.precision === 'uint16')
      return affine(this.#stream, parameter, this.precision)
    if (this.#takesBlocks(parameter, axis)) return blockEncoding(this.#stream, parameter, axis)
    const channels = layout !== 'grouped' && (axis === 0) !== (layout === 'transposed') ? 'rows' : 'columns'
    const dynamic = !weightsOnly && !this.blocks && layout !== 'grouped' && still?.has(slot) !== true
    // Kernels take four-bit weights in pairs of inputs.
    const inputs = shape[axis === 1 ? 0 : 1] ?? 1
    const kind = this.#isNarrow(parameter) && !this.blocks && inputs % 2 === 0 && layout !== 'grouped' ? 'int4' : 'int8'
    return { kind, channels, scales: channelScales(this.#stream, parameter, channels, LARGEST[kind]), dynamic }
  }
}

import { malformed } from '../../base/errors.js'
import { elementCount, type TensorInfo, type TensorSource } from '../core/source.js'

/** Suffixes of the names of an int8 matrix's scales, one per column or one per row. */
export const COLUMN_SCALES = '/scale'
export const ROW_SCALES = '/row_scale'
/** Suffix of the name of the scales of a matrix in blocks, one per block. */
export const BLOCK_SCALES = '/block_scale'

/** Elements of a block of four-bit integers. */
const BLOCK = 32
const BLOCK_BYTES = BLOCK / 2
/** Integer that is stored for zero. */
const ZERO = 8

/** Integers with scales. */
interface Scaled {
  /** Scale of element `i`. */
  readonly scaleAt: (i: number) => number
  /** Reads the integers of elements `[from, from + target.length)`. */
  readonly read: (from: number, target: Int8Array) => void
}

/** Presents integers that have scales as float32 (`q · scale`), and all other tensors unchanged. */
class Dequantised implements TensorSource {
  readonly format: string
  readonly files: readonly string[]
  readonly notes: readonly string[]
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly metadata?: ReadonlyMap<string, string>
  readonly #scaled = new Map<string, Scaled>()

  constructor(readonly source: TensorSource) {
    this.format = source.format
    this.files = source.files
    this.notes = source.notes
    if (source.metadata !== undefined) this.metadata = source.metadata
    const inputs = blockInputs(source)
    this.tensors = new Map(
      [...source.tensors].map(([name, info]) => {
        const own = inputs.get(name)
        return [name, own === undefined ? this.#look(name, info) : this.#lookIntoBlocks(info, own)]
      }),
    )
  }

  #scales(name: string): Float32Array {
    const scales = new Float32Array(elementCount(this.source.tensors.get(name)?.shape ?? []))
    this.source.read(name, 0, new Uint8Array(scales.buffer))
    return scales
  }

  #look(name: string, info: TensorInfo): TensorInfo {
    if (info.dtype !== 'I8') return info
    const suffix = [COLUMN_SCALES, ROW_SCALES].find((end) => this.source.tensors.has(name + end))
    if (suffix === undefined) return info
    const scales = this.#scales(name + suffix)
    const columns = suffix === ROW_SCALES ? elementCount(info.shape) / scales.length : scales.length
    const stepAt = (i: number): number => scales[suffix === ROW_SCALES ? Math.floor(i / columns) : i % columns] ?? 0
    const read = (from: number, target: Int8Array): void => {
      this.source.read(name, from, new Uint8Array(target.buffer, target.byteOffset, target.length))
    }
    this.#scaled.set(name, { scaleAt: stepAt, read })
    return { ...info, dtype: 'F32', byteLength: 4 * info.byteLength, stepAt }
  }

  /** A matrix of four-bit integers, whose rows are padded to whole blocks. */
  #lookIntoBlocks(info: TensorInfo, inputs: number): TensorInfo {
    const { name } = info
    const perRow = Math.ceil(inputs / BLOCK)
    const rowBytes = perRow * BLOCK_BYTES
    const rows = info.byteLength / rowBytes
    const given = this.source.tensors.get(name + BLOCK_SCALES)
    if (!Number.isInteger(rows) || rows === 0 || given?.dtype !== 'F32' || elementCount(given.shape) !== rows * perRow)
      throw malformed(`the matrix ${name} is not in blocks of ${BLOCK} with a scale each`, {
        code: 'range-invalid',
        file: info.file,
        tensor: name,
      })
    const scales = this.#scales(name + BLOCK_SCALES)
    const scaleAt = (i: number): number =>
      scales[Math.floor(i / inputs) * perRow + Math.floor((i % inputs) / BLOCK)] ?? 0
    const row = new Uint8Array(rowBytes)
    const read = (from: number, target: Int8Array): void => {
      for (let i = 0; i < target.length;) {
        const column = (from + i) % inputs
        this.source.read(name, ((from + i - column) / inputs) * rowBytes, row)
        const end = Math.min(inputs, column + target.length - i)
        for (let c = column; c < end; c++) target[i++] = ((row[c >> 1]! >> (c % 2 === 0 ? 0 : 4)) & 15) - ZERO
      }
    }
    this.#scaled.set(name, { scaleAt, read })
    const stepAt = (i: number): number => Math.abs(scaleAt(i))
    return { ...info, dtype: 'F32', shape: [rows, inputs], byteLength: 4 * rows * inputs, stepAt }
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const scaled = this.#scaled.get(name)
    if (scaled === undefined) {
      this.source.read(name, offset, target)
      return
    }
    if (offset % 4 !== 0 || target.length % 4 !== 0 || target.byteOffset % 4 !== 0)
      throw new RangeError('whole floats only')
    const values = new Float32Array(target.buffer, target.byteOffset, target.length / 4)
    const integers = new Int8Array(values.length)
    const { scaleAt, read } = scaled
    read(offset / 4, integers)
    for (let i = 0, at = offset / 4; i < values.length; i++, at++) values[i] = integers[i]! * scaleAt(at)
  }

  verifyChecksum(name: string): void {
    this.source.verifyChecksum(name)
  }

  close(): void {
    this.source.close()
  }
}

/** Lengths of the rows of matrices in blocks, by name, from the metadata; empty if they cannot be read. */
function blockInputs({ metadata, tensors }: TensorSource): ReadonlyMap<string, number> {
  let parsed: unknown
  try {
    parsed = JSON.parse(metadata?.get('blocks') ?? '{}')
  } catch {
    return new Map()
  }
  return new Map(
    Object.entries(parsed ?? {}).filter(
      (entry): entry is [string, number] =>
        tensors.get(entry[0])?.dtype === 'U8' && Number.isSafeInteger(entry[1]) && entry[1] > 0,
    ),
  )
}

/** `source` with its integers that have scales as float32. */
export const dequantised = (source: TensorSource): TensorSource => new Dequantised(source)

import { elementCount, type TensorInfo, type TensorSource } from '../core/source.js'

/** Suffixes of the names of an int8 matrix's scales, one per column or one per row. */
export const COLUMN_SCALES = '/scale'
export const ROW_SCALES = '/row_scale'

interface Scaled {
  readonly scales: Float32Array
  readonly columns: number
  readonly byRow: boolean
}

/** Presents int8 tensors that have scales as float32 (`q · scale`), and all other tensors unchanged. */
class Dequantised implements TensorSource {
  readonly format: string
  readonly files: readonly string[]
  readonly notes: readonly string[]
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #scaled = new Map<string, Scaled>()

  constructor(readonly source: TensorSource) {
    this.format = source.format
    this.files = source.files
    this.notes = source.notes
    this.tensors = new Map([...source.tensors].map(([name, info]) => [name, this.#look(name, info)]))
  }

  #look(name: string, info: TensorInfo): TensorInfo {
    if (info.dtype !== 'I8') return info
    const suffix = [COLUMN_SCALES, ROW_SCALES].find((end) => this.source.tensors.has(name + end))
    if (suffix === undefined) return info
    const count = elementCount(this.source.tensors.get(name + suffix)?.shape ?? [])
    const columns = suffix === ROW_SCALES ? elementCount(info.shape) / count : count
    const scales = new Float32Array(count)
    this.source.read(name + suffix, 0, new Uint8Array(scales.buffer))
    this.#scaled.set(name, { scales, columns, byRow: suffix === ROW_SCALES })
    const stepAt = (i: number): number => scales[suffix === ROW_SCALES ? Math.floor(i / columns) : i % columns] ?? 0
    return { ...info, dtype: 'F32', byteLength: 4 * info.byteLength, stepAt }
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
    this.source.read(name, offset / 4, new Uint8Array(integers.buffer))
    const { scales, columns, byRow } = scaled
    for (let i = 0, at = offset / 4; i < values.length; i++, at++)
      values[i] = integers[i]! * scales[byRow ? Math.floor(at / columns) : at % columns]!
  }

  verifyChecksum(name: string): void {
    this.source.verifyChecksum(name)
  }

  close(): void {
    this.source.close()
  }
}

/** `source` with its scaled int8 tensors as float32. */
export const dequantised = (source: TensorSource): TensorSource => new Dequantised(source)

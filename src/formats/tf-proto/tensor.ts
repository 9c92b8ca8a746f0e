import { unsupported } from '../../base/errors.js'
import { DTYPE_BYTES, elementCount, type DType } from '../core/source.js'
import { dtypeOf } from './dtypes.js'
import { byteSize, readShape } from './shape.js'
import type { Field, WireReader } from './wire.js'

/**
 * TensorProto, read in place (tensorflow/core/framework/tensor.proto): values are raw (`tensor_content`, packed floats)
 * or packed varints; if there are fewer values than elements, the last value fills the rest.
 */

const SHAPE = 2
const CONTENT = 4
/** Number of the field of typed values, by element type. */
const VALUES: Readonly<Partial<Record<DType, number>>> = {
  F32: 5,
  F64: 6,
  I32: 7,
  I16: 7,
  I8: 7,
  U16: 7,
  U8: 7,
  I64: 10,
  BOOL: 11,
  F16: 13,
  BF16: 13,
  U32: 16,
  U64: 17,
}
/** Varints between two remembered offsets, so that a range is found without reading everything before it. */
const STRIDE = 4096
/** Unpacked values, one per field, each of which is kept with its place; TensorFlow never writes weights so. */
const MAX_RUNS = 1024
const READ_AHEAD = 64 * 1024

interface Run {
  readonly start: number
  readonly end: number
}

/** Type, shape and location of the elements of a message. */
interface StoredElements {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly runs: readonly Run[]
  /** True if values are stored raw, false if as varints. */
  readonly raw: boolean
  /** Offset of the message, for errors. */
  readonly offset: number
}

/** Elements of a message, read by index as little-endian bytes. */
export class StoredTensor implements StoredElements {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly runs: readonly Run[]
  readonly raw: boolean
  readonly offset: number
  readonly byteLength: number
  /** Offset of every `STRIDE`th value, if values are varints. */
  #marks: { readonly run: number; readonly at: number }[] | null = null
  #count = -1

  constructor(
    readonly wire: WireReader,
    { dtype, shape, runs, raw, offset }: StoredElements,
  ) {
    this.dtype = dtype
    this.shape = shape
    this.runs = runs
    this.raw = raw
    this.offset = offset
    this.byteLength = byteSize(dtype, shape)
    if (this.byteLength === Infinity) throw wire.fail(`impossible shape [${shape.join(', ')}]`, offset, 'value-invalid')
  }

  /** Number of stored values. */
  get count(): number {
    if (this.#count < 0) this.#count = this.raw ? this.#rawBytes() / DTYPE_BYTES[this.dtype] : this.#index()
    return this.#count
  }

  #rawBytes(): number {
    return this.runs.reduce((n, { start, end }) => n + end - start, 0)
  }

  /** Compares the number of raw values with the shape, without reading them. */
  check(): void {
    const width = DTYPE_BYTES[this.dtype]
    if (width === 0) return
    const most = elementCount(this.shape)
    const have = this.raw ? this.#rawBytes() : null
    if (have !== null && (have % width !== 0 || have / width > most))
      throw this.wire.fail(
        `a tensor has ${have} bytes, but shape [${this.shape.join(', ')}] of ${this.dtype} takes ${this.byteLength}`,
        this.offset,
        'range-invalid',
      )
  }

  /** Counts the varints and remembers the offset of every `STRIDE`th. */
  #index(): number {
    this.#marks = []
    let count = 0
    const buffer = new Uint8Array(READ_AHEAD)
    this.runs.forEach(({ start, end }, run) => {
      let first = true
      for (let at = start; at < end; at += buffer.length) {
        const bytes = buffer.subarray(0, Math.min(buffer.length, end - at))
        this.wire.bytes.read(at, bytes)
        for (let i = 0; i < bytes.length; i++) {
          if (first && count % STRIDE === 0) this.#marks!.push({ run, at: at + i })
          first = bytes[i]! < 128
          if (first) count++
        }
      }
      if (!first) throw this.wire.fail('a number is cut short', end)
    })
    return count
  }

  /** Fills `target` with whole elements from index `first` on. */
  read(first: number, target: Uint8Array): void {
    const width = DTYPE_BYTES[this.dtype]
    const stored = Math.max(0, Math.min(target.length / width, this.count - first))
    const bytes = target.subarray(0, stored * width)
    if (this.raw) this.#readRaw(first * width, bytes)
    else this.#readVarints(first, bytes, width)
    if (bytes.length === target.length) return
    if (this.count === 0) {
      target.fill(0)
      return
    }
    const last = new Uint8Array(width)
    this.read(this.count - 1, last)
    for (let at = bytes.length; at < target.length; at += width) target.set(last, at)
  }

  #readRaw(offset: number, target: Uint8Array): void {
    let skip = offset
    let done = 0
    for (const { start, end } of this.runs) {
      const length = Math.min(end - start - skip, target.length - done)
      if (length > 0) {
        this.wire.bytes.read(start + skip, target.subarray(done, done + length))
        done += length
      }
      skip = Math.max(0, skip - (end - start))
      if (done === target.length) return
    }
  }

  #readVarints(first: number, target: Uint8Array, width: number): void {
    if (target.length === 0) return
    const view = new DataView(target.buffer, target.byteOffset, target.length)
    const mark = this.#marks![Math.floor(first / STRIDE)]!
    let { run, at } = mark
    let skip = first % STRIDE
    for (let done = 0; done < target.length;) {
      while (at >= this.runs[run]!.end) at = this.runs[++run]!.start
      const { value, next } = this.wire.varint(at)
      at = next
      if (skip > 0) {
        skip--
        continue
      }
      if (width === 8) view.setBigInt64(done, BigInt(value), true)
      else if (width === 4) view.setInt32(done, value, true)
      else if (width === 2) view.setInt16(done, value, true)
      else view.setInt8(done, value)
      done += width
    }
  }
}

/**
 * Scans a TensorProto. For element types that are not read (strings …) only type and shape are known.
 * @param known type and shape, if the message has none (slices of V1 checkpoints)
 * @throws AlbertkitError `malformed` if it cannot be parsed or has more values than elements
 */
export function scanTensor(
  wire: WireReader,
  field: Field,
  known?: { readonly dtype: DType; readonly shape: readonly number[] },
): StoredTensor {
  let number = 0
  let shape: readonly number[] = known?.shape ?? []
  const content: Run[] = []
  const typed = new Map<number, Run[]>()
  for (const part of wire.inside(field)) {
    if (part.number === 1) number = part.value
    else if (part.number === SHAPE && known === undefined) shape = readShape(wire, part, shape)
    else if (part.number === CONTENT) content.push(part)
    else {
      const runs = typed.get(part.number)
      if (runs === undefined) typed.set(part.number, [part])
      else if (runs.length >= MAX_RUNS)
        throw unsupported('a tensor has its values unpacked, one per field', {
          code: 'limit-exceeded',
          file: wire.bytes.path,
          offset: field.start,
        })
      else runs.push(part)
    }
  }
  const dtype = known?.dtype ?? dtypeOf(number)
  if (dtype === null) throw wire.fail(`a tensor has the unknown element type ${number}`, field.start, 'value-invalid')
  const nonEmpty = content.filter(({ start, end }) => end > start)
  const isContent = nonEmpty.length > 0
  const runs = isContent ? nonEmpty.slice(-1) : (typed.get(VALUES[dtype] ?? 0) ?? [])
  const raw = isContent || dtype === 'F32' || dtype === 'F64'
  const tensor = new StoredTensor(wire, { dtype, shape, runs, raw, offset: field.start })
  tensor.check()
  if (isContent && DTYPE_BYTES[dtype] > 0 && tensor.count !== elementCount(shape))
    throw wire.fail(`a tensor has ${tensor.count} values for shape [${shape.join(', ')}]`, field.start, 'range-invalid')
  return tensor
}

import type { ErrorCode } from '../../base/error-codes.js'
import { MAX_RANK } from '../core/limits.js'
import { MAX_RECTANGLES } from '../views/slices.js'
import type { Extent } from './slice-key.js'

/**
 * BundleEntryProto (tensorflow/core/protobuf/tensor_bundle.proto), read without a library: an index has one for each
 * tensor, and an axis or a slice that takes two bytes must not become an object of a hundred.
 */
export interface EntryProto {
  readonly dtype: number
  readonly dims: readonly number[]
  readonly unknownRank: boolean
  readonly shard: number
  readonly offset: number
  readonly size: number
  /** Masked CRC-32C of the stored bytes. */
  readonly crc: number
  readonly slices: readonly (readonly Extent[])[]
}

/** Error in an entry; its message follows "the entry of the tensor …". */
export class EntryError extends Error {
  constructor(
    message: string,
    readonly code: ErrorCode = 'header-invalid',
  ) {
    super(message)
  }
}

const ENTRY = { dtype: 1, shape: 2, shard: 3, offset: 4, size: 5, crc: 6, slice: 7 } as const
const SHAPE = { dim: 2, unknownRank: 3 } as const
const DIM_SIZE = 1
const SLICE_EXTENT = 1
const EXTENT = { start: 1, length: 2 } as const

const VARINT = 0
const EIGHT_BYTES = 1
const BYTES = 2
const FOUR_BYTES = 5

/** Goes through the fields of a message; `value`, or `start` and `end`, are those of the current one. */
class Fields {
  number = 0
  value = 0
  start = 0
  end = 0
  #at: number

  constructor(
    readonly bytes: Uint8Array,
    start: number,
    readonly stop: number,
  ) {
    this.#at = start
  }

  next(): boolean {
    if (this.#at >= this.stop) return false
    const tag = this.#varint()
    const wire = tag & 7
    this.number = Math.floor(tag / 8)
    this.value = 0
    if (this.number <= 0) throw new EntryError('has a field without a number')
    if (wire === VARINT) this.value = this.#varint()
    const length = wire === BYTES ? this.#varint() : wire === FOUR_BYTES ? 4 : wire === EIGHT_BYTES ? 8 : 0
    if (wire !== VARINT && length === 0 && wire !== BYTES) throw new EntryError(`has a field of wire type ${wire}`)
    this.start = this.#at
    this.end = this.#at + length
    if (length < 0 || this.end > this.stop) throw new EntryError('ends within a field')
    if (wire === FOUR_BYTES)
      this.value = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.start).getUint32(0, true)
    this.#at = this.end
    return true
  }

  /** The fields of the message in the current one. */
  inside(): Fields {
    return new Fields(this.bytes, this.start, this.end)
  }

  /** A signed number of 64 bits, inexact beyond 2^53. */
  #varint(): number {
    let value = 0
    let scale = 1
    let large = 0n
    for (let i = 0; i < 10; i++) {
      const byte = this.#at < this.stop ? this.bytes[this.#at++]! : undefined
      if (byte === undefined) throw new EntryError('ends within a number')
      if (i < 7) value += (byte & 127) * scale
      else large += BigInt(byte & 127) << BigInt(7 * i)
      if (byte < 128) return i < 7 ? value : Number(BigInt.asIntN(64, large + BigInt(value)))
      scale *= 128
    }
    throw new EntryError('has a number of more than ten bytes')
  }
}

function readShape(fields: Fields, dims: number[]): boolean {
  let unknownRank = false
  while (fields.next()) {
    if (fields.number === SHAPE.unknownRank) unknownRank = fields.value !== 0
    if (fields.number !== SHAPE.dim) continue
    let size = 0
    for (const dim = fields.inside(); dim.next();) if (dim.number === DIM_SIZE) size = dim.value
    if (dims.push(size) > MAX_RANK) throw new EntryError(`has more than ${MAX_RANK} axes`, 'limit-exceeded')
  }
  return unknownRank
}

function readExtents(fields: Fields): Extent[] {
  const extents: Extent[] = []
  while (fields.next()) {
    if (fields.number !== SLICE_EXTENT) continue
    let start = 0
    let length: number | null = null
    for (const extent = fields.inside(); extent.next();) {
      if (extent.number === EXTENT.start) start = extent.value
      else if (extent.number === EXTENT.length) length = extent.value
    }
    if (extents.push({ start, length }) > MAX_RANK)
      throw new EntryError(`has a slice of more than ${MAX_RANK} axes`, 'limit-exceeded')
  }
  return extents
}

const NO_SLICES: readonly (readonly Extent[])[] = []

/** Parses an entry. @throws EntryError */
export function readEntry(bytes: Uint8Array): EntryProto {
  let [dtype, shard, offset, size, crc] = [0, 0, 0, 0, 0]
  let unknownRank = false
  const dims: number[] = []
  let slices: (readonly Extent[])[] | null = null
  for (const fields = new Fields(bytes, 0, bytes.length); fields.next();) {
    const { number, value } = fields
    if (number === ENTRY.dtype) dtype = value
    else if (number === ENTRY.shape) unknownRank = readShape(fields.inside(), dims) || unknownRank
    else if (number === ENTRY.shard) shard = value
    else if (number === ENTRY.offset) offset = value
    else if (number === ENTRY.size) size = value
    else if (number === ENTRY.crc) crc = value
    else if (number === ENTRY.slice) {
      // Counted before they are read.
      if ((slices ??= []).length >= MAX_RECTANGLES)
        throw new EntryError(`lists more than ${MAX_RECTANGLES} slices`, 'limit-exceeded')
      slices.push(readExtents(fields.inside()))
    }
  }
  return { dtype, dims, unknownRank, shard, offset, size, crc, slices: slices ?? NO_SLICES }
}

import { MAX_RECTANGLES } from '../views/slices.js'
import { readShape, readSlice } from '../tf-proto/shape.js'
import { MemoryBytes, WireReader, type Field } from '../tf-proto/wire.js'
import type { Extent } from './slice-key.js'

/** Messages of an index (tensorflow/core/protobuf/tensor_bundle.proto): one header, and an entry for each tensor. */

/** BundleEntryProto. */
export interface EntryProto {
  readonly dtype: number
  readonly shape: readonly number[]
  readonly shard: number
  readonly offset: number
  readonly size: number
  /** Masked CRC-32C of the stored bytes. */
  readonly crc: number
  readonly slices: readonly (readonly Extent[])[]
}

/** BundleHeaderProto. */
export interface HeaderProto {
  readonly shards: number
  readonly bigEndian: boolean
  /** Oldest version of a reader that the checkpoint asks for. */
  readonly minConsumer: number
  /** Version of the writer. */
  readonly producer: number
  /** Versions of readers that must not read it. */
  readonly badConsumers: readonly number[]
}

const HEADER = { shards: 1, endianness: 2, version: 3 } as const
const VERSION = { producer: 1, minConsumer: 2, badConsumers: 3 } as const
const BIG_ENDIAN = 1
const ENTRY = { dtype: 1, shape: 2, shard: 3, offset: 4, size: 5, crc: 6, slice: 7 } as const

const NO_SLICES: readonly (readonly Extent[])[] = []

/** The low 32 bits of a varint, which TensorFlow takes of one that is longer. */
const int32 = (wire: WireReader, { start, end }: Pick<Field, 'start' | 'end'>): number =>
  wire.small({ start, end: Math.min(end, start + 5) }).reduce((bits, byte, i) => bits | ((byte & 127) << (7 * i)), 0)

/** Numbers of 32 bits of a repeated field: packed, or the one that it has. */
function numbersIn(wire: WireReader, field: Field): number[] {
  if (field.wire !== 2) return [int32(wire, field)]
  const numbers: number[] = []
  for (let at = field.start; at < field.end;) {
    const { next } = wire.varint(at)
    numbers.push(int32(wire, { start: at, end: next }))
    at = next
  }
  return numbers
}

/** Parses the header. @throws AlbertkitError `malformed` */
export function readHeader(path: string, bytes: Uint8Array): HeaderProto {
  const wire = new WireReader(new MemoryBytes(path, bytes), 'header of an index')
  let [shards, endianness, producer, minConsumer] = [0, 0, 0, 0]
  const badConsumers: number[] = []
  for (const field of wire.fields(0, bytes.length)) {
    if (field.number === HEADER.shards) shards = field.value
    else if (field.number === HEADER.endianness) endianness = field.value
    else if (field.number === HEADER.version)
      for (const part of wire.inside(field)) {
        if (part.number === VERSION.producer) producer = int32(wire, part)
        else if (part.number === VERSION.minConsumer) minConsumer = int32(wire, part)
        else if (part.number === VERSION.badConsumers) badConsumers.push(...numbersIn(wire, part))
      }
  }
  return {
    shards,
    bigEndian: endianness === BIG_ENDIAN,
    producer,
    minConsumer,
    badConsumers,
  }
}

/** Parses an entry. @throws AlbertkitError `malformed` */
export function readEntry(path: string, bytes: Uint8Array): EntryProto {
  const wire = new WireReader(new MemoryBytes(path, bytes), 'entry of an index')
  let [dtype, shard, offset, size, crc] = [0, 0, 0, 0, 0]
  let shape: readonly number[] = []
  let slices: (readonly Extent[])[] | null = null
  for (const field of wire.fields(0, bytes.length)) {
    const { number, value } = field
    if (number === ENTRY.dtype) dtype = value
    else if (number === ENTRY.shape) shape = readShape(wire, field, shape)
    else if (number === ENTRY.shard) shard = value
    else if (number === ENTRY.offset) offset = value
    else if (number === ENTRY.size) size = value
    else if (number === ENTRY.crc) crc = wire.fixed32(field)
    else if (number === ENTRY.slice) {
      // Counted before they are read.
      if ((slices ??= []).length >= MAX_RECTANGLES)
        throw wire.fail(`more than ${MAX_RECTANGLES} slices`, field.start, 'limit-exceeded')
      slices.push(readSlice(wire, field))
    }
  }
  return { dtype, shape, shard, offset, size, crc, slices: slices ?? NO_SLICES }
}

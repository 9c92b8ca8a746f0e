import { latin1Text } from '../../base/bytes.js'
import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, unsupported } from '../../base/errors.js'
import { fromBinary, tensorflow } from '../../proto/tensorflow.js'
import type { FilePort } from '../core/file-port.js'
import { withFile } from '../core/file.js'
import { byStart, covers, isWithin } from '../views/slices.js'
import { DTYPE_BYTES, type DType } from '../core/source.js'
import { dtypeOf } from '../tf-proto/dtypes.js'
import { byteSize } from '../tf-proto/shape.js'
import { TableReader } from './table.js'

/** Index of a V2 checkpoint (tensorflow/core/util/tensor_bundle): a header, and one entry per tensor or slice. */

/** Version of TensorBundle that this reader implements (kTensorBundleVersion). */
const BUNDLE_VERSION = 1
/** A sharded checkpoint has tens of files; a forged header has billions. */
const MAX_SHARDS = 100_000

/** Location of a contiguous part of a tensor. */
export interface Piece {
  readonly shard: number
  readonly offset: number
  readonly size: number
  /** Masked CRC-32C of the stored bytes. */
  readonly crc: number
}

/** A rectangle of a partitioned variable. */
export interface Slice extends Piece {
  readonly start: readonly number[]
  readonly extent: readonly number[]
}

export interface BundleEntry {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly byteLength: number
  readonly piece: Piece | null
  /** Slices of a partitioned variable in the order of their starts; otherwise empty. */
  readonly slices: readonly Slice[]
}

export interface BundleIndex {
  readonly shards: number
  readonly bigEndian: boolean
  readonly entries: readonly BundleEntry[]
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Start and length along each axis; an extent without a length covers the axis. */
function extents(slice: tensorflow.TensorSliceProto, shape: readonly number[]): { start: number[]; extent: number[] } {
  const start = slice.extent.map((e) => Number(e.start))
  const extent = slice.extent.map((e, i) =>
    e.hasLength.case === 'length' ? Number(e.hasLength.value) : (shape[i] ?? 0),
  )
  return { start, extent }
}

class IndexReader {
  constructor(readonly file: string) {}

  fail(what: string, tensor?: string, code: ErrorCode = 'header-invalid'): Error {
    return malformed(what, { code, file: this.file, ...(tensor === undefined ? {} : { tensor }) })
  }

  header(value: Uint8Array): { shards: number; bigEndian: boolean } {
    const header = this.parse(() => fromBinary(tensorflow.BundleHeaderProtoSchema, value), 'the header')
    const { numShards } = header
    if (numShards < 1 || numShards > MAX_SHARDS)
      throw this.fail(
        `the header says ${numShards} shards`,
        undefined,
        numShards < 1 ? 'value-invalid' : 'limit-exceeded',
      )
    if ((header.version?.minConsumer ?? 0) > BUNDLE_VERSION) {
      throw unsupported(`the checkpoint asks for a reader of version ${String(header.version?.minConsumer)}`, {
        code: 'format-unsupported',
        file: this.file,
      })
    }
    return { shards: numShards, bigEndian: header.endianness === tensorflow.BundleHeaderProto_Endianness.BIG }
  }

  parse<T>(body: () => T, what: string, tensor?: string): T {
    try {
      return body()
    } catch (error) {
      throw this.fail(`${what} cannot be parsed as a protocol buffer (${(error as Error).message})`, tensor)
    }
  }

  shape(proto: tensorflow.TensorShapeProto | undefined, name: string): number[] {
    const dims = (proto?.dim ?? []).map((d) => Number(d.size))
    if (proto?.unknownRank === true || dims.some((d) => d < 0 || d > Number.MAX_SAFE_INTEGER))
      throw this.fail(`impossible shape [${dims.join(', ')}]`, name, 'value-invalid')
    return dims
  }

  piece(entry: tensorflow.BundleEntryProto, shards: number, name: string): Piece {
    const offset = Number(entry.offset)
    const size = Number(entry.size)
    if (entry.shardId < 0 || entry.shardId >= shards)
      throw this.fail(`the tensor lies in shard ${entry.shardId} of ${shards}`, name, 'range-invalid')
    if (offset < 0 || size < 0 || offset + size > Number.MAX_SAFE_INTEGER)
      throw this.fail(`the tensor lies at byte ${offset}, ${size} bytes long`, name, 'range-invalid')
    return { shard: entry.shardId, offset, size, crc: entry.crc32c }
  }

  dtype(number: number, name: string): DType {
    const dtype = dtypeOf(number)
    if (dtype === null) throw this.fail(`the tensor has the unknown element type ${number}`, name, 'value-invalid')
    return dtype
  }
}

/**
 * Reads the index of a bundle. Every entry is checked against its shape before anything is allocated for it.
 * @throws AlbertkitError `malformed` naming file and tensor
 */
export const readIndex = (files: FilePort, path: string, checksum: boolean): BundleIndex =>
  withFile(files, path, (file) => parseIndex(path, new TableReader(file, checksum)))

function parseIndex(path: string, table: TableReader): BundleIndex {
  const reader = new IndexReader(path)
  let head: { shards: number; bigEndian: boolean } | null = null
  const plain: { name: string; key: Uint8Array; entry: tensorflow.BundleEntryProto }[] = []
  /** Slices by their key, which begins with a zero byte (checkpoint::EncodeTensorNameSlice). */
  const sliced = new Map<string, tensorflow.BundleEntryProto>()
  for (const { key, value } of table.entries()) {
    if (key.length === 0) {
      head = reader.header(value)
      continue
    }
    const isSlice = key[0] === 0
    let name = latin1Text(key)
    if (!isSlice) {
      try {
        name = utf8.decode(key)
      } catch {
        throw reader.fail('the name of a tensor is not UTF-8', name)
      }
    }
    const entry = reader.parse(
      () => fromBinary(tensorflow.BundleEntryProtoSchema, value),
      'the entry of the tensor',
      name,
    )
    if (isSlice) sliced.set(name, entry)
    else plain.push({ name, key, entry })
  }
  if (head === null) throw reader.fail('the index has no header')
  const { shards, bigEndian } = head
  const entries = plain.map(({ name, key, entry }): BundleEntry => {
    const dtype = reader.dtype(entry.dtype, name)
    const shape = reader.shape(entry.shape, name)
    const size = byteSize(dtype, shape)
    if (size === Infinity) throw reader.fail(`impossible shape [${shape.join(', ')}]`, name, 'value-invalid')
    if (entry.slices.length > 0)
      return {
        name,
        dtype,
        shape,
        byteLength: size,
        piece: null,
        slices: readSlices(reader, { name, key, entry, shape, dtype }, sliced, shards),
      }
    const piece = reader.piece(entry, shards, name)
    if (DTYPE_BYTES[dtype] > 0 && piece.size !== size)
      throw reader.fail(
        `the tensor is ${piece.size} bytes long, but shape [${shape.join(', ')}] of ${dtype} takes ${size}`,
        name,
        'range-invalid',
      )
    return { name, dtype, shape, byteLength: DTYPE_BYTES[dtype] > 0 ? size : piece.size, piece, slices: [] }
  })
  return { shards, bigEndian, entries }
}

/** Entry under the plain name of a tensor; that of a partitioned variable lists its slices. */
interface PlainEntry {
  readonly name: string
  readonly key: Uint8Array
  readonly entry: tensorflow.BundleEntryProto
  readonly shape: readonly number[]
  readonly dtype: DType
}

function readSlices(
  reader: IndexReader,
  { name, key, entry, shape, dtype }: PlainEntry,
  sliced: ReadonlyMap<string, tensorflow.BundleEntryProto>,
  shards: number,
): Slice[] {
  const slices = entry.slices.map((proto): Slice => {
    const { start, extent } = extents(proto, shape)
    if (!isWithin({ start, extent }, shape))
      throw reader.fail('the tensor has a slice outside its shape', name, 'range-invalid')
    const found = sliced.get(latin1Text(sliceKey(key, proto)))
    if (found === undefined) throw reader.fail(`the tensor lacks its slice from [${start.join(', ')}]`, name)
    const piece = reader.piece(found, shards, name)
    if (piece.size !== byteSize(dtype, extent))
      throw reader.fail(
        `the tensor has a slice of ${piece.size} bytes for [${extent.join(', ')}] of ${dtype}`,
        name,
        'range-invalid',
      )
    return { ...piece, start, extent }
  })
  if (!covers(slices, shape)) throw reader.fail('the slices of the tensor do not cover it', name, 'range-invalid')
  return slices.sort(byStart)
}

/**
 * OrderedCode's encoding of a string: 0x00 becomes 00 FF, 0xFF becomes FF 00, and 00 01 ends it
 * (tensorflow/core/lib/strings/ordered_code.cc).
 */
function orderedString(bytes: Uint8Array): number[] {
  const out: number[] = []
  for (const byte of bytes) {
    out.push(byte)
    if (byte === 0) out.push(0xff)
    else if (byte === 0xff) out.push(0)
  }
  return [...out, 0, 1]
}

/** OrderedCode's increasing unsigned number: its length in bytes, then the bytes, big-endian. */
function orderedNumber(n: number): number[] {
  const bytes: number[] = []
  for (let rest = n; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [bytes.length, ...bytes]
}

/** OrderedCode's increasing signed number: sign and length bits first, then two's complement, big-endian. */
function orderedSigned(n: number): number[] {
  if (n >= -64 && n < 64) return [(n & 0xff) ^ 0x80]
  const magnitude = BigInt(n < 0 ? -n - 1 : n)
  let length = 2
  while (magnitude >= 1n << BigInt(7 * length - 1)) length++
  const header = length < 8 ? [0xff & (0xff << (8 - length))] : [0xff, 0xff & (0xff << (16 - length))]
  let bits = BigInt.asUintN(8 * length, BigInt(n))
  const out = new Array<number>(length).fill(0)
  for (let i = length - 1; i >= 0; i--, bits >>= 8n) out[i] = Number(bits & 255n)
  if (n < 0) header.forEach((mask, i) => (out[i] = (out[i] ?? 0) & (0xff ^ mask)))
  else header.forEach((mask, i) => (out[i] = (out[i] ?? 0) | mask))
  return out
}

/**
 * Key of a slice: 0, name, rank, then start and length along each axis, 0 and −1 if the slice covers the axis
 * (tensorflow/core/util/saved_tensor_slice_util.cc).
 */
function sliceKey(name: Uint8Array, slice: tensorflow.TensorSliceProto): Uint8Array {
  const parts = slice.extent.flatMap((e) =>
    e.hasLength.case === 'length'
      ? [...orderedSigned(Number(e.start)), ...orderedSigned(Number(e.hasLength.value))]
      : [...orderedSigned(0), ...orderedSigned(-1)],
  )
  return Uint8Array.from([...orderedNumber(0), ...orderedString(name), ...orderedNumber(slice.extent.length), ...parts])
}

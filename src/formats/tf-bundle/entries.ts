import { latin1Text, utf8Bytes } from '../../base/bytes.js'
import type { ErrorCode } from '../../base/error-codes.js'
import { AlbertkitError, malformed, unsupported } from '../../base/errors.js'
import type { FilePort } from '../core/file-port.js'
import { withFile } from '../core/file.js'
import { limitError, MAX_SHARDS, NameBudget } from '../core/limits.js'
import { DTYPE_BYTES, type DType } from '../core/source.js'
import { byStart, covers, isWithin, MAX_RECTANGLES } from '../views/slices.js'
import { dtypeOf } from '../tf-proto/dtypes.js'
import { byteSize } from '../tf-proto/shape.js'
import { readEntry, readHeader, type EntryProto } from './entry-proto.js'
import { sliceKeys } from './slice-key.js'
import { TableReader } from './table.js'

/** Index of a V2 checkpoint (tensorflow/core/util/tensor_bundle): a header, and one entry per tensor or slice. */

/** Version of TensorBundle that this reader implements (kTensorBundleVersion). */
const BUNDLE_VERSION = 1
/** Bytes of the header, which has three fields. */
const MAX_HEADER_BYTES = 4096

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

class IndexReader {
  constructor(readonly file: string) {}

  fail(what: string, tensor?: string, code: ErrorCode = 'header-invalid'): Error {
    return malformed(what, { code, file: this.file, ...(tensor === undefined ? {} : { tensor }) })
  }

  /** Parses a message of the index; an error names the tensor, and no byte: a place within the message says nothing. */
  parse<T>(body: () => T, tensor?: string): T {
    try {
      return body()
    } catch (error) {
      if (!(error instanceof AlbertkitError)) throw error
      throw this.fail(error.message, tensor, error.code === 'file-truncated' ? 'header-invalid' : error.code)
    }
  }

  header(value: Uint8Array): { shards: number; bigEndian: boolean } {
    if (value.length > MAX_HEADER_BYTES) throw this.fail('the header is too long', undefined, 'limit-exceeded')
    const { shards, bigEndian, minConsumer } = this.parse(() => readHeader(this.file, value))
    if (shards < 1 || shards > MAX_SHARDS)
      throw this.fail(`the header says ${shards} shards`, undefined, shards < 1 ? 'value-invalid' : 'limit-exceeded')
    if (minConsumer > BUNDLE_VERSION) {
      throw unsupported(`the checkpoint asks for a reader of version ${minConsumer}`, {
        code: 'format-unsupported',
        file: this.file,
      })
    }
    return { shards, bigEndian }
  }

  entry(value: Uint8Array, name: string): EntryProto {
    return this.parse(() => readEntry(this.file, value), name)
  }

  piece({ offset, size, shard, crc }: EntryProto, shards: number, name: string): Piece {
    if (shard < 0 || shard >= shards)
      throw this.fail(`the tensor lies in shard ${shard} of ${shards}`, name, 'range-invalid')
    if (offset < 0 || size < 0 || offset + size > Number.MAX_SAFE_INTEGER)
      throw this.fail(`the tensor lies at byte ${offset}, ${size} bytes long`, name, 'range-invalid')
    return { shard, offset, size, crc }
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

/** Entries of an index as they are stored. */
interface Listed {
  readonly shards: number
  readonly bigEndian: boolean
  readonly plain: readonly { readonly name: string; readonly entry: EntryProto }[]
  /** Slices by their key, which begins with a zero byte (checkpoint::EncodeTensorNameSlice). */
  readonly sliced: ReadonlyMap<string, EntryProto>
}

function listEntries(reader: IndexReader, table: TableReader): Listed {
  let head: { shards: number; bigEndian: boolean } | null = null
  const plain: { name: string; entry: EntryProto }[] = []
  const sliced = new Map<string, EntryProto>()
  // Of tensors and of their slices, which have the name in their keys.
  const names = new NameBudget(limitError(reader.file))
  const keys = new NameBudget(limitError(reader.file))
  for (const { key, value } of table.entries()) {
    if (key.length === 0) {
      head = reader.header(value)
      continue
    }
    const isSlice = key[0] === 0
    ;(isSlice ? keys : names).add(key.length)
    let name = latin1Text(key)
    if (!isSlice) {
      try {
        name = utf8.decode(key)
      } catch {
        throw reader.fail('the name of a tensor is not UTF-8', name)
      }
    }
    const entry = reader.entry(value, name)
    if (isSlice) sliced.set(name, entry)
    else plain.push({ name, entry })
  }
  if (head === null) throw reader.fail('the index has no header')
  return { ...head, plain, sliced }
}

function parseIndex(path: string, table: TableReader): BundleIndex {
  const reader = new IndexReader(path)
  const { shards, bigEndian, plain, sliced } = listEntries(reader, table)
  const entries = plain.map(({ name, entry }): BundleEntry => {
    const dtype = reader.dtype(entry.dtype, name)
    const shape = entry.shape
    const size = byteSize(dtype, shape)
    if (size === Infinity) throw reader.fail(`impossible shape [${shape.join(', ')}]`, name, 'value-invalid')
    if (entry.slices.length > 0) {
      const slices = readSlices(reader, { name, entry, shape, dtype }, sliced, shards)
      return { name, dtype, shape, byteLength: size, piece: null, slices }
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
  readonly entry: EntryProto
  readonly shape: readonly number[]
  readonly dtype: DType
}

function readSlices(
  reader: IndexReader,
  { name, entry, shape, dtype }: PlainEntry,
  sliced: ReadonlyMap<string, EntryProto>,
  shards: number,
): Slice[] {
  if (entry.slices.length > MAX_RECTANGLES)
    throw reader.fail(`the tensor has ${entry.slices.length} slices`, name, 'limit-exceeded')
  const keyOf = sliceKeys(utf8Bytes(name))
  const slices = entry.slices.map((extents): Slice => {
    const start = extents.map((e) => e.start)
    // An extent without a length covers the axis.
    const extent = extents.map((e, i) => e.length ?? shape[i] ?? 0)
    if (!isWithin({ start, extent }, shape))
      throw reader.fail('the tensor has a slice outside its shape', name, 'range-invalid')
    const found = sliced.get(latin1Text(keyOf(extents)))
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

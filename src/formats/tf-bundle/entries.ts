import { latin1Text, utf8Bytes } from '../../base/bytes.js'
import type { ErrorCode } from '../../base/error-codes.js'
import { AlbertkitError, malformed, unsupported } from '../../base/errors.js'
import type { FilePort } from '../core/file-port.js'
import { withFile } from '../core/file.js'
import { limitError, MAX_SHARDS, NameBudget } from '../core/limits.js'
import { DTYPE_BYTES, type DType, type TensorInfo } from '../core/source.js'
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

export interface BundleEntry extends TensorInfo {
  /** That of the index, until the data files are known. */
  file: string
  readonly piece: Piece | null
  /** Slices of a partitioned variable in the order of their starts; otherwise empty. */
  readonly slices: readonly Slice[]
}

export interface BundleIndex {
  readonly shards: number
  readonly bigEndian: boolean
  readonly entries: readonly BundleEntry[]
}

const NONE: readonly Slice[] = []

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
    const { shards, bigEndian, producer, minConsumer, badConsumers } = this.parse(() => readHeader(this.file, value))
    if (shards < 1 || shards > MAX_SHARDS)
      throw this.fail(`the header says ${shards} shards`, undefined, shards < 1 ? 'value-invalid' : 'limit-exceeded')
    if (producer < 0) throw this.fail(`the header says version ${producer} of the writer`, undefined, 'value-invalid')
    if (badConsumers.includes(BUNDLE_VERSION))
      throw unsupported(`the checkpoint forbids readers of version ${BUNDLE_VERSION}`, {
        code: 'format-unsupported',
        file: this.file,
      })
    if (minConsumer > BUNDLE_VERSION) {
      throw unsupported(`the checkpoint asks for a reader of version ${minConsumer}`, {
        code: 'format-unsupported',
        file: this.file,
      })
    }
    return { shards, bigEndian }
  }

  name(key: Uint8Array): string {
    try {
      return utf8.decode(key)
    } catch {
      throw this.fail('the name of a tensor is not UTF-8', latin1Text(key))
    }
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

  /** Checks an entry against its shape; its slices, if it has some, are read later. */
  tensor(entry: EntryProto, name: string, shards: number): BundleEntry {
    const dtype = this.dtype(entry.dtype, name)
    const { shape } = entry
    const size = byteSize(dtype, shape)
    if (size === Infinity) throw this.fail(`impossible shape [${shape.join(', ')}]`, name, 'value-invalid')
    const { file } = this
    if (entry.slices.length > 0) return { name, dtype, shape, byteLength: size, file, piece: null, slices: NONE }
    const piece = this.piece(entry, shards, name)
    if (DTYPE_BYTES[dtype] > 0 && piece.size !== size)
      throw this.fail(
        `the tensor is ${piece.size} bytes long, but shape [${shape.join(', ')}] of ${dtype} takes ${size}`,
        name,
        'range-invalid',
      )
    return { name, dtype, shape, byteLength: piece.size, file, piece, slices: NONE }
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

/** Entries with slices, of which each is an entry of its own. */
interface Sliced extends PlainEntry {
  /** Position among all entries. */
  readonly at: number
}

function parseIndex(path: string, table: TableReader): BundleIndex {
  const reader = new IndexReader(path)
  let head: { shards: number; bigEndian: boolean } | null = null
  const entries: BundleEntry[] = []
  const parted: Sliced[] = []
  // Slices by their key, which begins with a zero byte (checkpoint::EncodeTensorNameSlice).
  const slices = new Map<string, EntryProto>()
  // Of tensors and of their slices, which have the name in their keys.
  const names = new NameBudget(limitError(path))
  const keys = new NameBudget(limitError(path))
  for (const { key, value } of table.entries()) {
    if (key.length === 0) {
      head = reader.header(value)
      continue
    }
    if (head === null) break
    if (key[0] === 0) {
      keys.add(key.length)
      const name = latin1Text(key)
      slices.set(name, reader.entry(value, name))
      continue
    }
    names.add(key.length)
    const name = reader.name(key)
    const entry = reader.entry(value, name)
    const whole = reader.tensor(entry, name, head.shards)
    if (entry.slices.length > 0) parted.push({ ...whole, entry, at: entries.length })
    entries.push(whole)
  }
  if (head === null) throw reader.fail('the index has no header')
  // TensorFlow takes a slice that no tensor lists for a tensor.
  if (slices.size > parted.reduce((n, { entry }) => n + entry.slices.length, 0))
    throw reader.fail('the index has a slice that no tensor lists')
  for (const one of parted)
    entries[one.at] = { ...entries[one.at]!, slices: readSlices(reader, one, slices, head.shards) }
  return { ...head, entries }
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

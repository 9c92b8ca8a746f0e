import { existsSync } from 'node:fs'
import { malformed, unsupported } from '../../errors.js'
import { crcOf, maskCrc } from '../crc32c.js'
import { RangedFile } from '../file.js'
import { DTYPE_BYTES, type OpenOptions, type TensorInfo, type TensorSource } from '../source.js'
import { readIndex, type BundleEntry, type Piece } from './entries.js'

/** Checksums are computed in pieces of this size, whatever the tensor's. */
const PIECE = 4 * 1024 * 1024

export const shardPath = (prefix: string, shard: number, shards: number): string =>
  `${prefix}.data-${String(shard).padStart(5, '0')}-of-${String(shards).padStart(5, '0')}`

/** A TensorFlow V2 checkpoint: `<prefix>.index` and its data files. */
class BundleSource implements TensorSource {
  readonly format = 'tf-bundle'
  readonly files: readonly string[]
  readonly notes: readonly string[]
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #entries: ReadonlyMap<string, BundleEntry>
  readonly #shards: readonly (RangedFile | null)[]
  readonly #bigEndian: boolean
  readonly #checksum: boolean
  readonly #verified = new Set<string>()
  #buffer: Uint8Array | null = null

  constructor(prefix: string, options: OpenOptions) {
    const indexFile = `${prefix}.index`
    this.#checksum = options.checksum !== false
    const index = readIndex(indexFile, this.#checksum)
    this.#bigEndian = index.bigEndian
    const used = new Set(
      index.entries.flatMap((e) => [e.piece, ...e.slices].flatMap((p) => (p === null ? [] : [p.shard]))),
    )
    const paths = Array.from({ length: Math.max(0, ...used) + 1 }, (_, shard) => shardPath(prefix, shard, index.shards))
    const absent = paths.filter((path, shard) => used.has(shard) && !existsSync(path))
    if (absent.length > 0 && options.allowMissingData !== true) {
      throw malformed('a data file of the checkpoint is missing', {
        file: absent[0] ?? prefix,
        hint: 'a checkpoint is its .index and every .data-… file together: fetch the rest',
      })
    }
    this.#shards = paths.map((path, shard) => (used.has(shard) && existsSync(path) ? new RangedFile(path) : null))
    this.files = [indexFile, ...paths.filter((_, shard) => this.#shards[shard] != null)]
    this.notes = [
      ...(absent.length > 0 ? ['the data is missing: only names and shapes are known'] : []),
      ...(index.bigEndian ? ['written on a big-endian machine'] : []),
    ]
    this.#entries = new Map(index.entries.map((e) => [e.name, e]))
    this.tensors = new Map(
      index.entries.map((e) => [
        e.name,
        { name: e.name, dtype: e.dtype, shape: e.shape, byteLength: e.byteLength, file: this.#fileOf(e) ?? indexFile },
      ]),
    )
    this.#checkRanges(index.entries)
  }

  #fileOf(entry: BundleEntry): string | undefined {
    return this.#shards[(entry.piece ?? entry.slices[0])?.shard ?? 0]?.path
  }

  /** Before any byte is read: every tensor lies within its file. */
  #checkRanges(entries: readonly BundleEntry[]): void {
    for (const entry of entries) {
      for (const piece of entry.piece === null ? entry.slices : [entry.piece]) {
        const file = this.#shards[piece.shard]
        if (file == null || piece.offset + piece.size <= file.size) continue
        const { path, size } = file
        this.close()
        throw malformed(`the data file ends at byte ${size}, but the tensor runs to ${piece.offset + piece.size}`, {
          file: path,
          tensor: entry.name,
          offset: piece.offset,
          hint: 'the data file is truncated: fetch it again',
        })
      }
    }
  }

  #entry(name: string): BundleEntry {
    const entry = this.#entries.get(name)
    if (entry === undefined) throw new RangeError(`no tensor named ${name}`)
    return entry
  }

  #shard(piece: Piece, name: string): RangedFile {
    const file = this.#shards[piece.shard]
    if (file == null) throw malformed('the data of the tensor is missing', { file: this.files[0] ?? '', tensor: name })
    return file
  }

  verifyChecksum(name: string): void {
    if (!this.#checksum || this.#verified.has(name)) return
    const entry = this.#entry(name)
    // A string tensor's checksum covers lengths and bytes in an order of its own; strings are not weights.
    if (DTYPE_BYTES[entry.dtype] > 0)
      for (const piece of entry.piece === null ? entry.slices : [entry.piece]) this.#verify(piece, name)
    this.#verified.add(name)
  }

  #verify(piece: Piece, name: string): void {
    const file = this.#shard(piece, name)
    this.#buffer ??= new Uint8Array(PIECE)
    let crc = 0
    for (let done = 0; done < piece.size; done += PIECE) {
      const bytes = this.#buffer.subarray(0, Math.min(PIECE, piece.size - done))
      file.read(piece.offset + done, bytes)
      crc = crcOf(bytes, crc)
    }
    if (maskCrc(crc) === piece.crc) return
    throw malformed('the bytes of the tensor do not have their CRC-32C', {
      file: file.path,
      tensor: name,
      offset: piece.offset,
      hint: 'the data file is damaged: fetch it again; --no-checksum reads it as it is',
    })
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const entry = this.#entry(name)
    if (DTYPE_BYTES[entry.dtype] === 0)
      throw unsupported(`${entry.dtype.toLowerCase()} tensors are no weights`, {
        file: this.files[0] ?? '',
        tensor: name,
      })
    if (offset < 0 || offset + target.length > entry.byteLength)
      throw new RangeError(`${name}: range outside the tensor`)
    this.verifyChecksum(name)
    if (entry.piece !== null) this.#shard(entry.piece, name).read(entry.piece.offset + offset, target)
    else this.#readSliced(entry, offset, target)
    if (this.#bigEndian) swapBytes(target, DTYPE_BYTES[entry.dtype])
  }

  /** Puts a range of a partitioned variable together: runs along the last axis, each within one slice. */
  #readSliced(entry: BundleEntry, offset: number, target: Uint8Array): void {
    const { shape, slices, name } = entry
    const width = DTYPE_BYTES[entry.dtype]
    const strides = shape.map((_, i) => shape.slice(i + 1).reduce((n, d) => n * d, 1))
    let done = 0
    while (done < target.length) {
      const element = (offset + done) / width
      const index = strides.map((stride, i) => Math.floor(element / stride) % (shape[i] ?? 1))
      const slice = slices.find((s) =>
        s.start.every((from, i) => (index[i] ?? 0) >= from && (index[i] ?? 0) < from + (s.extent[i] ?? 0)),
      )
      if (slice === undefined)
        throw malformed('no slice covers a part of the tensor', { file: this.files[0] ?? '', tensor: name })
      const { at, run } = placeInSlice(index, shape, slice)
      const bytes = Math.min(run * width, target.length - done)
      this.#shard(slice, name).read(slice.offset + at * width, target.subarray(done, done + bytes))
      done += bytes
    }
  }

  close(): void {
    for (const shard of this.#shards) shard?.close()
  }
}

/** Element number of `index` within a slice, and how many elements follow it there in the order of the whole tensor. */
function placeInSlice(
  index: readonly number[],
  shape: readonly number[],
  slice: { start: readonly number[]; extent: readonly number[] },
): { at: number; run: number } {
  let at = 0
  for (let i = 0; i < shape.length; i++) at = at * (slice.extent[i] ?? 1) + (index[i] ?? 0) - (slice.start[i] ?? 0)
  let run = 1
  let size = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    const extent = slice.extent[i] ?? 1
    const into = (index[i] ?? 0) - (slice.start[i] ?? 0)
    // Positions left along this axis, less what the inner axes have used up of the current one.
    run = (extent - into - 1) * size + run
    if (extent !== shape[i]) break
    size *= extent
  }
  return { at, run }
}

/** Big-endian elements of `width` bytes to little-endian, in place. */
function swapBytes(bytes: Uint8Array, width: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (width === 2) buffer.swap16()
  else if (width === 4) buffer.swap32()
  else if (width === 8) buffer.swap64()
}

/**
 * Opens the V2 checkpoint `<prefix>.index`.
 * @throws AlbertkitError `malformed` naming file, tensor and byte; `unsupported` for a later version of the format
 */
export const openBundle = (prefix: string, options: OpenOptions = {}): TensorSource => new BundleSource(prefix, options)

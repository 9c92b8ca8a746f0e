import { malformed, unsupported } from '../../base/errors.js'
import { crc32c, maskCrc } from '../core/checksums.js'
import { isReachable, type FilePort } from '../core/file-port.js'
import { RangedFile } from '../core/file.js'
import { readRectangles } from '../views/slices.js'
import { DTYPE_BYTES, elementCount, type OpenOptions, type TensorSource } from '../core/source.js'
import { inWholeElements, swapBytes } from '../core/byte-order.js'
import { readIndex, type BundleEntry, type Piece } from './entries.js'
import { readStrings } from './strings.js'

/** Bytes per step when checksums are computed, for tensors of any size. */
const PIECE = 4 * 1024 * 1024

export const shardPath = (prefix: string, shard: number, shards: number): string =>
  `${prefix}.data-${String(shard).padStart(5, '0')}-of-${String(shards).padStart(5, '0')}`

/** A TensorFlow V2 checkpoint: `<prefix>.index` and its data files. */
export class BundleSource implements TensorSource {
  readonly format = 'tf-bundle'
  readonly files: readonly string[]
  readonly notes: readonly string[]
  readonly missingFiles: readonly string[]
  readonly tensors: ReadonlyMap<string, BundleEntry>
  readonly #shards: readonly (RangedFile | null)[]
  readonly #bigEndian: boolean
  readonly #checksum: boolean
  readonly #verified = new Set<string>()
  #buffer: Uint8Array | null = null

  constructor(files: FilePort, prefix: string, options: OpenOptions) {
    const indexFile = `${prefix}.index`
    this.#checksum = options.checksum !== false
    const index = readIndex(files, indexFile, this.#checksum)
    this.#bigEndian = index.bigEndian
    const used = new Set<number>()
    for (const { piece, slices } of index.entries)
      for (const { shard } of piece === null ? slices : [piece]) used.add(shard)
    const paths = Array.from({ length: Math.max(0, ...used) + 1 }, (_, shard) => shardPath(prefix, shard, index.shards))
    const absent = paths.filter((path, shard) => used.has(shard) && !isReachable(files, path))
    if (absent.length > 0 && options.allowMissingData !== true) {
      throw malformed('a data file of the checkpoint is missing', {
        code: 'file-missing',
        file: absent[0] ?? prefix,
        hint: 'a checkpoint is its .index and every .data-… file together: fetch the rest',
      })
    }
    this.missingFiles = absent
    const shards: (RangedFile | null)[] = []
    this.#shards = shards
    try {
      paths.forEach((path, shard) => {
        shards.push(used.has(shard) && isReachable(files, path) ? new RangedFile(files, path) : null)
      })
    } catch (error) {
      this.close()
      throw error
    }
    this.files = [indexFile, ...paths.filter((_, shard) => this.#shards[shard] != null)]
    this.notes = [
      ...(absent.length === used.size && absent.length > 0
        ? ['the data is missing: only names and shapes are known']
        : absent.length > 0
          ? [
              `${absent.length} of ${used.size} data files are missing: ` +
                'of their tensors only names and shapes are known',
            ]
          : []),
      ...(index.bigEndian ? ['written on a big-endian machine'] : []),
    ]
    const tensors = new Map<string, BundleEntry>()
    for (const entry of index.entries) {
      entry.file = this.#fileOf(entry) ?? indexFile
      tensors.set(entry.name, entry)
    }
    this.tensors = tensors
    this.#checkRanges(index.entries)
  }

  #fileOf(entry: BundleEntry): string | undefined {
    return this.#shards[(entry.piece ?? entry.slices[0])?.shard ?? 0]?.path
  }

  /** Checks that every tensor lies within its file, before any byte is read. */
  #checkRanges(entries: readonly BundleEntry[]): void {
    for (const entry of entries) {
      for (const piece of entry.piece === null ? entry.slices : [entry.piece]) {
        const file = this.#shards[piece.shard]
        if (file == null || piece.offset + piece.size <= file.size) continue
        const { path, size } = file
        this.close()
        throw malformed(`the data file ends at byte ${size}, but the tensor runs to ${piece.offset + piece.size}`, {
          code: 'file-truncated',
          file: path,
          tensor: entry.name,
          offset: piece.offset,
          hint: 'the data file is truncated: fetch it again',
        })
      }
    }
  }

  #entry(name: string): BundleEntry {
    const entry = this.tensors.get(name)
    if (entry === undefined) throw new RangeError(`no tensor named ${name}`)
    return entry
  }

  #shard(piece: Piece, name: string): RangedFile {
    const file = this.#shards[piece.shard]
    if (file == null)
      throw malformed('the data of the tensor is missing', {
        code: 'file-missing',
        file: this.files[0] ?? '',
        tensor: name,
      })
    return file
  }

  verifyChecksum(name: string): void {
    if (!this.#checksum || this.#verified.has(name)) return
    const { dtype, piece, slices } = this.#entry(name)
    // The checksum of a string tensor covers lengths and bytes in another order (strings.ts).
    if (dtype === 'STRING' && piece !== null) {
      if (!this.#isAbsent(piece)) this.strings(name)
    } else if (dtype !== 'VARIANT') for (const part of piece === null ? slices : [piece]) this.#verify(part, name)
    this.#verified.add(name)
  }

  /** Data files that are absent by permission have nothing to verify; reading from them is an error. */
  #isAbsent(piece: Piece): boolean {
    return this.#shards[piece.shard] == null && this.missingFiles.length > 0
  }

  #verify(piece: Piece, name: string): void {
    if (this.#isAbsent(piece)) return
    const file = this.#shard(piece, name)
    this.#buffer ??= new Uint8Array(PIECE)
    let crc = 0
    for (let done = 0; done < piece.size; done += PIECE) {
      const bytes = this.#buffer.subarray(0, Math.min(PIECE, piece.size - done))
      file.read(piece.offset + done, bytes)
      crc = crc32c(bytes, crc)
    }
    if (maskCrc(crc) === piece.crc) return
    throw malformed('the bytes of the tensor do not have their CRC-32C', {
      code: 'checksum-mismatch',
      file: file.path,
      tensor: name,
      offset: piece.offset,
      hint: 'the data file is damaged: fetch it again; `checksum: false` reads it as it is',
    })
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const entry = this.#entry(name)
    if (DTYPE_BYTES[entry.dtype] === 0)
      throw unsupported(`${entry.dtype.toLowerCase()} tensors are not weights`, {
        code: 'dtype-unsupported',
        file: this.files[0] ?? '',
        tensor: name,
      })
    if (offset < 0 || offset + target.length > entry.byteLength)
      throw new RangeError(`${name}: range outside the tensor`)
    this.verifyChecksum(name)
    const { piece, dtype } = entry
    if (piece !== null && !this.#bigEndian) this.#shard(piece, name).read(piece.offset + offset, target)
    else
      inWholeElements(DTYPE_BYTES[dtype], offset, target, (at, bytes) => {
        this.#readElements(entry, at, bytes)
      })
  }

  /** Reads whole elements from byte `offset` of the tensor on. */
  #readElements({ name, dtype, shape, piece, slices }: BundleEntry, offset: number, target: Uint8Array): void {
    const width = DTYPE_BYTES[dtype]
    if (piece !== null) this.#shard(piece, name).read(piece.offset + offset, target)
    else
      readRectangles({ shape, width, rectangles: slices }, offset / width, target, (slice, at, bytes) => {
        this.#shard(slice, name).read(slice.offset + at * width, bytes)
      })
    if (this.#bigEndian) swapBytes(target, width)
  }

  /** Elements of a string tensor, which has a separate layout (strings.ts). */
  strings(name: string): Uint8Array[] {
    const { piece, shape, dtype } = this.#entry(name)
    if (piece === null || dtype !== 'STRING') throw new RangeError(`${name} holds no strings`)
    return readStrings(this.#shard(piece, name), piece, elementCount(shape), name, this.#checksum)
  }

  close(): void {
    for (const shard of this.#shards) shard?.close()
  }
}

/**
 * Opens the V2 checkpoint `<prefix>.index`.
 * @throws AlbertkitError `malformed` naming file, tensor and byte; `unsupported` for a later version of the format
 */
export const openBundle = (files: FilePort, prefix: string, options: OpenOptions = {}): BundleSource =>
  new BundleSource(files, prefix, options)

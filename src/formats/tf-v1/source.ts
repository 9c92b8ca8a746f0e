import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, unsupported } from '../../base/errors.js'
import { isReachable, type FilePort } from '../core/file-port.js'
import { readRectangles } from '../views/slices.js'
import {
  DTYPE_BYTES,
  elementCount,
  type DType,
  type OpenOptions,
  type TensorInfo,
  type TensorSource,
} from '../core/source.js'
import { byteSize } from '../tf-proto/shape.js'
import { inWholeElements } from '../core/byte-order.js'
import { completeSlices, Shard, type Fail, type ListedTensor, type StoredSlice } from './shard.js'

interface Entry extends TensorInfo {
  readonly slices: readonly StoredSlice[]
}

/** True for element types with readable values; strings are only listed. */
const isRead = (dtype: DType): boolean => DTYPE_BYTES[dtype] > 0

const failAt =
  (file: string, tensor: string): Fail =>
  (what, code: ErrorCode = 'header-invalid') =>
    malformed(what, { code, file, tensor })

class V1Source implements TensorSource {
  readonly format = 'tf-v1'
  readonly files: readonly string[]
  readonly notes: readonly string[]
  readonly missingFiles: readonly string[]
  readonly tensors: ReadonlyMap<string, Entry>
  readonly #shards: Shard[] = []
  readonly #verified = new Set<string>()

  constructor(files: FilePort, paths: readonly string[], { checksum = true, allowMissingData = false }: OpenOptions) {
    this.missingFiles = paths.filter((path) => !isReachable(files, path))
    const [absent] = this.missingFiles
    if (absent !== undefined && !(allowMissingData && this.missingFiles.length < paths.length))
      throw malformed('a file of the checkpoint is missing', {
        code: 'file-missing',
        file: absent,
        hint: `it has ${paths.length} files: fetch the rest`,
      })
    this.files = paths.filter((path) => !this.missingFiles.includes(path))
    try {
      for (const path of this.files) this.#shards.push(new Shard(files, path, checksum))
      this.tensors = this.#merge()
    } catch (error) {
      this.close()
      throw error
    }
    this.notes =
      this.missingFiles.length === 0
        ? []
        : [`${this.missingFiles.length} of ${paths.length} files are missing: what is in them is not known`]
  }

  /** Merges the tensors of all files; a partitioned one may have slices in several. */
  #merge(): Map<string, Entry> {
    const merged = new Map<string, { listed: ListedTensor; file: string; slices: StoredSlice[] }>()
    for (const shard of this.#shards) {
      for (const listed of shard.listed) {
        const { name, dtype, shape } = listed
        const fail = failAt(shard.file.path, name)
        const size = byteSize(dtype, shape)
        if (size === Infinity) throw fail(`impossible shape [${shape.join(', ')}]`, 'value-invalid')
        const slices = isRead(dtype) ? shard.slicesOf(listed, fail) : []
        const other = merged.get(name)
        if (other === undefined) merged.set(name, { listed, file: shard.file.path, slices })
        else if (other.listed.dtype !== dtype || other.listed.shape.join() !== shape.join())
          throw fail(
            `two files say different things of the tensor: ${describe(other.listed)} and ${describe(listed)}`,
            'shard-mismatch',
          )
        else for (const slice of slices) other.slices.push(slice)
      }
    }
    const entries = new Map<string, Entry>()
    for (const [name, { listed, file, slices }] of merged) {
      const { dtype, shape } = listed
      if (isRead(dtype)) this.#checkSlices(listed, slices, failAt(file, name))
      entries.set(name, { name, dtype, shape, byteLength: byteSize(dtype, shape), file, slices })
    }
    return entries
  }

  #checkSlices({ shape }: ListedTensor, slices: StoredSlice[], fail: Fail): void {
    for (const { data, extent } of slices) {
      // The number of varints is not known before they are read.
      const have = data.raw ? data.count : null
      if (have !== null && have !== elementCount(extent))
        throw fail(`the tensor has a slice of ${have} values for [${extent.join(', ')}]`, 'range-invalid')
    }
    if (!completeSlices(slices, shape) && this.missingFiles.length === 0)
      throw fail('the slices of the tensor do not cover it', 'range-invalid')
  }

  #entry(name: string): Entry {
    const entry = this.tensors.get(name)
    if (entry === undefined) throw new RangeError(`no tensor named ${name}`)
    return entry
  }

  verifyChecksum(name: string): void {
    if (this.#verified.has(name)) return
    const { slices, file } = this.#entry(name)
    for (const { shard, block, data, extent } of slices) {
      shard.verify(block)
      if (data.count !== elementCount(extent))
        throw malformed(`the tensor has a slice of ${data.count} values for [${extent.join(', ')}]`, {
          code: 'range-invalid',
          file,
          tensor: name,
          offset: data.offset,
        })
    }
    this.#verified.add(name)
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const { dtype, shape, byteLength, slices, file } = this.#entry(name)
    if (!isRead(dtype))
      throw unsupported(`${dtype.toLowerCase()} tensors are not weights`, {
        code: 'dtype-unsupported',
        file,
        tensor: name,
      })
    if (offset < 0 || offset + target.length > byteLength) throw new RangeError(`${name}: range outside the tensor`)
    this.verifyChecksum(name)
    const width = DTYPE_BYTES[dtype]
    try {
      inWholeElements(width, offset, target, (at, bytes) => {
        readRectangles({ shape, width, rectangles: slices }, at / width, bytes, (slice, first, part) => {
          slice.data.read(first, part)
        })
      })
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw malformed('a part of the tensor is missing', { code: 'file-missing', file, tensor: name, cause: error })
    }
  }

  close(): void {
    for (const shard of this.#shards) shard.file.close()
  }
}

const describe = ({ dtype, shape }: ListedTensor): string => `${dtype} [${shape.join(', ')}]`

/**
 * Opens a V1 checkpoint: one file, or all its shards.
 * @throws AlbertkitError `malformed` naming file, tensor and byte
 */
export const openV1 = (files: FilePort, paths: readonly string[], options: OpenOptions = {}): TensorSource =>
  new V1Source(files, paths, options)

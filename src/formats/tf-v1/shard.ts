import { compareBytes, utf8Bytes } from '../../base/bytes.js'
import { compact } from '../../base/compact.js'
import type { ErrorCode } from '../../base/error-codes.js'
import type { AlbertkitError } from '../../base/errors.js'
import type { FilePort } from '../core/file-port.js'
import { RangedFile } from '../core/file.js'
import { byStart, covers, isWithin, MAX_RECTANGLES, type Rectangle } from '../views/slices.js'
import { limitError, MAX_TENSORS, NameBudget } from '../core/limits.js'
import type { DType } from '../core/source.js'
import { sliceKeys } from '../tf-bundle/slice-key.js'
import { TableReader, type Handle } from '../tf-bundle/table.js'
import { dtypeOf } from '../tf-proto/dtypes.js'
import { readShape, readSlice } from '../tf-proto/shape.js'
import { scanTensor, type StoredTensor } from '../tf-proto/tensor.js'
import { WireReader, type Field } from '../tf-proto/wire.js'

/**
 * One file of a V1 checkpoint: a table; its first value lists the tensors and their slices, its other values are the
 * slices (tensorflow/core/util/saved_tensor_slice.proto, tensor_slice_writer.cc). Only offsets are kept.
 */

/** Limit of the slices of one file, each a separate entry: several for each of the largest number of tensors. */
const MAX_SLICES = 4 * MAX_TENSORS

const WHAT = 'V1 checkpoint'
const META = 1
const DATA = 2
const META_TENSOR = 1
const SLICE_META = { name: 1, shape: 2, type: 3, slice: 4 } as const
const SAVED_SLICE = { name: 1, slice: 2, data: 3 } as const

/** A tensor in the list of a file: its whole shape, and its slices in this file. */
export interface ListedTensor {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly slices: readonly Extents[]
}

/** A slice and the location of its values. */
export interface StoredSlice extends Rectangle {
  readonly data: StoredTensor
  readonly block: Handle
  readonly shard: Shard
}

/** Start and length of a slice along each axis; a length of null: all of the axis. */
type Extents = ReturnType<typeof readSlice>

/** Slices as texts that can be compared, in an order of their own. */
const sorted = (slices: readonly Extents[]): string =>
  slices
    .map((extents) => extents.map(({ start, length }) => `${start}:${length ?? ''}`).join())
    .sort()
    .join(' ')

/** A slice before type and shape of its tensor are known. */
interface FoundSlice {
  readonly extents: Extents
  readonly wire: WireReader
  readonly data: Field
  readonly block: Handle
}

/** Makes the error of a tensor. */
export type Fail = (what: string, code?: ErrorCode) => AlbertkitError

export class Shard {
  readonly listed: readonly ListedTensor[]
  readonly file: RangedFile
  readonly #table: TableReader
  readonly #found = new Map<string, FoundSlice[]>()
  readonly #verified = new Set<number>()

  constructor(files: FilePort, path: string, checksum: boolean) {
    this.file = new RangedFile(files, path)
    this.#table = new TableReader(this.file, checksum, WHAT)
    try {
      this.listed = this.#scan()
    } catch (error) {
      this.file.close()
      throw error
    }
  }

  #scan(): ListedTensor[] {
    const listed = new Map<string, ListedTensor>()
    const names = new NameBudget(limitError(this.file.path))
    let lists = 0
    let slices = 0
    for (const { key, bytes, start, end, block } of this.#table.places()) {
      const wire = new WireReader(bytes, WHAT)
      for (const field of wire.fields(start, end)) {
        // TensorFlow looks up the list by the empty key, and each slice by its key.
        if (field.number === META && key.length === 0) {
          // The list is small and everything depends on it: its block is verified immediately.
          this.verify(block)
          this.#list(wire, field, listed, names)
          lists++
        } else if (field.number === DATA && key.length > 0) {
          if (++slices > MAX_SLICES) throw wire.fail(`more than ${MAX_SLICES} slices`, start, 'limit-exceeded')
          this.#slice(wire, field, block, key)
        }
      }
    }
    if (lists === 0) throw new WireReader(this.file, WHAT).fail('it does not list its tensors', 0)
    return [...listed.values()]
  }

  /** Adds the tensors of a list to `listed`. */
  #list(wire: WireReader, meta: Field, listed: Map<string, ListedTensor>, names: NameBudget): void {
    for (const field of wire.inside(meta)) {
      if (field.number !== META_TENSOR) continue
      let name = ''
      let type = 0
      let shape: number[] = []
      const slices: Extents[] = []
      for (const part of wire.inside(field)) {
        if (part.number === SLICE_META.name) {
          names.add(part.end - part.start)
          name = wire.text(part)
        } else if (part.number === SLICE_META.shape) shape = readShape(wire, part, shape)
        else if (part.number === SLICE_META.type) type = part.value
        else if (part.number === SLICE_META.slice && slices.push(readSlice(wire, part)) > MAX_RECTANGLES)
          throw wire.fail(`the tensor ${name} has more than ${MAX_RECTANGLES} slices`, part.start, 'limit-exceeded')
      }
      const dtype = dtypeOf(type)
      if (dtype === null)
        throw wire.fail(`the tensor ${name} has the unknown element type ${type}`, field.start, 'value-invalid')
      if (listed.has(name)) throw wire.fail(`the tensor ${name} is listed twice`, field.start, 'tensor-duplicate')
      listed.set(name, { name, dtype, shape, slices: compact(slices) })
    }
  }

  #slice(wire: WireReader, field: Field, block: Handle, key: Uint8Array): void {
    let name = ''
    let extents: Extents = []
    let data: Field | null = null
    for (const part of wire.inside(field)) {
      if (part.number === SAVED_SLICE.name) name = wire.text(part)
      else if (part.number === SAVED_SLICE.slice) extents = readSlice(wire, part)
      else if (part.number === SAVED_SLICE.data) data = part
    }
    if (data === null) throw wire.fail(`a slice of ${name} has no data`, field.start)
    if (compareBytes(sliceKeys(utf8Bytes(name))(extents), key) !== 0)
      throw wire.fail(`a slice of ${name} stands under the key of another`, field.start)
    const slices = this.#found.get(name)
    if (slices === undefined) this.#found.set(name, [{ extents, wire, data, block }])
    else slices.push({ extents, wire, data, block })
  }

  /** Slices of a tensor in this file. @throws AlbertkitError if one does not fit the shape */
  slicesOf({ name, dtype, shape, slices }: ListedTensor, fail: Fail): StoredSlice[] {
    const found = this.#found.get(name) ?? []
    if (found.length !== slices.length)
      throw fail(`the file lists ${slices.length} slices of the tensor and has ${found.length}`)
    // TensorFlow looks for those that are listed.
    if (sorted(slices) !== sorted(found.map(({ extents }) => extents)))
      throw fail('the file lists other slices of the tensor than it has')
    return found.map(({ extents, wire, data, block }) => {
      const start = extents.map((e) => e.start)
      const extent = extents.map((e, axis) => e.length ?? shape[axis] ?? -1)
      if (!isWithin({ start, extent }, shape)) throw fail('the tensor has a slice outside its shape', 'range-invalid')
      return { start, extent, data: scanTensor(wire, data, { dtype, shape: extent }), block, shard: this }
    })
  }

  /** Verifies a block once. */
  verify(block: Handle): void {
    if (this.#verified.has(block.offset)) return
    this.#table.verifyBlock(block)
    this.#verified.add(block.offset)
  }
}

/** Sorts the slices of a tensor in place; false if they do not cover it. */
export function completeSlices(slices: StoredSlice[], shape: readonly number[]): boolean {
  slices.sort(byStart)
  return covers(slices, shape)
}

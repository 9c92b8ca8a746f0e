import { latin1Text } from '../../base/bytes.js'
import { malformed, unsupported } from '../../base/errors.js'
import type { FilePort } from '../core/file-port.js'
import { DTYPE_BYTES, elementCount, type DType, type TensorInfo } from '../core/source.js'
import { boxes } from './boxes.js'
import { CLASS, type Hdf5Library, type Hdf5Metadata, type LibraryFile } from './library.js'

/** Models nest some ten groups (Keras' functional models of models some more); a group that holds itself has no end. */
const MAX_DEPTH = 20
/** BERT-large has some 400 datasets; a forged file has millions, or a circle of links. */
const MAX_OBJECTS = 20_000
/** A chunk is read, and unpacked, whole. */
const MAX_CHUNK_BYTES = 64 * 1024 * 1024
/** Weights hardly compress; what grows more than this is made to fill a memory. */
const MAX_GROWTH = 1000
/** Bytes that are asked of the library at a time. */
const PIECE = 1024 * 1024
/** Bytes that must come within the library's deadline. */
const PER_CALL = 8 * PIECE

/** Bytes that the library reads for one element of a dataset that is not in chunks (its sieve buffer). */
const READ_AHEAD = 64 * 1024

/** H5Z: the filters that the library itself has: deflate, shuffle, fletcher32, nbit, scale-offset. */
const FILTERS: ReadonlySet<number> = new Set([1, 2, 3, 5, 6])

export interface Hdf5Entry extends TensorInfo {
  /** Path of the dataset in the file. */
  readonly path: string
  /** True if its elements do not lie in the file one after the other. */
  readonly isChunked: boolean
}

const INTEGERS: Readonly<Record<number, readonly [signed: DType, unsigned: DType]>> = {
  1: ['I8', 'U8'],
  2: ['I16', 'U16'],
  4: ['I32', 'U32'],
  8: ['I64', 'U64'],
}
const FLOATS: Readonly<Record<number, DType>> = { 2: 'F16', 4: 'F32', 8: 'F64' }

function dtypeOf({ type, size, signed }: Hdf5Metadata, named: string | null): DType {
  // HDF5 has no bfloat16: Keras stores it as two opaque bytes with the type in an attribute.
  if (named === 'bfloat16' && size === 2) return 'BF16'
  if (type === CLASS.float) return FLOATS[size] ?? 'OTHER'
  if (type === CLASS.integer) return INTEGERS[size]?.[signed ? 0 : 1] ?? 'OTHER'
  if (type === CLASS.enum && size === 1) return 'BOOL'
  return type === CLASS.string ? 'STRING' : 'OTHER'
}

/** One open HDF5 file: the datasets in it, and their elements by ranges. */
export class Hdf5File {
  readonly entries: ReadonlyMap<string, Hdf5Entry>
  /** Keras layer names, by the path of their group. */
  readonly groupNames: ReadonlyMap<string, string>
  readonly #id: bigint
  readonly #file: LibraryFile
  readonly #size: number
  /** What `#isInRow` has found. */
  readonly #inRow = new Map<Hdf5Entry, boolean>()
  #buffer: number | null = null

  /** @throws AlbertkitError `malformed` or `unsupported` */
  constructor(
    readonly library: Hdf5Library,
    files: FilePort,
    readonly path: string,
  ) {
    this.#file = library.contained({ file: path }, () => library.openFile(files, path))
    this.#id = this.#file.id
    this.#size = this.#file.size
    try {
      const groupNames = new Map<string, string>()
      const datasets = library.contained({ file: path }, () => this.#datasets(groupNames))
      this.entries = new Map(datasets.map((entry) => [entry.name, entry]))
      this.groupNames = groupNames
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Every dataset by its path, the groups gone through one by one, and their `names` noted. */
  #datasets(names: Map<string, string>): Hdf5Entry[] {
    const found: Hdf5Entry[] = []
    const groups = [{ path: '', depth: 0 }]
    let objects = 0
    const place = { file: this.path }
    for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
      const { path: parent, depth } = group
      const what = `the group ${parent === '' ? '/' : parent} cannot be read`
      const children = this.library.call(what, place, (module) =>
        module.get_names(this.#id, parent === '' ? '/' : parent, false),
      )
      for (const name of children) {
        const path = `${parent}/${name}`
        if (++objects > MAX_OBJECTS)
          throw unsupported(`the file has more than ${MAX_OBJECTS} objects`, { code: 'limit-exceeded', ...place })
        const kind = this.library.call(
          `${path.slice(1)} cannot be read`,
          { ...place, tensor: path.slice(1) },
          (module) => {
            const type = module.get_type(this.#id, path)
            return type === module.H5G_GROUP ? 'group' : type === module.H5G_DATASET ? 'dataset' : 'other'
          },
        )
        if (kind === 'dataset') found.push(this.#dataset(path))
        else if (kind === 'group') {
          if (depth === MAX_DEPTH)
            throw unsupported(`groups lie more than ${MAX_DEPTH} deep, or link in a circle: ${path.slice(1)}`, {
              code: 'limit-exceeded',
              ...place,
            })
          groups.push({ path, depth: depth + 1 })
          const named = this.#textAttribute(path, 'name')
          if (named !== null) names.set(path.slice(1), named)
        }
      }
    }
    return found
  }

  /** The dataset at `path`, checked before anything is read or allocated for it. */
  #dataset(path: string): Hdf5Entry {
    const name = path.slice(1)
    const place = { file: this.path, tensor: name }
    const [metadata, filters] = this.library.call('the dataset cannot be read', place, (module) => [
      module.get_dataset_metadata(this.#id, path),
      module.get_dataset_filters(this.#id, path),
    ])
    const { shape, chunks, size } = metadata
    const dtype = shape === null ? 'OTHER' : dtypeOf(metadata, size === 2 ? this.#textAttribute(path, 'dtype') : null)
    const width = DTYPE_BYTES[dtype]
    const dims = shape ?? []
    const byteLength = dims.includes(0) ? 0 : elementCount(dims) * width
    if (!Number.isSafeInteger(byteLength) || dims.some((d) => !Number.isSafeInteger(d) || d < 0))
      throw malformed(`impossible shape [${dims.join(', ')}]`, { code: 'range-invalid', ...place })
    if (metadata.virtual_sources !== undefined)
      throw unsupported('the dataset is put together from other files (virtual dataset)', {
        code: 'format-unsupported',
        ...place,
      })
    const other = filters.find(({ id }) => !FILTERS.has(id))
    if (other !== undefined)
      throw unsupported(`the dataset is compressed with ${other.name === '' ? `filter ${other.id}` : other.name}`, {
        code: 'compression-unsupported',
        ...place,
        hint: 'store it again without, or with gzip',
      })
    if (chunks === null && byteLength > this.#size)
      throw malformed(`the dataset takes ${byteLength} bytes, but the file has ${this.#size}`, {
        code: 'range-invalid',
        ...place,
      })
    if (chunks !== null && elementCount(chunks) * size > MAX_CHUNK_BYTES)
      throw unsupported(`a chunk of the dataset takes ${elementCount(chunks) * size} bytes`, {
        code: 'limit-exceeded',
        ...place,
        hint: `store it in chunks of at most ${MAX_CHUNK_BYTES} bytes`,
      })
    if (chunks !== null && byteLength > MAX_GROWTH * this.#size)
      throw unsupported(`the dataset grows to ${byteLength} bytes from a file of ${this.#size}`, {
        code: 'limit-exceeded',
        ...place,
      })
    return { name, path, dtype, shape: dims, byteLength, file: this.path, isChunked: chunks !== null }
  }

  /** Short text attribute of an object: Keras stores names of layers there, and element types that HDF5 lacks. */
  #textAttribute(path: string, attribute: string): string | null {
    const place = { file: this.path, tensor: path.slice(1) }
    return this.library.call('the attributes cannot be read', place, (module) => {
      if (!module.get_attribute_names(this.#id, path).includes(attribute)) return null
      const { type, vlen, size, total_size } = module.get_attribute_metadata(this.#id, path, attribute)
      if (type !== CLASS.string || total_size !== 1 || size > 64) return null
      const pointer = module._malloc(64)
      try {
        if (module.get_attribute_data(this.#id, path, attribute, BigInt(pointer)) < 0) return null
        const at = vlen ? new DataView(module.HEAPU8.buffer).getUint32(pointer, true) : pointer
        const bytes = module.HEAPU8.subarray(at, at + (vlen ? 64 : size))
        const end = bytes.indexOf(0)
        return latin1Text(end < 0 ? bytes : bytes.subarray(0, end))
      } finally {
        module._free(pointer)
      }
    })
  }

  /** Fills `target` with whole elements from index `first` on, in little-endian order (the library converts). */
  read(entry: Hdf5Entry, first: number, target: Uint8Array): void {
    if (target.length === 0) return
    this.library.contained({ file: this.path, tensor: entry.name }, () => {
      this.#isInRow(entry)
    })
    const width = DTYPE_BYTES[entry.dtype]
    const perCall = Math.floor(PER_CALL / width)
    for (let done = 0; done * width < target.length; done += perCall)
      this.library.contained({ file: this.path, tensor: entry.name }, () => {
        this.#readPieces(entry, first + done, target.subarray(done * width, (done + perCall) * width))
      })
  }

  #readPieces(entry: Hdf5Entry, first: number, target: Uint8Array): void {
    const width = DTYPE_BYTES[entry.dtype]
    const place = { file: this.path, tensor: entry.name }
    const perPiece = Math.floor(PIECE / width)
    const count = target.length / width
    for (let done = 0; done < count; done += perPiece) {
      const length = Math.min(perPiece, count - done)
      let at = done * width
      for (const box of boxes(entry.shape, first + done, length)) {
        const bytes = box.elements * width
        this.library.call(
          'the bytes of the dataset cannot be read',
          place,
          (module) => {
            this.#buffer ??= module._malloc(PIECE)
            const status =
              entry.shape.length === 0
                ? module.get_dataset_data(this.#id, entry.path, null, null, null, BigInt(this.#buffer))
                : module.get_dataset_data(
                    this.#id,
                    entry.path,
                    box.extent.map(BigInt),
                    box.start.map(BigInt),
                    box.start.map(() => 1n),
                    BigInt(this.#buffer),
                  )
            if (status >= 0) target.set(module.HEAPU8.subarray(this.#buffer, this.#buffer + bytes), at)
            return status
          },
          (status) => status < 0,
        )
        if (this.#inRow.get(entry) === true) this.#checkStored(entry, this.library.longestRun, bytes)
        at += bytes
      }
    }
  }

  /**
   * True if the elements of a dataset lie in the file one after the other, false if in chunks, or if the library has
   * them in memory. A dataset may say that it stores less than its shape takes: the library then gives out whatever its
   * memory holds.
   * @throws AlbertkitError `malformed` if the file stores less than the first elements
   */
  #isInRow(entry: Hdf5Entry): boolean {
    const known = this.#inRow.get(entry)
    if (known !== undefined) return known
    const element = new Uint8Array(DTYPE_BYTES[entry.dtype])
    const bytesRead = (): number => {
      this.#readPieces(entry, 0, element)
      return this.library.longestRun
    }
    if (entry.isChunked) return false
    // The first time the library may read the header of the dataset, too.
    bytesRead()
    const stored = bytesRead()
    if (stored > 0) this.#checkStored(entry, stored, Math.min(entry.byteLength, READ_AHEAD))
    this.#inRow.set(entry, stored > 0)
    return stored > 0
  }

  #checkStored({ name, byteLength }: Hdf5Entry, stored: number, bytes: number): void {
    if (stored >= bytes) return
    throw malformed(`the file does not store all ${byteLength} bytes of the dataset`, {
      code: 'range-invalid',
      file: this.path,
      tensor: name,
      hint: 'the file is damaged: fetch it again',
    })
  }

  close(): void {
    const buffer = this.#buffer
    this.#buffer = null
    this.library.contained({ file: this.path }, () => {
      this.library.closeFile(this.#file, buffer)
    })
  }
}

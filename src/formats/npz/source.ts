import { malformed, unsupported } from '../../base/errors.js'
import type { FilePort } from '../core/file-port.js'
import { RangedFile } from '../core/file.js'
import { limitError, NameBudget } from '../core/limits.js'
import { DTYPE_BYTES, elementCount, type OpenOptions, type TensorInfo, type TensorSource } from '../core/source.js'
import { SegmentCache } from '../deflate/inflated.js'
import { readZipDirectory, type ZipEntry } from '../zip/directory.js'
import { ZipMember } from '../zip/member.js'
import { MAX_HEADER_BYTES, parseNpyHeader } from './header.js'
import { byRows } from './order.js'

/**
 * Bytes of an array that is stored column-major, which is reordered in memory: NumPy stores transposed views so.
 * Goldens have a few MB.
 */
const MAX_REORDERED_BYTES = 256 * 1024 * 1024

interface Member {
  readonly entry: ZipEntry
  readonly info: TensorInfo
  readonly columns: boolean
  readonly dataStart: number
}

interface OpenMember {
  readonly name: string
  readonly bytes: ZipMember
  /** Values of a column-major array, once they were asked for. */
  reordered: Uint8Array | null
}

class NpzReader {
  /** Of all arrays together, so that memory does not grow with their number. */
  readonly #cache = new SegmentCache()

  constructor(
    readonly file: RangedFile,
    readonly checksum: boolean,
  ) {}

  /** The bytes of an entry, verified before the first of them is given out. */
  open(entry: ZipEntry, checksum = this.checksum): ZipMember {
    return new ZipMember(this.file, entry, { file: this.file.path, offset: entry.dataStart }, checksum, this.#cache)
  }

  member(entry: ZipEntry): Member {
    const name = entry.name.replace(/\.npy$/, '')
    // The header is small; it is verified with the rest when values are read.
    const start = new Uint8Array(Math.min(entry.size, MAX_HEADER_BYTES))
    this.open(entry, false).read(0, start)
    const { dtype, shape, columns, dataStart } = parseNpyHeader(start, name, this.file.path)
    const byteLength = elementCount(shape) * DTYPE_BYTES[dtype]
    if (dataStart + byteLength !== entry.size)
      throw malformed(
        `${entry.name} has ${entry.size - dataStart} bytes of values, ` +
          `but its shape [${shape.join(', ')}] takes ${byteLength}`,
        { code: 'range-invalid', file: this.file.path, tensor: name, offset: entry.dataStart },
      )
    return { entry, dataStart, columns, info: { name, dtype, shape, byteLength, file: this.file.path } }
  }

  /** Values of a column-major array in row-major order. */
  reordered({ entry, info, dataStart }: Member, bytes: ZipMember): Uint8Array {
    if (info.byteLength > MAX_REORDERED_BYTES)
      throw unsupported(`${entry.name} is stored column-major and has more than ${MAX_REORDERED_BYTES} bytes`, {
        code: 'limit-exceeded',
        file: this.file.path,
        hint: 'save np.ascontiguousarray of it',
      })
    const numbers = new Uint8Array(info.byteLength)
    bytes.read(dataStart, numbers)
    return byRows(numbers, info.shape, DTYPE_BYTES[info.dtype])
  }
}

/** Arrays of a file of `np.savez` or `np.savez_compressed`. */
class NpzSource implements TensorSource {
  readonly format = 'npz'
  readonly files: readonly string[]
  readonly notes: readonly string[] = []
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #members: ReadonlyMap<string, Member>
  readonly #checked = new Set<string>()
  /** The array that was used last: only of one are places to go on decompressing, or reordered values, in memory. */
  #last: OpenMember | null = null

  constructor(readonly reader: NpzReader) {
    const names = new NameBudget(limitError(reader.file.path))
    const members = new Map<string, Member>()
    for (const entry of readZipDirectory(reader.file)) {
      if (!entry.name.endsWith('.npy')) continue
      names.add(entry.name.length)
      const member = reader.member(entry)
      members.set(member.info.name, member)
    }
    this.#members = members
    this.files = [reader.file.path]
    this.tensors = new Map([...members].map(([name, { info }]) => [name, info]))
  }

  /** The array, verified. */
  #open(name: string): { readonly member: Member; readonly of: OpenMember } {
    const member = this.#members.get(name)
    if (member === undefined) throw new RangeError(`no tensor named ${name}`)
    if (this.#last?.name !== name) {
      const isChecked = this.#checked.has(name)
      this.#last = { name, bytes: this.reader.open(member.entry, isChecked ? false : undefined), reordered: null }
      if (!isChecked) this.#last.bytes.verify()
      this.#checked.add(name)
    }
    return { member, of: this.#last }
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const { member, of } = this.#open(name)
    if (offset < 0 || offset + target.length > member.info.byteLength)
      throw new RangeError(`${name}: range outside the tensor`)
    if (!member.columns) of.bytes.read(member.dataStart + offset, target)
    else {
      of.reordered ??= this.reader.reordered(member, of.bytes)
      target.set(of.reordered.subarray(offset, offset + target.length))
    }
  }

  verifyChecksum(name: string): void {
    if (!this.#checked.has(name)) this.#open(name)
  }

  close(): void {
    this.#last = null
    this.reader.file.close()
  }
}

/**
 * Opens a file of `np.savez` or `np.savez_compressed`: one tensor per array.
 * @throws AlbertkitError `malformed`, `unsupported`
 */
export function openNpz(files: FilePort, path: string, { checksum = true }: OpenOptions = {}): TensorSource {
  const file = new RangedFile(files, path)
  try {
    return new NpzSource(new NpzReader(file, checksum))
  } catch (error) {
    file.close()
    throw error
  }
}

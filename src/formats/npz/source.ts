import { malformed, unsupported } from '../../base/errors.js'
import { crc32 } from '../core/checksums.js'
import type { FilePort } from '../core/file-port.js'
import { RangedFile } from '../core/file.js'
import { DTYPE_BYTES, elementCount, type TensorInfo, type TensorSource } from '../core/source.js'
import { readZipDirectory, type ZipEntry } from '../zip/directory.js'
import { ZipMember } from '../zip/member.js'
import { MAX_HEADER_BYTES, parseNpyHeader } from './header.js'
import { byRows } from './order.js'

/** Limit for arrays that are compressed or column-major, which are held in memory: goldens have a few MB. */
const MAX_HELD_BYTES = 1 << 30
const PIECE = 1 << 20

interface Member {
  readonly entry: ZipEntry
  readonly info: TensorInfo
  readonly columns: boolean
  readonly dataStart: number
}

class NpzReader {
  constructor(readonly file: RangedFile) {}

  /** First bytes of an entry, decompressed if needed. */
  start(entry: ZipEntry, length: number): Uint8Array {
    if (entry.stored) return this.file.bytes(entry.dataStart, Math.min(entry.size, length))
    return this.inflate(entry).subarray(0, length)
  }

  /** Decompresses an entry. @throws AlbertkitError if the archive is damaged */
  inflate(entry: ZipEntry): Uint8Array {
    if (entry.size > MAX_HELD_BYTES)
      throw unsupported(
        `${entry.name} has ${entry.size} bytes, more than the limit of ${MAX_HELD_BYTES} for compressed arrays`,
        { code: 'limit-exceeded', file: this.file.path, hint: 'save it with np.savez, which does not compress' },
      )
    const place = { file: this.file.path, offset: entry.dataStart }
    const bytes = new Uint8Array(entry.size)
    new ZipMember(this.file, entry, place, true).read(0, bytes)
    return bytes
  }

  member(entry: ZipEntry): Member {
    const name = entry.name.replace(/\.npy$/, '')
    const { dtype, shape, columns, dataStart } = parseNpyHeader(
      this.start(entry, MAX_HEADER_BYTES),
      name,
      this.file.path,
    )
    const byteLength = elementCount(shape) * DTYPE_BYTES[dtype]
    if (dataStart + byteLength !== entry.size)
      throw malformed(
        `${entry.name} has ${entry.size - dataStart} bytes of values, ` +
          `but its shape [${shape.join(', ')}] takes ${byteLength}`,
        { code: 'range-invalid', file: this.file.path, tensor: name, offset: entry.dataStart },
      )
    return { entry, dataStart, columns, info: { name, dtype, shape, byteLength, file: this.file.path } }
  }

  /** Values of an array in row-major order; `packed` is the decompressed entry, null if it is not compressed. */
  numbers({ entry, info, columns, dataStart }: Member, packed: Uint8Array | null): Uint8Array {
    if (packed === null && entry.size > MAX_HELD_BYTES)
      throw unsupported(`${entry.name} is stored column-major and has more than ${MAX_HELD_BYTES} bytes`, {
        code: 'limit-exceeded',
        file: this.file.path,
        hint: 'save np.ascontiguousarray of it',
      })
    const numbers = packed?.subarray(dataStart) ?? this.file.bytes(entry.dataStart + dataStart, info.byteLength)
    return columns ? byRows(numbers, info.shape, DTYPE_BYTES[info.dtype]) : numbers
  }

  /** Verifies the checksum of an uncompressed entry. */
  check({ entry }: Member): void {
    let sum = 0
    for (let at = 0; at < entry.size; at += PIECE)
      sum = crc32(this.file.bytes(entry.dataStart + at, Math.min(PIECE, entry.size - at)), sum)
    if (sum !== entry.crc32)
      throw malformed(`${entry.name} is damaged: its checksum is wrong`, {
        code: 'checksum-mismatch',
        file: this.file.path,
        offset: entry.dataStart,
      })
  }
}

/**
 * Opens a file of `np.savez` or `np.savez_compressed`: one tensor per array.
 * @throws AlbertkitError `malformed`, `unsupported`
 */
export function openNpz(files: FilePort, path: string): TensorSource {
  const file = new RangedFile(files, path)
  try {
    const reader = new NpzReader(file)
    const entries = readZipDirectory(file).filter((e) => e.name.endsWith('.npy'))
    const members = new Map(entries.map((entry) => reader.member(entry)).map((m) => [m.info.name, m]))
    const checked = new Set<string>()
    // Decompressed or reordered arrays by name.
    const held = new Map<string, Uint8Array>()
    const of = (name: string): Member => {
      const found = members.get(name)
      if (found === undefined) throw new RangeError(`no tensor named ${name}`)
      return found
    }
    const verifyChecksum = (name: string): void => {
      const member = of(name)
      if (checked.has(name)) return
      const packed = member.entry.stored ? null : reader.inflate(member.entry)
      if (packed === null) reader.check(member)
      if (packed !== null || member.columns) held.set(name, reader.numbers(member, packed))
      checked.add(name)
    }
    return {
      format: 'npz',
      files: [path],
      tensors: new Map([...members].map(([name, { info }]) => [name, info])),
      notes: [],
      read: (name, offset, target) => {
        const { entry, dataStart } = of(name)
        verifyChecksum(name)
        const bytes = held.get(name)
        if (bytes === undefined) file.read(entry.dataStart + dataStart + offset, target)
        else target.set(bytes.subarray(offset, offset + target.length))
      },
      verifyChecksum,
      close: () => {
        file.close()
      },
    }
  } catch (error) {
    file.close()
    throw error
  }
}

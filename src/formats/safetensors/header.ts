import { shownJson } from '../../base/json-text.js'
import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, type AlbertkitError } from '../../base/errors.js'
import type { RangedFile } from '../core/file.js'
import {
  isPlainInteger,
  RawNumber,
  StrictJsonError,
  StrictObject,
  visitStrict,
  type StrictValue,
} from '../core/json.js'
import { limitError, MAX_RANK, NameBudget } from '../core/limits.js'
import { DTYPE_BYTES, type DType, type TensorInfo } from '../core/source.js'

/**
 * The header of a safetensors file, with every rule of the format enforced before anything is allocated for a tensor
 * (safetensors/src/tensor.rs `Metadata::validate`): known types, sizes that fit the shape, and ranges that begin at 0,
 * follow each other without hole or overlap, and end where the file does.
 */

/** Bytes of the header: the official library's limit. What is in it is limited too (limits.ts, json.ts). */
const MAX_HEADER_BYTES = 100_000_000
const LENGTH_BYTES = 8

const DTYPES: ReadonlySet<string> = new Set([
  'F64',
  'F32',
  'F16',
  'BF16',
  'I64',
  'I32',
  'I16',
  'I8',
  'U64',
  'U32',
  'U16',
  'U8',
  'BOOL',
])
/** Types that the format has and nothing here uses: listed, never read. */
const OTHER_BITS: Readonly<Record<string, number>> = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  C64: 64,
}

export interface SafetensorsEntry extends TensorInfo {
  /** Offset in bytes from the start of the file. */
  readonly offset: number
}

export interface SafetensorsHeader {
  readonly entries: ReadonlyMap<string, SafetensorsEntry>
  readonly metadata: ReadonlyMap<string, string>
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

class HeaderReader {
  constructor(readonly file: RangedFile) {}

  fail(code: ErrorCode, what: string, tensor?: string, offset?: number): AlbertkitError {
    return malformed(what, {
      code,
      file: this.file.path,
      ...(tensor === undefined ? {} : { tensor }),
      ...(offset === undefined ? {} : { offset }),
      hint: 'the file is not valid safetensors: fetch or write it again',
    })
  }

  text(): { text: string; end: number } {
    const { file } = this
    if (file.size < LENGTH_BYTES)
      throw this.fail('file-truncated', `${file.size} bytes are too few for a header`, undefined, 0)
    const length = new DataView(file.bytes(0, LENGTH_BYTES).buffer).getBigUint64(0, true)
    if (length > BigInt(MAX_HEADER_BYTES))
      throw this.fail(
        'limit-exceeded',
        `the header claims ${length} bytes, more than the limit of ${MAX_HEADER_BYTES}`,
        undefined,
        0,
      )
    const end = LENGTH_BYTES + Number(length)
    if (end > file.size)
      throw this.fail(
        'file-truncated',
        `the header claims ${length} bytes, but the file has ${file.size}`,
        undefined,
        0,
      )
    try {
      return { text: utf8.decode(file.bytes(LENGTH_BYTES, Number(length))), end }
    } catch {
      throw this.fail('header-invalid', 'the header is not UTF-8', undefined, LENGTH_BYTES)
    }
  }

  /** Gives each entry of the header to `visit`: kept in memory together, those of a million names would be too large. */
  entries(text: string, visit: (name: string, value: StrictValue) => void): void {
    try {
      visitStrict(text, visit)
    } catch (error) {
      if (!(error instanceof StrictJsonError)) throw error
      throw this.fail('header-invalid', `the header is not JSON: ${error.message}`, undefined, LENGTH_BYTES)
    }
  }

  metadata(value: StrictValue): Map<string, string> {
    if (value === null) return new Map()
    if (!(value instanceof StrictObject)) throw this.fail('header-invalid', '__metadata__ is not an object of strings')
    const metadata = new Map<string, string>()
    for (const [key, text] of value.entries) {
      if (typeof text !== 'string') throw this.fail('header-invalid', `__metadata__ ${key} is not a string`)
      metadata.set(key, text)
    }
    return metadata
  }

  integers(value: StrictValue | undefined, what: string, tensor: string): number[] {
    if (!Array.isArray(value)) throw this.fail('header-invalid', `the tensor has no ${what}`, tensor)
    return value.map((item) => {
      if (!(item instanceof RawNumber) || !isPlainInteger(item.text))
        throw this.fail('header-invalid', `${what} of the tensor holds something that is no whole number`, tensor)
      const n = Number(item.text)
      if (!Number.isSafeInteger(n))
        throw this.fail('header-invalid', `${what} of the tensor holds ${item.text}, larger than any file`, tensor)
      return n
    })
  }

  entry(name: string, value: StrictValue, dataStart: number): SafetensorsEntry {
    if (!(value instanceof StrictObject))
      throw this.fail('header-invalid', 'the tensor is not described by an object', name)
    const dtype = value.get('dtype')
    if (typeof dtype !== 'string' || (!DTYPES.has(dtype) && !Object.hasOwn(OTHER_BITS, dtype)))
      throw this.fail('dtype-unsupported', `the tensor has the unknown dtype ${shownJson(dtype ?? null)}`, name)
    const repeated = value.repeated()
    if (repeated !== null) throw this.fail('header-invalid', `the tensor has the field ${repeated} twice`, name)
    const shape = this.integers(value.get('shape'), 'shape', name)
    if (shape.length > MAX_RANK)
      throw this.fail('limit-exceeded', `the tensor has ${shape.length} axes, and ${MAX_RANK} is the limit`, name)
    const offsets = this.integers(value.get('data_offsets'), 'data_offsets', name)
    const [begin, end] = offsets
    if (begin === undefined || end === undefined || offsets.length !== 2)
      throw this.fail('header-invalid', `data_offsets of the tensor has ${offsets.length} numbers instead of two`, name)
    if (begin > end) throw this.fail('range-invalid', 'the tensor has impossible data_offsets', name)
    const bits = OTHER_BITS[dtype] ?? 8 * DTYPE_BYTES[dtype as DType]
    const size = shape.includes(0) ? 0 : shape.reduce((n, d) => n * d, bits / 8)
    if (size !== end - begin)
      throw this.fail(
        'range-invalid',
        `the tensor is ${end - begin} bytes long, but shape [${shape.join(', ')}] of ${dtype} takes ${size}`,
        name,
        dataStart + begin,
      )
    const [byteLength, file, offset] = [end - begin, this.file.path, dataStart + begin]
    return DTYPES.has(dtype)
      ? { name, dtype: dtype as DType, shape, byteLength, file, offset }
      : { name, dtype: 'OTHER', spelling: dtype, shape, byteLength, file, offset }
  }

  /** Ranges in order of their begin must join without hole or overlap and end with the file. */
  ranges(entries: readonly SafetensorsEntry[], dataStart: number): void {
    const sorted = [...entries].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength)
    let expected = dataStart
    for (const { name, offset, byteLength } of sorted) {
      if (offset !== expected)
        throw this.fail(
          'range-invalid',
          `the tensor begins at byte ${offset}, where ${expected} is expected: ranges must join`,
          name,
          offset,
        )
      expected = offset + byteLength
    }
    const { size } = this.file
    if (expected === size) return
    const last = sorted[sorted.length - 1]?.name
    throw this.fail(
      expected > size ? 'file-truncated' : 'range-invalid',
      expected > size
        ? `the file ends at byte ${size}, but its tensors need ${expected}`
        : `${size - expected} bytes follow the last tensor`,
      last,
      expected,
    )
  }
}

/** True if two descriptions of a tensor are equal. */
const isSame = (a: SafetensorsEntry, b: SafetensorsEntry): boolean =>
  a.offset === b.offset && a.dtype === b.dtype && a.shape.join() === b.shape.join()

/**
 * Reads the header of a file.
 * @param names counts the tensors, those of other shards before these
 * @throws AlbertkitError `malformed` naming file, tensor and byte
 */
export function readHeader(file: RangedFile, names = new NameBudget(limitError(file.path))): SafetensorsHeader {
  const reader = new HeaderReader(file)
  const { text, end } = reader.text()
  const entries = new Map<string, SafetensorsEntry>()
  let metadata = null as Map<string, string> | null
  names.allowFor(text.length)
  reader.entries(text, (name, value) => {
    if (name === '__metadata__') {
      if (metadata !== null) throw reader.fail('header-invalid', '__metadata__ occurs twice')
      metadata = reader.metadata(value)
      return
    }
    names.add(name.length)
    const entry = reader.entry(name, value, end)
    const known = entries.get(name)
    // The format forbids two equal names; the official library takes them if nothing but the name occurs twice.
    if (known !== undefined && !isSame(known, entry))
      throw reader.fail(
        'tensor-duplicate',
        `the header has the tensor twice, at bytes ${known.offset} and ${entry.offset}`,
        name,
        entry.offset,
      )
    entries.set(name, entry)
  })
  reader.ranges([...entries.values()], end)
  return { entries, metadata: metadata ?? new Map() }
}

import { latin1Text } from '../../base/bytes.js'
import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, unsupported } from '../../base/errors.js'
import { DTYPE_BYTES, elementCount, type DType } from '../core/source.js'

/** Header of a `.npy` file (numpy/lib/format.py). */
export interface NpyHeader {
  readonly dtype: DType
  readonly shape: readonly number[]
  /** True if the array is stored column-major and the order matters (more than one row and column). */
  readonly columns: boolean
  /** Offset of the values. */
  readonly dataStart: number
}

const MAGIC = '\x93NUMPY'
/** A header has some hundred bytes: NumPy itself refuses more than 10,000 characters. */
export const MAX_HEADER_BYTES = 12 + 10_000

/** Element types by their `descr`: little-endian ones and those of one byte. */
const DTYPES: Readonly<Record<string, DType>> = {
  '<f8': 'F64',
  '<f4': 'F32',
  '<f2': 'F16',
  '<i8': 'I64',
  '<i4': 'I32',
  '<i2': 'I16',
  '|i1': 'I8',
  '<u8': 'U64',
  '<u4': 'U32',
  '<u2': 'U16',
  '|u1': 'U8',
  '|b1': 'BOOL',
}

/**
 * Reads the header at the start of `bytes`.
 * @param name name of the array, for messages
 * @throws AlbertkitError `malformed`, or `unsupported` for objects and big-endian values
 */
export function parseNpyHeader(bytes: Uint8Array, name: string, file: string): NpyHeader {
  const fail = (what: string, code: ErrorCode = 'header-invalid') =>
    malformed(`${name}.npy ${what}`, { code, file, tensor: name })
  const refuse = (what: string) =>
    unsupported(`${name}.npy ${what}`, {
      code: 'dtype-unsupported',
      file,
      tensor: name,
      hint: "save arrays of plain little-endian numbers: v.astype('<f4'), v.astype('<i8')",
    })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (latin1Text(bytes.subarray(0, 6)) !== MAGIC) throw fail('is not a NumPy array')
  const wide = (bytes[6] ?? 0) >= 2
  if (bytes.length < 12) throw fail('ends inside its header', 'file-truncated')
  const start = wide ? 12 : 10
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true)
  if (start + length > bytes.length)
    throw fail(`has a header of ${length} bytes, which runs past the end of the data read`)
  const header = latin1Text(bytes.subarray(start, start + length))
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1]
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1]
  const dims = /'shape':\s*\(([\d,\sL]*)\)/.exec(header)?.[1]
  if (order === undefined || dims === undefined) throw fail('has a header without shape or order')
  const dtype = descr === undefined ? undefined : DTYPES[descr]
  if (dtype === undefined) throw refuse(`holds elements of type ${descr ?? 'object'}`)
  // Python 2 writes 3L.
  const shape = dims
    .split(',')
    .map((d) => d.trim().replace(/L$/, ''))
    .filter((d) => d !== '')
    .map(Number)
  if (![...shape, elementCount(shape) * DTYPE_BYTES[dtype]].every(Number.isSafeInteger))
    throw fail('has an impossible shape', 'value-invalid')
  const columns = order === 'True' && shape.filter((d) => d > 1).length > 1
  return { dtype, shape, columns, dataStart: start + length }
}

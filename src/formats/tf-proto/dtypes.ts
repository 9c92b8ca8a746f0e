import type { DType } from '../core/source.js'

/** Element types by TensorFlow's DataType numbers (tensorflow/core/framework/types.proto). */
const DTYPES: Readonly<Record<number, DType>> = {
  1: 'F32',
  2: 'F64',
  3: 'I32',
  4: 'U8',
  5: 'I16',
  6: 'I8',
  7: 'STRING',
  9: 'I64',
  10: 'BOOL',
  14: 'BF16',
  17: 'U16',
  19: 'F16',
  21: 'VARIANT',
  22: 'U32',
  23: 'U64',
}
/** Highest DataType number of TensorFlow, apart from references (+100). */
const LAST_DATA_TYPE = 35

/** Element type of a DataType number; `OTHER` for types that are never weights; null if TensorFlow has no such type. */
export const dtypeOf = (number: number): DType | null =>
  number <= 0 || number > LAST_DATA_TYPE ? null : (DTYPES[number] ?? 'OTHER')

import type { DType } from '../core/source.js'

/** TensorFlow's numbers of element types (tensorflow/core/framework/types.proto). */
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
/** Highest number that TensorFlow has given to a type, references (+100) apart. */
const LAST_DATA_TYPE = 35

/** The element type of that number; `OTHER` for those that are never weights; null where TensorFlow has no such type. */
export const dtypeOf = (number: number): DType | null =>
  number <= 0 || number > LAST_DATA_TYPE ? null : (DTYPES[number] ?? 'OTHER')

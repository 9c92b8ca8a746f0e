import type { DType } from '../core/source.js'

/** An element type of torch: what we call it, and its bytes. */
export interface ElementType {
  readonly dtype: DType
  readonly width: number
  /** Bytes that are swapped on another endianness; half of a complex number. */
  readonly unit: number
}

const element = (dtype: DType, width: number, unit = width): ElementType => ({ dtype, width, unit })

/** `torch.<X>Storage` classes (torch/__init__.py), which also exist in `torch.cuda`. */
export const STORAGE_TYPES: Readonly<Partial<Record<string, ElementType>>> = {
  DoubleStorage: element('F64', 8),
  FloatStorage: element('F32', 4),
  HalfStorage: element('F16', 2),
  BFloat16Storage: element('BF16', 2),
  LongStorage: element('I64', 8),
  IntStorage: element('I32', 4),
  ShortStorage: element('I16', 2),
  CharStorage: element('I8', 1),
  ByteStorage: element('U8', 1),
  BoolStorage: element('BOOL', 1),
  ComplexDoubleStorage: element('OTHER', 16, 8),
  ComplexFloatStorage: element('OTHER', 8, 4),
}

/** `torch.<dtype>` (torch/_utils.py `_rebuild_tensor_v3` takes one). */
export const DTYPE_NAMES: Readonly<Partial<Record<string, ElementType>>> = {
  float64: element('F64', 8),
  double: element('F64', 8),
  float32: element('F32', 4),
  float: element('F32', 4),
  float16: element('F16', 2),
  half: element('F16', 2),
  bfloat16: element('BF16', 2),
  int64: element('I64', 8),
  long: element('I64', 8),
  int32: element('I32', 4),
  int: element('I32', 4),
  int16: element('I16', 2),
  short: element('I16', 2),
  int8: element('I8', 1),
  uint64: element('U64', 8),
  uint32: element('U32', 4),
  uint16: element('U16', 2),
  uint8: element('U8', 1),
  bool: element('BOOL', 1),
  complex128: element('OTHER', 16, 8),
  complex64: element('OTHER', 8, 4),
  complex32: element('OTHER', 4, 2),
  float8_e4m3fn: element('OTHER', 1),
  float8_e5m2: element('OTHER', 1),
  float8_e4m3fnuz: element('OTHER', 1),
  float8_e5m2fnuz: element('OTHER', 1),
  float8_e8m0fnu: element('OTHER', 1),
}

/** The bytes of an untyped storage. */
export const BYTES: ElementType = element('U8', 1)

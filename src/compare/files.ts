import { DTYPE_BYTES, elementCount, sameShape, type DType, type TensorSource } from '../formats/core/source.js'
import { decodeFloats } from '../model/tensors/decode.js'
import { encodeFloats } from '../model/tensors/encode.js'
import { Turns } from '../base/yield.js'
import type { PlannedTensor } from '../model/rewrite/translation.js'
import type { WeightCheck, WeightDifference } from './weights.js'

/**
 * Checks that a written file holds the planned tensors bit for bit (rounded, if the plan has another element type). The
 * file is read like any other and transposed back into the order of the source, the inverse of writing.
 */

const PIECE_BYTES = 1 << 20
/** Bytes of the written matrix that are compared at a time; its rows are columns of the source. */
const BLOCK_BYTES = 16 << 20
/** Rows that are compared between two looks at the clock. */
const ROWS = 64

async function sameInOrder(
  total: number,
  expected: (start: number, target: Uint8Array) => void,
  written: (start: number, target: Uint8Array) => void,
  turns: Turns,
): Promise<boolean> {
  const [ours, theirs] = [new Uint8Array(PIECE_BYTES), new Uint8Array(PIECE_BYTES)]
  for (let start = 0; start < total; start += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, total - start)
    const [a, b] = [ours.subarray(0, length), theirs.subarray(0, length)]
    expected(start, a)
    written(start, b)
    if (Buffer.compare(a, b) !== 0) return false
    await turns.next()
  }
  return true
}

/** Elements as unsigned integers, to compare their bits rather than their values. */
const unitsOf = (bytes: Uint8Array, width: number): Uint16Array | Uint32Array =>
  width === 2
    ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)
    : new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)

/** A matrix before transposition; `read` fills `target` with the bytes of the elements from index `start` on. */
interface Plain {
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly read: (start: number, target: Uint8Array) => void
}

/** Compares `[rows, columns]` with its written transpose, in blocks of the written rows. */
async function sameTransposed(
  { shape, dtype, read }: Plain,
  written: TensorSource,
  name: string,
  turns: Turns,
): Promise<boolean> {
  const [rows = 1, columns = 1] = shape
  const width = DTYPE_BYTES[dtype]
  const per = width === 8 ? 2 : 1
  const high = Math.max(1, Math.min(columns, Math.floor(BLOCK_BYTES / (rows * width))))
  const block = new Uint8Array(high * rows * width)
  const piece = new Uint8Array(high * width)
  const [theirs, ours] = [unitsOf(block, width), unitsOf(piece, width)]
  for (let c0 = 0; c0 < columns; c0 += high) {
    const wide = Math.min(high, columns - c0)
    written.read(name, c0 * rows * width, block.subarray(0, wide * rows * width))
    for (let r = 0; r < rows; r++) {
      read(r * columns + c0, piece.subarray(0, wide * width))
      for (let c = 0; c < wide; c++)
        for (let u = 0; u < per; u++) if (ours[c * per + u] !== theirs[(c * rows + r) * per + u]) return false
      if (r % ROWS === 0) await turns.next()
    }
  }
  return true
}

/** Reader of a planned tensor in the element order of its origin and the dtype of the file. */
function plainOf(source: TensorSource, { origin, logicalShape, dtype }: PlannedTensor): Plain {
  if (origin.kind === 'computed') {
    const read = (start: number, target: Uint8Array): void => {
      origin.fill(start, new Float32Array(target.buffer, target.byteOffset, target.length / 4))
    }
    return { shape: logicalShape, dtype, read: rounded('F32', dtype, read) }
  }
  const { variable, storedShape, dtype: own } = origin.parameter
  const read = (start: number, target: Uint8Array): void => {
    source.read(variable, start * DTYPE_BYTES[own], target)
  }
  return { shape: storedShape, dtype, read: rounded(own, dtype, read) }
}

/** Wraps `read` so that it converts elements from one dtype to another. */
function rounded(from: DType, to: DType, read: Plain['read']): Plain['read'] {
  if (from === to) return read
  return (start, target) => {
    const values = new Float32Array(target.length / DTYPE_BYTES[to])
    const bytes = new Uint8Array(values.length * DTYPE_BYTES[from])
    read(start, bytes)
    decodeFloats(from, bytes, values)
    encodeFloats(to, values, target)
  }
}

async function difference(
  source: TensorSource,
  written: TensorSource,
  tensor: PlannedTensor,
  turns: Turns,
): Promise<string | null> {
  const { name, shape, dtype, origin, transposed } = tensor
  const info = written.tensors.get(name)
  if (info === undefined) return 'absent from the file'
  if (info.dtype !== dtype) return `stored as ${info.dtype} instead of ${dtype}`
  if (!sameShape(info.shape, shape)) return `shape [${info.shape.join(', ')}] instead of [${shape.join(', ')}]`
  const width = DTYPE_BYTES[dtype]
  const total = elementCount(shape) * width
  if (total === 0) return null
  const plain = plainOf(source, tensor)
  const turned = origin.kind === 'computed' ? transposed : (origin.parameter.layout === 'transposed') !== transposed
  const same = turned
    ? await sameTransposed(plain, written, name, turns)
    : await sameInOrder(
        total,
        (start, target) => {
          plain.read(start / width, target)
        },
        (start, target) => {
          written.read(name, start, target)
        },
        turns,
      )
  return same ? null : 'its bytes differ'
}

/** Compares every planned tensor with the one that was written, and reports tensors that were not planned. */
export async function compareFile(
  source: TensorSource,
  written: TensorSource,
  tensors: readonly PlannedTensor[],
): Promise<WeightCheck> {
  const turns = new Turns()
  const differences: WeightDifference[] = []
  for (const tensor of tensors) {
    const reason = await difference(source, written, tensor, turns)
    if (reason !== null) differences.push({ slot: tensor.slot, variable: tensor.name, reason })
  }
  const planned = new Set(tensors.map(({ name }) => name))
  for (const variable of written.tensors.keys())
    if (!planned.has(variable)) differences.push({ slot: variable, variable, reason: 'absent from the source' })
  return { compared: tensors.length, differences }
}

import { compact } from '../../base/compact.js'
import { MAX_RANK } from '../core/limits.js'
import { DTYPE_BYTES, elementCount, type DType } from '../core/source.js'
import type { Field, WireReader } from './wire.js'

/** Size in bytes of a tensor; Infinity if it is not a safe integer. */
export const byteSize = (dtype: DType, shape: readonly number[]): number => {
  const size = elementCount(shape) * DTYPE_BYTES[dtype]
  return Number.isSafeInteger(size) ? size : Infinity
}

/**
 * Reads a TensorShapeProto.
 * @param before axes of the same field before: a message that stands twice is merged, as protocol buffers want it
 * @throws AlbertkitError `malformed` if the shape is unknown or impossible
 */
export function readShape(wire: WireReader, field: Field, before: readonly number[] = []): number[] {
  const shape = [...before]
  let unknown = false
  for (const part of wire.inside(field)) {
    if (part.number === 3) unknown = part.value !== 0
    if (part.number !== 2) continue
    let size = 0
    for (const inner of wire.inside(part)) if (inner.number === 1) size = inner.value
    if (shape.push(size) > MAX_RANK) throw wire.fail(`more than ${MAX_RANK} axes`, part.start, 'limit-exceeded')
  }
  if (unknown || shape.some((d) => d < 0 || d > Number.MAX_SAFE_INTEGER))
    throw wire.fail(`impossible shape [${shape.join(', ')}]`, field.start, 'value-invalid')
  return compact(shape)
}

/** Reads a TensorSliceProto: start and length along each axis; the length is null if the slice covers the axis. */
export function readSlice(wire: WireReader, field: Field): { start: number; length: number | null }[] {
  const extents: { start: number; length: number | null }[] = []
  for (const part of wire.inside(field)) {
    if (part.number !== 1) continue
    let start = 0
    let length: number | null = null
    for (const inner of wire.inside(part)) {
      if (inner.number === 1) start = inner.value
      else if (inner.number === 2) length = inner.value
    }
    if (extents.push({ start, length }) > MAX_RANK)
      throw wire.fail(`a slice of more than ${MAX_RANK} axes`, part.start, 'limit-exceeded')
  }
  return compact(extents)
}

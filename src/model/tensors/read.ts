import { DTYPE_BYTES, elementCount, type TensorSource } from '../../formats/core/source.js'
import type { AlbertModel, Parameter } from '../albert.js'
import { decodeFloats } from './decode.js'
import { transpose } from './transpose.js'

/** Reading of parameters as float32, whole or by rows; streaming for export is in export/weights.ts. */

/** A buffer for bytes that are decoded, kept from read to read: fresh memory costs more than the copying. */
export class Scratch {
  #bytes = new Uint8Array(0)

  take(length: number): Uint8Array {
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(length)
    return this.#bytes.subarray(0, length)
  }
}

/**
 * Reads elements `[start, start + target.length)` of the tensor `name`, in its stored order, as float32.
 * @param scratch buffer for elements of another type; a new one if left out
 * @throws RangeError if the source has no such tensor; AlbertkitError `malformed` from the source
 */
export function readFloats(
  source: TensorSource,
  name: string,
  start: number,
  target: Float32Array,
  scratch = new Scratch(),
): void {
  const dtype = source.tensors.get(name)?.dtype
  if (dtype === undefined) throw new RangeError(name)
  const width = DTYPE_BYTES[dtype]
  if (dtype === 'F32') {
    source.read(name, start * width, new Uint8Array(target.buffer, target.byteOffset, target.byteLength))
    return
  }
  const bytes = scratch.take(target.length * width)
  source.read(name, start * width, bytes)
  decodeFloats(dtype, bytes, target)
}

/** Reads elements `[start, start + target.length)` of the parameter in its stored order. */
export const readStored = (source: TensorSource, p: Parameter, start: number, target: Float32Array): void => {
  readFloats(source, p.variable, start, target)
}

/**
 * Shape of the stored matrix whose transpose is the logical one, for a parameter that is not `as_is`: `[out, in]` if
 * transposed, `[in/16 · out/16, 16]` if grouped.
 */
export function storedMatrix({ storedShape }: Parameter): readonly [rows: number, columns: number] {
  const columns = storedShape[storedShape.length - 1] ?? 1
  return [elementCount(storedShape) / columns, columns]
}

/**
 * Reads the whole parameter in the logical order.
 * @param allocate gives the array to read into
 */
export function readLogical(
  source: TensorSource,
  p: Parameter,
  allocate = (length: number): Float32Array => new Float32Array(length),
): Float32Array {
  const logical = allocate(elementCount(p.shape))
  if (logical.length === 0) return logical
  const stored = p.layout === 'as_is' ? logical : new Float32Array(logical.length)
  readStored(source, p, 0, stored)
  if (stored !== logical) transpose(stored, ...storedMatrix(p), logical)
  return logical
}

/** Every distinct parameter that the model's heads and body use, in the order of the forward pass. */
export function* parametersOf(value: unknown, seen = new Set<unknown>()): Generator<Parameter> {
  if (typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  if ('slot' in value && 'variable' in value) {
    yield value as Parameter
    return
  }
  for (const [key, child] of Object.entries(value)) if (key !== 'config') yield* parametersOf(child, seen)
}

/** Number of uses of each parameter in the forward pass of `model`: a shared one once a layer. */
export function useCounts(model: AlbertModel): Map<Parameter, number> {
  const counts = new Map<Parameter, number>()
  const count = (part: unknown): void => {
    for (const p of parametersOf(part)) counts.set(p, (counts.get(p) ?? 0) + 1)
  }
  count({ ...model, layers: [] })
  model.layers.flat().forEach(count)
  return counts
}

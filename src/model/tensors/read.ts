import { DTYPE_BYTES, elementCount, type TensorSource } from '../../formats/core/source.js'
import type { AlbertModel, Parameter } from '../albert.js'
import { decodeFloats } from './decode.js'

/** Reading of parameters as float32, whole or by rows; streaming for export is in export/weights.ts. */

/** Elements `[start, start + target.length)` of the parameter as stored. */
export function readStored(source: TensorSource, p: Parameter, start: number, target: Float32Array): void {
  const width = DTYPE_BYTES[p.dtype]
  if (p.dtype === 'F32') {
    source.read(p.variable, start * 4, new Uint8Array(target.buffer, target.byteOffset, target.length * 4))
    return
  }
  const bytes = new Uint8Array(target.length * width)
  source.read(p.variable, start * width, bytes)
  decodeFloats(p.dtype, bytes, target)
}

/** `[rows, columns]` row-major → `[columns, rows]`, in 8×8 blocks for the cache's sake. */
export function transpose(from: Float32Array, rows: number, columns: number, to: Float32Array): void {
  for (let r0 = 0; r0 < rows; r0 += 8) {
    const r1 = Math.min(r0 + 8, rows)
    for (let c0 = 0; c0 < columns; c0 += 8) {
      const c1 = Math.min(c0 + 8, columns)
      for (let r = r0; r < r1; r++) {
        for (let c = c0; c < c1; c++) to[c * rows + r] = from[r * columns + c]!
      }
    }
  }
}

/**
 * What is stored as a matrix whose transposition is meant, of a parameter that is not `as_is`: `[out, in]` of a
 * transposed one, `[in/16 · out/16, 16]` of a grouped one.
 */
export function storedMatrix({ storedShape }: Parameter): readonly [rows: number, columns: number] {
  const columns = storedShape[storedShape.length - 1] ?? 1
  return [elementCount(storedShape) / columns, columns]
}

/** The whole parameter as the forward pass means it. */
export function readLogical(source: TensorSource, p: Parameter): Float32Array {
  const stored = new Float32Array(elementCount(p.shape))
  if (stored.length === 0) return stored
  readStored(source, p, 0, stored)
  if (p.layout === 'as_is') return stored
  const meant = new Float32Array(stored.length)
  transpose(stored, ...storedMatrix(p), meant)
  return meant
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

/** How often the forward pass of `model` uses each parameter: a shared one once a layer. */
export function useCounts(model: AlbertModel): Map<Parameter, number> {
  const counts = new Map<Parameter, number>()
  const count = (part: unknown): void => {
    for (const p of parametersOf(part)) counts.set(p, (counts.get(p) ?? 0) + 1)
  }
  count({ ...model, layers: [] })
  model.layers.flat().forEach(count)
  return counts
}

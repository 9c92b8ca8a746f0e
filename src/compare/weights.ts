import { elementCount, sameShape, type TensorInfo, type TensorSource } from '../formats/core/source.js'
import type { Parameter } from '../model/albert.js'
import { readFloats, readLogical, readStored } from '../model/tensors/read.js'
import type { FileOrder } from '../model/tensors/rebind.js'
import { transpose } from '../model/tensors/transpose.js'

/** A weight of an artefact that differs from its source. */
export interface WeightDifference {
  readonly slot: string
  readonly variable: string
  readonly reason: string
}

export interface WeightCheck {
  readonly compared: number
  readonly differences: readonly WeightDifference[]
}

export interface WeightCheckOptions {
  /** True if the artefact may hold other dtypes than float32. */
  readonly lossy?: boolean
  /** Element order of each weight in the artefact; if left out, either order is accepted. */
  readonly form?: FileOrder
}

/** Elements compared at a time, so that only transposed tensors are held as a whole. */
const PIECE = 1 << 20

const sameBits = (a: Float32Array, b: Float32Array): boolean =>
  Buffer.compare(
    new Uint8Array(a.buffer, a.byteOffset, a.byteLength),
    new Uint8Array(b.buffer, b.byteOffset, b.byteLength),
  ) === 0

/** True if every float16 value is one of the two that are nearest to its number. */
function nearestHalfs(numbers: Float32Array, halfs: Float32Array): boolean {
  for (let i = 0; i < numbers.length; i++) {
    const [x, h] = [numbers[i]!, halfs[i]!]
    // Half an ULP: 2⁻¹¹ of the number, at least half of the smallest subnormal float16.
    if (!(Math.abs(x - h) <= Math.max(Math.abs(x) * 2 ** -11, 2 ** -25)) && !Object.is(x, h)) return false
  }
  return true
}

/** True if every value is within half a quantisation step (and float32 rounding) of its number. */
function nearestSteps(
  numbers: Float32Array,
  values: Float32Array,
  from: number,
  stepAt: (i: number) => number,
): boolean {
  for (let i = 0; i < numbers.length; i++) {
    const [x, v] = [numbers[i]!, values[i]!]
    if (!(Math.abs(x - v) <= stepAt(from + i) * 0.501 + Math.abs(x) * 1e-6)) return false
  }
  return true
}

/** True if elements `[from, …)` of an artefact's tensor represent `numbers` as closely as its dtype allows. */
function faithful({ dtype, stepAt }: TensorInfo, numbers: Float32Array, values: Float32Array, from: number): boolean {
  if (stepAt !== undefined) return nearestSteps(numbers, values, from, stepAt)
  return dtype === 'F16' ? nearestHalfs(numbers, values) : sameBits(numbers, values)
}

/** True if the artefact holds the parameter in the stored order of the source. */
function sameAsStored(source: TensorSource, artefact: TensorSource, info: TensorInfo, p: Parameter): boolean {
  const total = elementCount(p.shape)
  const ours = new Float32Array(Math.min(PIECE, total))
  const theirs = new Float32Array(ours.length)
  for (let start = 0; start < total; start += PIECE) {
    const length = Math.min(PIECE, total - start)
    const [a, b] = [ours.subarray(0, length), theirs.subarray(0, length)]
    readStored(source, p, start, a)
    readFloats(artefact, info.name, start, b)
    if (!faithful(info, a, b, start)) return false
  }
  return true
}

/** True if the artefact holds the parameter in its logical order. */
function sameAsLogical(source: TensorSource, artefact: TensorSource, info: TensorInfo, p: Parameter): boolean {
  const logical = readLogical(source, p)
  const theirs = new Float32Array(logical.length)
  readFloats(artefact, info.name, 0, theirs)
  return faithful(info, logical, theirs, 0)
}

/** True if the artefact holds the transpose of the parameter's logical matrix. */
function sameAsTransposed(source: TensorSource, artefact: TensorSource, info: TensorInfo, p: Parameter): boolean {
  const [rows = 1, columns = 1] = p.shape
  const turned = new Float32Array(rows * columns)
  transpose(readLogical(source, p), rows, columns, turned)
  const theirs = new Float32Array(turned.length)
  readFloats(artefact, info.name, 0, theirs)
  return faithful(info, turned, theirs, 0)
}

function difference(
  source: TensorSource,
  artefact: TensorSource,
  given: Parameter,
  { lossy = false, form: order }: WeightCheckOptions,
): string | null {
  const form = typeof order === 'string' ? undefined : order
  const p = form?.cut(given) ?? given
  const info = artefact.tensors.get(p.slot)
  if (info === undefined) return 'absent from the artefact'
  const rounded = info.dtype === 'F16' || info.stepAt !== undefined
  if ((info.dtype !== 'F32' && info.dtype !== 'F16') || (rounded && !lossy)) return `stored as ${info.dtype}`
  if (form?.layoutOf(p.slot) === 'transposed') {
    if (!sameShape(info.shape, [...p.shape].reverse()))
      return `shape [${info.shape.join(', ')}] is not that of its matrix`
    if (sameAsTransposed(source, artefact, info, p)) return null
    return rounded ? "its values are not the nearest to the source's" : 'its bytes differ'
  }
  const asStored = sameShape(info.shape, p.storedShape)
  const asLogical = sameShape(info.shape, p.shape)
  if (!asStored && !asLogical) return `shape [${info.shape.join(', ')}] instead of [${p.shape.join(', ')}]`
  if (elementCount(p.shape) === 0) return null
  if (asStored && sameAsStored(source, artefact, info, p)) return null
  if (p.layout !== 'as_is' && asLogical && sameAsLogical(source, artefact, info, p)) return null
  return rounded ? "its values are not the nearest to the source's" : 'its bytes differ'
}

/**
 * Compares every parameter of `parameters` with the tensor of its slot in `artefact`: bit for bit if that is
 * float32; float16 and quantised values must be the nearest representable ones. Equal outputs alone do not prove a
 * conversion: a key bias, for instance, never shows in them (softmax cancels it).
 */
export function compareWeights(
  source: TensorSource,
  artefact: TensorSource,
  parameters: Iterable<Parameter>,
  options: WeightCheckOptions = {},
): WeightCheck {
  const differences: WeightDifference[] = []
  let compared = 0
  for (const p of parameters) {
    compared++
    const reason = difference(source, artefact, p, options)
    if (reason !== null) differences.push({ slot: p.slot, variable: p.variable, reason })
  }
  return { compared, differences }
}

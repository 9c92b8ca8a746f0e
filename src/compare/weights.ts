import { elementCount, sameShape, type TensorInfo, type TensorSource } from '../formats/core/source.js'
import type { Parameter } from '../model/albert.js'
import { readFloats, readLogical, readStored } from '../model/tensors/read.js'

/** A weight of an artefact that is not its source's. */
export interface WeightDifference {
  readonly slot: string
  readonly variable: string
  readonly reason: string
}

export interface WeightCheck {
  readonly compared: number
  readonly differences: readonly WeightDifference[]
}

/** Piece by piece, so that only the transposed ones are held whole. */
const PIECE = 1 << 20

const sameBits = (a: Float32Array, b: Float32Array): boolean =>
  Buffer.compare(
    new Uint8Array(a.buffer, a.byteOffset, a.byteLength),
    new Uint8Array(b.buffer, b.byteOffset, b.byteLength),
  ) === 0

/** Whether every half is one of the two that are nearest to its number. */
function nearestHalfs(numbers: Float32Array, halfs: Float32Array): boolean {
  for (let i = 0; i < numbers.length; i++) {
    const [x, h] = [numbers[i]!, halfs[i]!]
    // Half a step: 2⁻¹¹ of the number, at least half the least half.
    if (!(Math.abs(x - h) <= Math.max(Math.abs(x) * 2 ** -11, 2 ** -25)) && !Object.is(x, h)) return false
  }
  return true
}

/** Whether every value is within half a step (and float32's own rounding) of its number. */
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

/** Whether elements `[from, …)` of an artefact's tensor are what its element type can make of `numbers`. */
function faithful({ dtype, stepAt }: TensorInfo, numbers: Float32Array, values: Float32Array, from: number): boolean {
  if (stepAt !== undefined) return nearestSteps(numbers, values, from, stepAt)
  return dtype === 'F16' ? nearestHalfs(numbers, values) : sameBits(numbers, values)
}

/** Whether the artefact holds the parameter as the source stores it. */
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

/** Whether the artefact holds the parameter as the forward pass means it, where that is another order of bytes. */
function sameAsMeant(source: TensorSource, artefact: TensorSource, info: TensorInfo, p: Parameter): boolean {
  const meant = readLogical(source, p)
  const theirs = new Float32Array(meant.length)
  readFloats(artefact, info.name, 0, theirs)
  return faithful(info, meant, theirs, 0)
}

function difference(source: TensorSource, artefact: TensorSource, p: Parameter, lossy: boolean): string | null {
  const info = artefact.tensors.get(p.slot)
  if (info === undefined) return 'absent from the artefact'
  const rounded = info.dtype === 'F16' || info.stepAt !== undefined
  if ((info.dtype !== 'F32' && info.dtype !== 'F16') || (rounded && !lossy)) return `stored as ${info.dtype}`
  const asStored = sameShape(info.shape, p.storedShape)
  const asMeant = sameShape(info.shape, p.shape)
  if (!asStored && !asMeant) return `shape [${info.shape.join(', ')}] instead of [${p.shape.join(', ')}]`
  if (elementCount(p.shape) === 0) return null
  if (asStored && sameAsStored(source, artefact, info, p)) return null
  if (p.layout !== 'as_is' && asMeant && sameAsMeant(source, artefact, info, p)) return null
  return rounded ? "its values are not the nearest to the source's" : 'its bytes differ'
}

/**
 * Compares every parameter of `parameters` with the tensor of its slot in `artefact`: bit for bit where that is
 * float32; halfs and quantised values must be the nearest ones that there are. The outputs alone do not prove a
 * conversion: a key bias, for one, never shows in them (softmax cancels it).
 * @param lossy whether the artefact may hold anything but float32
 */
export function compareWeights(
  source: TensorSource,
  artefact: TensorSource,
  parameters: Iterable<Parameter>,
  lossy = false,
): WeightCheck {
  const differences: WeightDifference[] = []
  let compared = 0
  for (const p of parameters) {
    compared++
    const reason = difference(source, artefact, p, lossy)
    if (reason !== null) differences.push({ slot: p.slot, variable: p.variable, reason })
  }
  return { compared, differences }
}

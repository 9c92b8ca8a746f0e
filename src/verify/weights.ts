import { elementCount, type TensorSource } from '../formats/source.js'
import type { Parameter } from '../model/albert.js'
import { readMeant, readStored } from '../model/weights.js'

/** A weight of an artefact that is not its source's, bit for bit. */
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

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i])

const sameBits = (a: Float32Array, b: Float32Array): boolean =>
  Buffer.compare(
    new Uint8Array(a.buffer, a.byteOffset, a.byteLength),
    new Uint8Array(b.buffer, b.byteOffset, b.byteLength),
  ) === 0

/** Whether the artefact holds the parameter as the source stores it. */
function sameAsStored(source: TensorSource, artefact: TensorSource, p: Parameter): boolean {
  const total = elementCount(p.shape)
  const ours = new Float32Array(Math.min(PIECE, total))
  const theirs = new Float32Array(ours.length)
  for (let start = 0; start < total; start += PIECE) {
    const length = Math.min(PIECE, total - start)
    const [a, b] = [ours.subarray(0, length), theirs.subarray(0, length)]
    readStored(source, p, start, a)
    artefact.read(p.slot, start * 4, new Uint8Array(b.buffer, b.byteOffset, length * 4))
    if (!sameBits(a, b)) return false
  }
  return true
}

/** Whether the artefact holds the parameter as the forward pass means it, where that is another order of bytes. */
function sameAsMeant(source: TensorSource, artefact: TensorSource, p: Parameter): boolean {
  const meant = readMeant(source, p)
  const theirs = new Float32Array(meant.length)
  artefact.read(p.slot, 0, new Uint8Array(theirs.buffer))
  return sameBits(meant, theirs)
}

function difference(source: TensorSource, artefact: TensorSource, p: Parameter): string | null {
  const info = artefact.tensors.get(p.slot)
  if (info === undefined) return 'absent from the artefact'
  if (info.dtype !== 'F32') return `stored as ${info.dtype}`
  const asStored = sameShape(info.shape, p.storedShape)
  const asMeant = sameShape(info.shape, p.shape)
  if (!asStored && !asMeant) return `shape [${info.shape.join(', ')}] instead of [${p.shape.join(', ')}]`
  if (elementCount(p.shape) === 0) return null
  if (asStored && sameAsStored(source, artefact, p)) return null
  if (p.layout !== 'as_is' && asMeant && sameAsMeant(source, artefact, p)) return null
  return 'its bytes differ'
}

/**
 * Compares every parameter of `parameters` with the tensor of its slot in `artefact`, bit for bit. The outputs alone
 * do not prove a conversion: a key bias, for one, never shows in them (softmax cancels it).
 */
export function compareWeights(
  source: TensorSource,
  artefact: TensorSource,
  parameters: Iterable<Parameter>,
): WeightCheck {
  const differences: WeightDifference[] = []
  let compared = 0
  for (const p of parameters) {
    compared++
    const reason = difference(source, artefact, p)
    if (reason !== null) differences.push({ slot: p.slot, variable: p.variable, reason })
  }
  return { compared, differences }
}

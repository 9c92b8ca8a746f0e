import { elementCount, type TensorSource } from '../../formats/core/source.js'
import type { AlbertModel, Block, Parameter } from '../albert.js'
import { readStored } from '../tensors/read.js'

/** Two layers with separate parameters and almost equal values. */
export interface DuplicateLayers {
  readonly part: 'attention' | 'ffn'
  /** The layers, counted through with inner layers. */
  readonly layers: readonly [number, number]
  /** `‖a − b‖ / √(‖a‖·‖b‖)` over the kernels; 0 if they are the same. */
  readonly distance: number
}

/** Nearer than this is a copy that was trained a little at most; independent layers are at about √2. */
const NEAR = 0.1
/** Ranges of each kernel that are looked at before all of it is read. */
const [RANGES, LENGTH] = [16, 256]
const PIECE = 1 << 19

const KERNELS: Readonly<Record<DuplicateLayers['part'], (block: Block) => readonly Parameter[]>> = {
  attention: (b) => [b.query.kernel, b.key.kernel, b.value.kernel, b.attentionOutput.kernel],
  ffn: (b) => [b.intermediate.kernel, b.output.kernel],
}

type Read = (p: Parameter) => Iterable<readonly [start: number, length: number]>

function* ranges(p: Parameter): Generator<readonly [number, number]> {
  const total = elementCount(p.storedShape)
  if (total <= RANGES * LENGTH) {
    yield [0, total]
    return
  }
  for (let i = 0; i < RANGES; i++) yield [Math.floor((i * (total - LENGTH)) / (RANGES - 1)), LENGTH]
}

function* all(p: Parameter): Generator<readonly [number, number]> {
  const total = elementCount(p.storedShape)
  for (let start = 0; start < total; start += PIECE) yield [start, Math.min(PIECE, total - start)]
}

function distance(source: TensorSource, a: readonly Parameter[], b: readonly Parameter[], read: Read): number {
  let [difference, aa, bb] = [0, 0, 0]
  a.forEach((p, i) => {
    const q = b[i]!
    for (const [start, length] of read(p)) {
      const [x, y] = [new Float32Array(length), new Float32Array(length)]
      readStored(source, p, start, x)
      readStored(source, q, start, y)
      for (let k = 0; k < length; k++) {
        difference += (x[k]! - y[k]!) ** 2
        aa += x[k]! ** 2
        bb += y[k]! ** 2
      }
    }
  })
  return difference === 0 ? 0 : Math.sqrt(difference) / (aa * bb) ** 0.25
}

/** Pairs of layers that are near-duplicates although nothing makes them share. */
export function duplicateLayers(source: TensorSource, { layers }: AlbertModel): DuplicateLayers[] {
  const blocks = layers.flat()
  const found: DuplicateLayers[] = []
  for (const part of ['attention', 'ffn'] as const) {
    const kernels = blocks.map(KERNELS[part])
    // The first layer of each set of parameters.
    const own = kernels.flatMap((k, layer) =>
      kernels.findIndex((other) => other[0] === k[0]) === layer ? [layer] : [],
    )
    for (const [at, i] of own.entries())
      for (const j of own.slice(at + 1)) {
        const [a, b] = [kernels[i]!, kernels[j]!]
        if ([...a, ...b].some((p) => p.variable === '') || a[0]!.dtype !== b[0]!.dtype) continue
        // What differs in the sample by much more differs as a whole.
        if (!(distance(source, a, b, ranges) <= 2 * NEAR)) continue
        const whole = distance(source, a, b, all)
        if (whole <= NEAR) found.push({ part, layers: [i, j], distance: whole })
      }
  }
  return found
}

import { elementCount } from '../formats/core/source.js'
import type { View } from '../model/tensors/view.js'

/** Difference of two tensors of the same shape. */
export interface Difference {
  readonly elements: number
  /** Number of elements with different values; NaN equals NaN. */
  readonly different: number
  /** Largest absolute difference; null if only one of two values is NaN. */
  readonly maxAbs: number | null
  /** Index of it in the logical tensor; empty if nothing differs. */
  readonly where: readonly number[]
}

const PIECE = 1 << 20

/** Compares two views of the same shape piece by piece, so that neither is held in memory as a whole. */
export function differenceOf(a: View, b: View): Difference {
  const total = elementCount(a.shape)
  const columns = a.shape[a.shape.length - 1] ?? 1
  // Whole rows, because computed and transposed tensors are produced by row.
  const piece = Math.max(1, Math.min(total, Math.max(1, Math.floor(PIECE / Math.max(1, columns))) * columns))
  const [ours, theirs] = [new Float32Array(piece), new Float32Array(piece)]
  let [different, largest, at, broken] = [0, 0, 0, false]
  for (let start = 0; start < total; start += piece) {
    const length = Math.min(piece, total - start)
    const [x, y] = [ours.subarray(0, length), theirs.subarray(0, length)]
    a.read(start, x)
    b.read(start, y)
    for (let i = 0; i < length; i++) {
      const [p, q] = [x[i]!, y[i]!]
      if (p === q || (Number.isNaN(p) && Number.isNaN(q))) continue
      different++
      const distance = Math.abs(p - q)
      if (broken || distance <= largest) continue
      broken = Number.isNaN(distance)
      largest = distance
      at = start + i
    }
  }
  return { elements: total, different, maxAbs: broken ? null : largest, where: different === 0 ? [] : a.place(at) }
}

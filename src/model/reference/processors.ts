import { multiply, type MatrixProduct } from './product.js'

/** What computes the products of a reference, and the memory that its factors and results lie in. */
export interface Processors {
  /** An array of zeros. */
  readonly float64: (length: number) => Float64Array
  readonly float32: (length: number) => Float32Array
  /** Computes products that do not depend on one another. */
  readonly multiply: (products: readonly MatrixProduct[]) => void
}

/** The thread that calls. */
export const THIS_THREAD: Processors = {
  float64: (length) => new Float64Array(length),
  float32: (length) => new Float32Array(length),
  multiply(products) {
    for (const product of products) multiply(product)
  },
}

/** Columns that a thread takes at least: fewer share a line of the cache with those of another. */
const COLUMNS = 16

/** Cuts products into at most `parts` parts of about equal work; sums stay whole, so that results stay the same. */
export function cut(products: readonly MatrixProduct[], parts: number): MatrixProduct[][] {
  const columns = products.reduce((n, { size }) => n + Math.ceil(size.outer / COLUMNS), 0)
  const share = Math.max(1, Math.ceil(columns / parts))
  const cuts: MatrixProduct[][] = []
  let room = 0
  for (const { x, w, y, size } of products)
    for (let from = 0; from < size.outer;) {
      if (room === 0) {
        cuts.push([])
        room = share
      }
      const outer = Math.min(size.outer - from, room * COLUMNS)
      cuts.at(-1)?.push({
        x,
        w: { ...w, start: w.start + from * w.column },
        y: { ...y, start: y.start + from },
        size: { ...size, outer },
      })
      room -= Math.ceil(outer / COLUMNS)
      from += outer
    }
  return cuts
}

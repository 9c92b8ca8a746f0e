import { multiply, type MatrixProduct } from './product.js'

/** Executes the matrix products of a reference and allocates memory for their factors and results. */
export interface Processors {
  /** An array, all of which is yet to be written. */
  readonly float64: (length: number) => Float64Array
  readonly float32: (length: number) => Float32Array
  readonly multiply: (product: MatrixProduct) => void
}

/** The thread that calls. */
export const THIS_THREAD: Processors = {
  float64: (length) => new Float64Array(length),
  float32: (length) => new Float32Array(length),
  multiply: (product) => {
    multiply(product)
  },
}

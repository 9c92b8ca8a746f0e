import { parentPort } from 'node:worker_threads'
import { multiply, type MatrixProduct } from '../../model/reference/product.js'

/** Thread that computes parts of products, for the thread of a reference (`threads.ts`). */

/** A part of a product in shared memory. */
export interface Share {
  readonly product: MatrixProduct
  /** [0] counts the shares that are done, [1] those that failed. */
  readonly done: Int32Array
}

parentPort?.on('message', ({ product, done }: Share) => {
  try {
    multiply(product)
  } catch {
    Atomics.add(done, 1, 1)
  }
  Atomics.add(done, 0, 1)
  Atomics.notify(done, 0)
})

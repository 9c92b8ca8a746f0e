import { Worker } from 'node:worker_threads'
import { environment } from '../../base/errors.js'
import { THIS_THREAD, type Processors } from '../../model/reference/processors.js'
import { cut, multiply, type MatrixProduct } from '../../model/reference/product.js'
import type { Share } from './product-worker.js'

const WORKER = new URL('./product-worker.js', import.meta.url)

/** Multiply-adds that take longer than handing a part of them to another thread. */
const WORTH_SHARING = 2e6

/** A thread that does not answer for so long has ended. */
const PATIENCE_MS = 10 * 60 * 1000

const sizeOf = ({ size, repeat }: MatrixProduct): number => size.rows * size.inner * size.outer * (repeat?.count ?? 1)

/** Memory that threads share. */
const SHARED: Pick<Processors, 'float64' | 'float32'> = {
  float64: (length) => new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT)),
  float32: (length) => new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT)),
}

/** The calling thread, which waits for `count - 1` others to compute their parts of a product. */
export class Threads implements Processors {
  readonly float64: Processors['float64']
  readonly float32: Processors['float32']
  readonly #others: Worker[]

  constructor(count: number) {
    // Memory that threads share is slower to copy.
    ;({ float64: this.float64, float32: this.float32 } = count === 1 ? THIS_THREAD : SHARED)
    this.#others = Array.from({ length: count - 1 }, () => new Worker(WORKER))
  }

  readonly multiply = (product: MatrixProduct): void => {
    const isWorth = this.#others.length > 0 && sizeOf(product) > WORTH_SHARING
    const [own, ...shares] = isWorth ? cut(product, this.#others.length + 1) : [product]
    const done = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT))
    shares.forEach((share, i) => this.#others[i]?.postMessage({ product: share, done } satisfies Share))
    if (own !== undefined) multiply(own)
    let late = false
    for (let n = Atomics.load(done, 0); n < shares.length && !late; n = Atomics.load(done, 0))
      late = Atomics.wait(done, 0, n, PATIENCE_MS) === 'timed-out'
    if (late || Atomics.load(done, 1) > 0)
      throw environment('a thread of the reference ended early', {
        code: 'process-failed',
        hint: 'it may have been out of memory',
      })
  }

  async close(): Promise<void> {
    await Promise.all(this.#others.map((other) => other.terminate()))
  }
}

import { PRODUCT_WASM } from './product-bytes.js'

/** Rows of a panel of the left factor, columns of one of the right: a tile of sums that fits the registers. */
export const PANEL = 4

/** Blocks to be multiplied, as places in the memory of a kernel: numbers of float64 from its start. */
export interface Blocks {
  /** Panels of 4 rows, each `inner` times 4 values. */
  readonly a: number
  /** Panels of 4 columns, each `inner` times 4 values. */
  readonly b: number
  /** Row-major sums, to which the product is added. */
  readonly c: number
  readonly inner: number
  readonly aPanels: number
  readonly bPanels: number
  /** From panel to panel. */
  readonly aStep: number
  readonly bStep: number
  /** From row to row of the sums. */
  readonly cRow: number
}

/** What multiplies blocks: its memory, and the loop over them. */
export interface Kernel {
  /** Gives the memory, at least `length` float64 of it; what was there stays. */
  memory(length: number): Float64Array
  multiply(blocks: Blocks): void
}

/** The loop of product.wat in JavaScript: the same sums in the same order, bit for bit. */
export function plainKernel(): Kernel {
  let memory = new Float64Array(0)
  const tile = (a: number, b: number, at: number, { inner, cRow }: Blocks): void => {
    for (let r = 0; r < PANEL; r++) {
      const c = at + r * cRow
      let [s0, s1, s2, s3] = [memory[c]!, memory[c + 1]!, memory[c + 2]!, memory[c + 3]!]
      for (let k = 0, i = a + r, j = b; k < inner; k++, i += PANEL, j += PANEL) {
        const x = memory[i]!
        s0 += x * memory[j]!
        s1 += x * memory[j + 1]!
        s2 += x * memory[j + 2]!
        s3 += x * memory[j + 3]!
      }
      memory[c] = s0
      memory[c + 1] = s1
      memory[c + 2] = s2
      memory[c + 3] = s3
    }
  }
  return {
    memory(length) {
      if (memory.length < length) {
        const larger = new Float64Array(length)
        larger.set(memory)
        memory = larger
      }
      return memory
    },
    multiply(blocks) {
      const { a, b, c, aPanels, bPanels, aStep, bStep, cRow } = blocks
      for (let j = 0; j < bPanels; j++)
        for (let i = 0; i < aPanels; i++) tile(a + i * aStep, b + j * bStep, c + (i * cRow + j) * PANEL, blocks)
    },
  }
}

const BYTES = Float64Array.BYTES_PER_ELEMENT
const PAGE = 65536

/**
 * The loop in WebAssembly, a dozen times as fast.
 * @throws Error of WebAssembly if the machine has no SIMD, or a page forbids compilation
 */
export function wasmKernel(): Kernel {
  const bytes = Uint8Array.from(atob(PRODUCT_WASM), (character) => character.charCodeAt(0))
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes))
  const memory = exports.memory as WebAssembly.Memory
  const multiply = exports.multiply as (...bytes: number[]) => void
  let view = new Float64Array(memory.buffer)
  return {
    memory(length) {
      const missing = length * BYTES - memory.buffer.byteLength
      if (missing > 0) {
        memory.grow(Math.ceil(missing / PAGE))
        view = new Float64Array(memory.buffer)
      }
      return view
    },
    multiply({ a, b, c, inner, aPanels, bPanels, aStep, bStep, cRow }) {
      multiply(a * BYTES, b * BYTES, c * BYTES, inner, aPanels, bPanels, aStep * BYTES, bStep * BYTES, cRow * BYTES)
    },
  }
}

let chosen: Kernel | null = null

/** The kernel of this thread: WebAssembly, or JavaScript if that cannot be compiled. */
export function kernel(): Kernel {
  if (chosen !== null) return chosen
  try {
    chosen = wasmKernel()
  } catch {
    chosen = plainKernel()
  }
  return chosen
}

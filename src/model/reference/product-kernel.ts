import { PRODUCT_WASM } from './product-bytes.js'

/** Rows of a panel of the left factor, columns of one of the right: a tile of sums that fits the registers. */
export const PANEL = 4
/** Panels that are packed at a time: a line of the cache, in float32. */
export const GROUP = 4

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

/** Rows of float32 to be packed, as places in the memory of a kernel. */
export interface Unpacked {
  /** Row-major, in numbers of float32 from the start of the memory. */
  readonly from: number
  /** Panels of 4 columns, in numbers of float64. */
  readonly to: number
  readonly inner: number
  /** Number of groups of panels: the rows have sixteen columns of each. */
  readonly groups: number
  /** From row to row, in float32. */
  readonly fromRow: number
  /** From panel to panel, in float64. */
  readonly panel: number
}

/** The memory of a kernel. */
export interface KernelMemory {
  readonly doubles: Float64Array
  /** The same bytes. */
  readonly floats: Float32Array
}

/** Packs and multiplies blocks of matrices. */
export interface Kernel {
  /** Gives the memory, at least `length` float64 of it; what was there stays. */
  memory(length: number): KernelMemory
  multiply(blocks: Blocks): void
  pack(rows: Unpacked): void
}

const viewsOf = (buffer: ArrayBuffer): KernelMemory => ({
  doubles: new Float64Array(buffer),
  floats: new Float32Array(buffer),
})

const BYTES = Float64Array.BYTES_PER_ELEMENT

/** The loops of product.wat in JavaScript: the same sums in the same order, bit for bit. */
export function plainKernel(): Kernel {
  let views = viewsOf(new ArrayBuffer(0))
  const tile = (a: number, b: number, at: number, { inner, cRow }: Blocks): void => {
    const memory = views.doubles
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
      if (views.doubles.length < length) {
        const larger = viewsOf(new ArrayBuffer(length * BYTES))
        larger.doubles.set(views.doubles)
        views = larger
      }
      return views
    },
    multiply(blocks) {
      const { a, b, c, aPanels, bPanels, aStep, bStep, cRow } = blocks
      for (let j = 0; j < bPanels; j++)
        for (let i = 0; i < aPanels; i++) tile(a + i * aStep, b + j * bStep, c + (i * cRow + j) * PANEL, blocks)
    },
    pack({ from, to, inner, groups, fromRow, panel }) {
      const { doubles, floats } = views
      for (let j = 0; j < groups * GROUP; j++)
        for (let k = 0; k < inner; k++)
          for (let n = 0; n < PANEL; n++)
            doubles[to + j * panel + k * PANEL + n] = floats[from + k * fromRow + j * PANEL + n]!
    },
  }
}

const PAGE = 65536

/**
 * The loops in WebAssembly, ten times as fast.
 * @throws Error of WebAssembly if the machine has no SIMD, or a page forbids compilation
 */
export function wasmKernel(): Kernel {
  const bytes = Uint8Array.from(atob(PRODUCT_WASM), (character) => character.charCodeAt(0))
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes))
  const memory = exports.memory as WebAssembly.Memory
  const { multiply, pack } = exports as Record<'multiply' | 'pack', (...bytes: number[]) => void>
  let views = viewsOf(memory.buffer)
  return {
    memory(length) {
      const missing = length * BYTES - memory.buffer.byteLength
      if (missing > 0) {
        memory.grow(Math.ceil(missing / PAGE))
        views = viewsOf(memory.buffer)
      }
      return views
    },
    multiply({ a, b, c, inner, aPanels, bPanels, aStep, bStep, cRow }) {
      multiply(a * BYTES, b * BYTES, c * BYTES, inner, aPanels, bPanels, aStep * BYTES, bStep * BYTES, cRow * BYTES)
    },
    pack({ from, to, inner, groups, fromRow, panel }) {
      const float = Float32Array.BYTES_PER_ELEMENT
      pack(from * float, to * BYTES, inner, groups, fromRow * float, panel * BYTES)
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

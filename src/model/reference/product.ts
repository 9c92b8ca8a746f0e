import { GROUP, kernel, PANEL, type Kernel } from './product-kernel.js'

/** Rows of a matrix in an array: row i begins at `data[start + i·row]`. */
export interface Rows<T> {
  readonly data: T
  readonly start: number
  readonly row: number
}

/** A matrix in an array: element (i, j) is `data[start + i·row + j·column]`. */
export interface Matrix<T> extends Rows<T> {
  readonly column: number
}

/** A factor of a product. */
export type Factor = Matrix<Float64Array | Float32Array>

/** Size of a product: `[rows, inner] · [inner, outer]`. */
export interface ProductSize {
  readonly rows: number
  readonly inner: number
  readonly outer: number
}

/** A product `x · w`, written into `y`. */
export interface MatrixProduct {
  readonly x: Factor
  readonly w: Factor
  readonly size: ProductSize
  readonly y: Rows<Float64Array>
}

/** A row-major matrix of `columns` columns. */
export const matrix = <T>(data: T, columns: number, start = 0): Matrix<T> => ({
  data,
  start,
  row: columns,
  column: 1,
})

/** The transpose of such a matrix. */
export const transposed = <T>(data: T, columns: number, start = 0): Matrix<T> => ({
  data,
  start,
  row: 1,
  column: columns,
})

/** Sizes of the blocks: those of each factor stay in the second cache of a core, the panels in use in the first. */
const ROWS = 256
const INNER = 256
const COLUMNS = 256

const panels = (n: number): number => Math.ceil(n / PANEL)

type Pack<T> = (memory: Float64Array, place: number, from: Matrix<T>, length: number, inner: number) => void

/**
 * Makes a function that copies `length` rows of a matrix into panels of four at `place`, each `inner` times four
 * values. The last row stands for those that the last panel lacks: their sums are dropped.
 */
const packer =
  <T extends Float64Array | Float32Array>(): Pack<T> =>
  (memory, place, { data, start, row, column }, length, inner) => {
    for (let i = 0, to = place; i < length; i += PANEL) {
      const after = (n: number): number => Math.min(n, length - 1 - i) * row
      const [second, third, fourth] = [after(1), after(2), after(3)]
      for (let k = 0, x = start + i * row; k < inner; k++, x += column, to += PANEL) {
        memory[to] = data[x]!
        memory[to + 1] = data[x + second]!
        memory[to + 2] = data[x + third]!
        memory[to + 3] = data[x + fourth]!
      }
    }
  }

// Two, of which the engine compiles each for one type of array: the copying takes a third of the time.
const packFloat64 = packer<Float64Array>()
const packFloat32 = packer<Float32Array>()

function pack(memory: Float64Array, place: number, factor: Factor, length: number, inner: number): void {
  const { data } = factor
  if (data instanceof Float32Array) packFloat32(memory, place, { ...factor, data }, length, inner)
  else packFloat64(memory, place, { ...factor, data }, length, inner)
}

/** Rows `i` and on, columns `j` and on, of a matrix. */
const from = ({ data, start, row, column }: Factor, i: number, j: number): Factor => ({
  data,
  start: start + i * row + j * column,
  row,
  column,
})

const swapped = ({ data, start, row, column }: Factor): Factor => ({ data, start, row: column, column: row })

/** Places of the blocks in the memory of a kernel. */
interface Places {
  /** Panels of `x`, all of its inner axis, at 0; those of a block of `w`. */
  readonly b: number
  /** Sums. */
  readonly c: number
  /** Columns of the sums. */
  readonly width: number
  /** Rows of float32 of a block of `w`. */
  readonly raw: number
  readonly end: number
}

function placesFor({ rows, inner, outer }: ProductSize): Places {
  const height = Math.min(ROWS, panels(rows) * PANEL)
  const width = Math.min(COLUMNS, Math.ceil(panels(outer) / GROUP) * GROUP * PANEL)
  const block = Math.min(INNER, inner) * width
  const b = height * inner
  const c = b + block
  const raw = c + height * width
  return { b, c, width, raw, end: raw + block / 2 }
}

/** Packs a block `[deep, wide]` of the right factor. Rows of float32 go through the kernel, which is faster. */
function packRight(on: Kernel, places: Places, w: Factor, deep: number, wide: number): void {
  const { doubles, floats } = on.memory(places.end)
  const { data, start, row, column } = w
  if (column !== 1 || !(data instanceof Float32Array)) {
    pack(doubles, places.b, swapped(w), wide, deep)
    return
  }
  const { width } = places
  const from = places.raw * 2
  for (let k = 0; k < deep; k++) floats.set(data.subarray(start + k * row, start + k * row + wide), from + k * width)
  const groups = Math.ceil(wide / (PANEL * GROUP))
  on.pack({ from, to: places.b, inner: deep, groups, fromRow: width, panel: deep * PANEL })
}

/**
 * Computes a product in float64. Each sum takes its terms in their order, so that a result depends neither on the
 * kernel nor on how the work is cut.
 */
export function multiply({ x, w, size, y }: MatrixProduct, on: Kernel = kernel()): void {
  const { rows, inner, outer } = size
  const places = placesFor(size)
  const { b, c, width } = places
  const { doubles } = on.memory(places.end)
  for (let i = 0; i < rows; i += ROWS) {
    const high = Math.min(ROWS, rows - i)
    pack(doubles, 0, from(x, i, 0), high, inner)
    for (let j = 0; j < outer; j += COLUMNS) {
      const wide = Math.min(COLUMNS, outer - j)
      doubles.fill(0, c, c + panels(high) * PANEL * width)
      for (let k = 0; k < inner; k += INNER) {
        const deep = Math.min(INNER, inner - k)
        packRight(on, places, from(w, k, j), deep, wide)
        on.multiply({
          ...{ a: k * PANEL, aPanels: panels(high), aStep: inner * PANEL },
          ...{ b, bPanels: panels(wide), bStep: deep * PANEL },
          ...{ c, cRow: width, inner: deep },
        })
      }
      for (let r = 0; r < high; r++) {
        const sums = c + r * width
        y.data.set(doubles.subarray(sums, sums + wide), y.start + (i + r) * y.row + j)
      }
    }
  }
}

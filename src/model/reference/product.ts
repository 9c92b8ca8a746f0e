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

/** Products of matrices that lie one after another. */
export interface ProductRepeat {
  readonly count: number
  /** From each matrix to the next, in elements. */
  readonly x: number
  readonly w: number
  readonly y: number
}

/** A product `x · w`, written into `y`, or several of them. */
export interface MatrixProduct {
  readonly x: Factor
  readonly w: Factor
  readonly size: ProductSize
  readonly y: Rows<Float64Array>
  readonly repeat?: ProductRepeat
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
/** Numbers of float32 that are copied to the kernel at a time: many small copies take longer than one. */
const RAW = 4 << 20

const panels = (n: number): number => Math.ceil(n / PANEL)

type Pack<T> = (memory: Float64Array, place: number, from: Matrix<T>, length: number, inner: number) => void

/**
 * Makes a function that copies `length` rows of a matrix into panels of four at `place`, each `inner` times four
 * values. If the last panel lacks rows, the last row is repeated; the extra sums are dropped.
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
  /** Rows of float32 of `w`. */
  readonly raw: number
  /** Columns of those. */
  readonly rawWidth: number
  readonly end: number
}

const groupsOf = (columns: number): number => Math.ceil(columns / (PANEL * GROUP))

function placesFor({ rows, inner, outer }: ProductSize, isRaw: boolean): Places {
  const height = Math.min(ROWS, panels(rows) * PANEL)
  const columns = groupsOf(outer) * GROUP * PANEL
  const width = Math.min(COLUMNS, columns)
  const b = height * inner
  const c = b + Math.min(INNER, inner) * width
  const raw = c + height * width
  const rawWidth = Math.min(columns, Math.max(1, Math.floor(RAW / inner / COLUMNS)) * COLUMNS)
  return { b, c, width, raw, rawWidth, end: raw + (isRaw ? (inner * rawWidth) / 2 : 0) }
}

/** Copies `[inner, wide]` of a row-major factor to the kernel, as it is. */
function copyRaw(floats: Float32Array, places: Places, w: Matrix<Float32Array>, inner: number, wide: number): void {
  const { data, start, row } = w
  const to = places.raw * 2
  if (row === wide && wide === places.rawWidth) {
    floats.set(data.subarray(start, start + inner * row), to)
    return
  }
  for (let k = 0; k < inner; k++)
    floats.set(data.subarray(start + k * row, start + k * row + wide), to + k * places.rawWidth)
}

/** Columns `[j, end)` of a product's rows `[i, i + high)`, whose factors are packed or copied as far as they are. */
interface Strip {
  readonly i: number
  readonly high: number
  readonly j: number
  readonly end: number
}

function multiplyStrip({ w, size, y }: MatrixProduct, strip: Strip, places: Places, on: Kernel): void {
  const { i, high, end } = strip
  const { inner } = size
  const { b, c, width, raw, rawWidth } = places
  const { doubles } = on.memory(places.end)
  for (let { j } = strip; j < end; j += COLUMNS) {
    const wide = Math.min(COLUMNS, end - j)
    doubles.fill(0, c, c + panels(high) * PANEL * width)
    for (let k = 0; k < inner; k += INNER) {
      const deep = Math.min(INNER, inner - k)
      if (isRowMajor(w)) {
        const at = raw * 2 + k * rawWidth + j - strip.j
        on.pack({ from: at, to: b, inner: deep, groups: groupsOf(wide), fromRow: rawWidth, panel: deep * PANEL })
      } else pack(doubles, b, swapped(from(w, k, j)), wide, deep)
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

/** True of weights that the kernel itself packs, which is faster. */
const isRowMajor = (w: Factor): w is Matrix<Float32Array> => w.column === 1 && w.data instanceof Float32Array

function multiplyOnce(product: MatrixProduct, on: Kernel): void {
  const { x, w, size } = product
  const { rows, inner, outer } = size
  const places = placesFor(size, isRowMajor(w))
  const { doubles, floats } = on.memory(places.end)
  for (let i = 0; i < rows; i += ROWS) {
    const high = Math.min(ROWS, rows - i)
    pack(doubles, 0, from(x, i, 0), high, inner)
    for (let j = 0; j < outer; j += places.rawWidth) {
      const end = Math.min(outer, j + places.rawWidth)
      if (isRowMajor(w)) copyRaw(floats, places, { ...w, start: w.start + j }, inner, end - j)
      multiplyStrip(product, { i, high, j, end }, places, on)
    }
  }
}

/** Number `n` of the products. */
const nth = ({ x, w, y, size }: MatrixProduct, repeat: ProductRepeat, n: number): MatrixProduct => ({
  x: { ...x, start: x.start + n * repeat.x },
  w: { ...w, start: w.start + n * repeat.w },
  y: { ...y, start: y.start + n * repeat.y },
  size,
})

/**
 * Computes products in float64. Each sum takes its terms in their order, so that a result depends neither on the
 * kernel nor on how the work is cut.
 */
export function multiply(product: MatrixProduct, on: Kernel = kernel()): void {
  const { repeat } = product
  if (repeat === undefined) multiplyOnce(product, on)
  else for (let n = 0; n < repeat.count; n++) multiplyOnce(nth(product, repeat, n), on)
}

/** Columns that a thread takes at least: fewer share a line of the cache with those of another. */
const LEAST_COLUMNS = 16

/** Cuts products into at most `parts` parts of about equal work; sums stay whole, so that results stay the same. */
export function cut(product: MatrixProduct, parts: number): MatrixProduct[] {
  const { w, y, size, repeat } = product
  const whole = repeat === undefined ? size.outer : repeat.count
  const least = repeat === undefined ? LEAST_COLUMNS : 1
  const share = Math.ceil(whole / least / parts) * least
  return Array.from({ length: Math.ceil(whole / share) }, (_, part) => {
    const from = part * share
    const count = Math.min(share, whole - from)
    if (repeat !== undefined) return { ...nth(product, repeat, from), repeat: { ...repeat, count } }
    return {
      ...product,
      w: { ...w, start: w.start + from * w.column },
      y: { ...y, start: y.start + from },
      size: { ...size, outer: count },
    }
  })
}

/** Arrays that elements are copied between; 16-bit elements are copied as they are. */
export type Elements = Float32Array | Uint16Array | Float64Array

/** Rows of a larger matrix: element `[r, c]` is `data[start + r · stride + c]`. */
export interface Rows {
  readonly data: Elements
  readonly start: number
  readonly stride: number
}

/**
 * `to[c, r] = from[r, c]` for `high × wide` elements, in 8×8 blocks: one block touches 8 cache lines on either side.
 * @param high rows of `from` to copy
 * @param wide columns of `from` to copy
 */
export function transposeInto(from: Rows, to: Rows, high: number, wide: number): void {
  const { data: source, start, stride } = from
  const { data: target, start: first, stride: pitch } = to
  const high8 = high & ~7
  const wide8 = wide & ~7
  for (let r = 0; r < high8; r += 8) {
    for (let c = 0; c < wide8; c += 8) {
      for (let i = r; i < r + 8; i++) {
        let f = start + i * stride + c
        let t = first + c * pitch + i
        for (let j = 0; j < 8; j++, f++, t += pitch) target[t] = source[f]!
      }
    }
  }
  for (let r = 0; r < high; r++) {
    for (let c = r < high8 ? wide8 : 0; c < wide; c++) target[first + c * pitch + r] = source[start + r * stride + c]!
  }
}

/** `[rows, columns]` row-major → `[columns, rows]`. */
export const transpose = (from: Float32Array, rows: number, columns: number, to: Float32Array): void => {
  transposeInto({ data: from, start: 0, stride: columns }, { data: to, start: 0, stride: rows }, rows, columns)
}

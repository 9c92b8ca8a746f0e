/**
 * Converts an array that NumPy stored column-major (`fortran_order`, as transposed views are saved) to row-major.
 * @param shape shape of the array
 * @param width bytes per element
 */
export function byRows(columns: Uint8Array, shape: readonly number[], width: number): Uint8Array {
  const rows = new Uint8Array(columns.length)
  // Stride of each axis in the file, in elements.
  const steps: number[] = []
  let step = 1
  for (const size of shape) {
    steps.push(step)
    step *= size
  }
  const index = shape.map(() => 0)
  let from = 0
  for (let to = 0; to < columns.length; to += width) {
    for (let b = 0; b < width; b++) rows[to + b] = columns[from * width + b]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += steps[axis]!
      if (++index[axis]! < shape[axis]!) break
      from -= steps[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
  return rows
}

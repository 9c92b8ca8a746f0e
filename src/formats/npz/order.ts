/**
 * Brings an array that NumPy stored by columns (`fortran_order`, as transposed views are saved) into the order of rows.
 * @param shape of the array
 * @param width bytes of an element
 */
export function byRows(columns: Uint8Array, shape: readonly number[], width: number): Uint8Array {
  const rows = new Uint8Array(columns.length)
  // How far the next element along each axis is away, in elements of the file.
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

import { elementCount } from '../core/source.js'

/** Variables that were saved in rectangles (partitioned variables), assembled while they are read. */

/** A rectangle of a tensor: its start and its length along each axis. */
export interface Rectangle {
  readonly start: readonly number[]
  readonly extent: readonly number[]
}

/** True if a rectangle lies within `shape`. */
export const isWithin = ({ start, extent }: Rectangle, shape: readonly number[]): boolean =>
  start.length === shape.length &&
  extent.length === shape.length &&
  start.every((s, i) => s >= 0 && extent[i]! >= 0 && s + extent[i]! <= shape[i]!)

/**
 * Rectangles of one tensor: each is compared with each. A variable is partitioned among some hundred servers at most.
 */
export const MAX_RECTANGLES = 1024

/** True if rectangles within `shape` cover it without overlap; false if there are more than `MAX_RECTANGLES`. */
export function covers(rectangles: readonly Rectangle[], shape: readonly number[]): boolean {
  const filled = rectangles.filter(({ extent }) => !extent.includes(0))
  if (filled.length > MAX_RECTANGLES) return false
  if (filled.reduce((n, { extent }) => n + elementCount(extent), 0) !== elementCount(shape)) return false
  // The number of elements is right, so without overlap nothing is missing.
  return filled.every((a, i) => !filled.some((b, k) => k > i && overlap(a, b)))
}

const overlap = (a: Rectangle, b: Rectangle): boolean =>
  a.start.every((s, i) => s < b.start[i]! + b.extent[i]! && b.start[i]! < s + a.extent[i]!)

/** Comparison function: sorts rectangles by their starts. */
export const byStart = (a: Rectangle, b: Rectangle): number =>
  a.start.map((s, i) => s - b.start[i]!).find((d) => d !== 0) ?? 0

/** Position of `index` within a rectangle, and the number of elements from there that are contiguous in both orders. */
function placeIn(
  { start, extent }: Rectangle,
  shape: readonly number[],
  index: readonly number[],
): { at: number; run: number } {
  let at = 0
  for (let i = 0; i < shape.length; i++) at = at * extent[i]! + index[i]! - start[i]!
  let run = 1
  let size = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    // Positions left along this axis, less what the inner axes have used up of the current one.
    run = (extent[i]! - (index[i]! - start[i]!) - 1) * size + run
    if (extent[i] !== shape[i]) break
    size *= extent[i]!
  }
  return { at, run }
}

/** A tensor and the rectangles that cover it; `width` is the size of an element in bytes. */
export interface Sliced<R extends Rectangle> {
  readonly shape: readonly number[]
  readonly width: number
  readonly rectangles: readonly R[]
}

/**
 * Reads elements of a tensor from the rectangles that cover it, run by run.
 * @param first index of the first element, in the row-major order of the whole tensor
 * @param target whole elements of `width` bytes
 * @param read fills its target with elements of a rectangle, starting at its element `at`
 */
export function readRectangles<R extends Rectangle>(
  { shape, width, rectangles }: Sliced<R>,
  first: number,
  target: Uint8Array,
  read: (rectangle: R, at: number, target: Uint8Array) => void,
): void {
  const strides = shape.map((_, i) => elementCount(shape.slice(i + 1)))
  for (let done = 0; done < target.length;) {
    const element = first + done / width
    const index = strides.map((stride, i) => Math.floor(element / stride) % shape[i]!)
    const rectangle = rectangles.find(({ start, extent }) =>
      start.every((from, i) => index[i]! >= from && index[i]! < from + extent[i]!),
    )
    if (rectangle === undefined) throw new RangeError('the rectangles do not cover the tensor')
    const { at, run } = placeIn(rectangle, shape, index)
    const bytes = Math.min(run * width, target.length - done)
    read(rectangle, at, target.subarray(done, done + bytes))
    done += bytes
  }
}

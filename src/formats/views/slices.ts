import { elementCount } from '../core/source.js'

/** Variables that were saved in rectangles (partitioned variables), put together while they are read. */

/** A rectangle of a tensor: where it begins and how far it goes along each axis. */
export interface Rectangle {
  readonly start: readonly number[]
  readonly extent: readonly number[]
}

/** Whether a rectangle lies within `shape`. */
export const isWithin = ({ start, extent }: Rectangle, shape: readonly number[]): boolean =>
  start.length === shape.length &&
  extent.length === shape.length &&
  start.every((s, i) => s >= 0 && extent[i]! >= 0 && s + extent[i]! <= shape[i]!)

/** A variable is partitioned among some hundred servers at most; each rectangle is compared with every other. */
const MAX_RECTANGLES = 4096

/** Whether rectangles that lie within `shape` cover it and do not overlap; more than any variable has do not. */
export function covers(rectangles: readonly Rectangle[], shape: readonly number[]): boolean {
  const filled = rectangles.filter(({ extent }) => !extent.includes(0))
  if (filled.length > MAX_RECTANGLES) return false
  if (filled.reduce((n, { extent }) => n + elementCount(extent), 0) !== elementCount(shape)) return false
  // With the right number of elements, none are missing where none are twice.
  return filled.every((a, i) => !filled.some((b, k) => k > i && overlap(a, b)))
}

const overlap = (a: Rectangle, b: Rectangle): boolean =>
  a.start.every((s, i) => s < b.start[i]! + b.extent[i]! && b.start[i]! < s + a.extent[i]!)

/** In the order of their starts. */
export const byStart = (a: Rectangle, b: Rectangle): number =>
  a.start.map((s, i) => s - b.start[i]!).find((d) => d !== 0) ?? 0

/** Element number of `index` within a rectangle, and how many elements follow it there in the order of the whole tensor. */
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

/** A tensor and the rectangles that cover it; `width` is the bytes of an element. */
export interface Sliced<R extends Rectangle> {
  readonly shape: readonly number[]
  readonly width: number
  readonly rectangles: readonly R[]
}

/**
 * Reads elements of a tensor from the rectangles that cover it, run by run.
 * @param first number of the first element, in the order of the whole tensor
 * @param target whole elements of `width` bytes
 * @param read fills its target with elements of a rectangle, from the element `at` of it on
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

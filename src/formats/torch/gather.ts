/**
 * Reads a range of a tensor that is not stored in the order of its elements: transposed, sliced, expanded. Uses one
 * buffer of bounded size, and reads adjacent elements in one piece.
 */

/** Largest size of one read. */
const BUFFER_BYTES = 1024 * 1024
/** Up to this many bytes are read for however few elements: a call costs as much. */
const CHEAP_BYTES = 16 * 1024
/** Above it, at least one byte in this many must be needed. */
const SPARSE = 16

export interface Strided {
  readonly shape: readonly number[]
  /** In elements. */
  readonly strides: readonly number[]
  /** Of the first element, in elements. */
  readonly offset: number
  /** Bytes of an element. */
  readonly width: number
}

/** Fills `target` with the bytes of the storage from `offset` on. */
export type ReadRange = (offset: number, target: Uint8Array) => void

/** Strides of row-major order. */
export const rowMajor = (shape: readonly number[]): number[] => {
  const strides = shape.map(() => 1)
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!
  return strides
}

/** True if elements are in row-major order without gaps; axes of length 1 may have any stride. */
export function isContiguous({ shape, strides }: Pick<Strided, 'shape' | 'strides'>): boolean {
  const expected = rowMajor(shape)
  return shape.includes(0) || shape.every((d, i) => d === 1 || strides[i] === expected[i])
}

/** Elements from the first to the last, the last one included. */
export const spanOf = (extent: readonly number[], strides: readonly number[]): number =>
  extent.reduce((n, d, i) => n + (d - 1) * strides[i]!, 1)

/** A part of a tensor: an element position, and an extent along each axis. */
interface Block {
  readonly source: number
  readonly target: number
  readonly extent: readonly number[]
}

export class Gatherer {
  readonly #outStrides: readonly number[]
  #buffer: Uint8Array = new Uint8Array(0)

  constructor(
    readonly tensor: Strided,
    readonly readRange: ReadRange,
  ) {
    this.#outStrides = rowMajor(tensor.shape)
  }

  /** Fills `target` with the bytes of the tensor from byte `offset` on, in row-major order. */
  read(offset: number, target: Uint8Array): void {
    if (target.length === 0) return
    const { width } = this.tensor
    const first = Math.floor(offset / width)
    const last = Math.ceil((offset + target.length) / width)
    const aligned = first * width === offset && (last - first) * width === target.length
    const out = aligned ? target : new Uint8Array((last - first) * width)
    for (const block of this.#blocks(first, last)) this.#fill(block, out)
    if (!aligned) target.set(out.subarray(offset - first * width, offset - first * width + target.length))
  }

  /** The elements `first` to `last` of row-major order as rectangles: part of a row, whole rows, part of a row. */
  *#blocks(first: number, last: number): Generator<Block> {
    const { shape, strides } = this.tensor
    const out = this.#outStrides
    for (let at = first; at < last;) {
      const wholeStep = (step: number): boolean => at % step === 0 && last - at >= step
      // The outermost axis along which whole steps begin here and fit.
      let axis = shape.length
      while (axis > 0 && wholeStep(out[axis - 1]!)) axis--
      if (axis === shape.length) {
        yield { source: this.#position(at), target: at - first, extent: shape.map(() => 1) }
        at++
        continue
      }
      const step = out[axis]!
      const index = Math.floor(at / step) % shape[axis]!
      const count = Math.min(shape[axis]! - index, Math.floor((last - at) / step))
      yield {
        source: this.#position(at),
        target: at - first,
        extent: strides.map((_, i) => (i < axis ? 1 : i === axis ? count : shape[i]!)),
      }
      at += count * step
    }
  }

  /** Offset in the storage of an element in row-major order, both in elements. */
  #position(element: number): number {
    const { shape, strides, offset } = this.tensor
    return this.#outStrides.reduce((n, step, i) => n + (Math.floor(element / step) % shape[i]!) * strides[i]!, offset)
  }

  #fill(block: Block, out: Uint8Array): void {
    const { strides, width } = this.tensor
    const span = spanOf(block.extent, strides) * width
    const wanted = block.extent.reduce((n, d) => n * d, width)
    if (span <= CHEAP_BYTES || (span <= BUFFER_BYTES && span <= wanted * SPARSE)) {
      this.#copy(block, span, out)
      return
    }
    const axis = this.#widestAxis(block.extent)
    const half = Math.ceil(block.extent[axis]! / 2)
    for (const [from, length] of [
      [0, half],
      [half, block.extent[axis]! - half],
    ] as const)
      this.#fill(
        {
          source: block.source + from * strides[axis]!,
          target: block.target + from * this.#outStrides[axis]!,
          extent: block.extent.map((d, i) => (i === axis ? length : d)),
        },
        out,
      )
  }

  #widestAxis(extent: readonly number[]): number {
    const { strides } = this.tensor
    let axis = 0
    extent.forEach((d, i) => {
      if ((d - 1) * strides[i]! > (extent[axis]! - 1) * strides[axis]!) axis = i
    })
    return axis
  }

  /** One read of the bytes that a block spans, then its elements one by one. */
  #copy({ source, target, extent }: Block, span: number, out: Uint8Array): void {
    const { strides, width } = this.tensor
    if (this.#buffer.length < span) this.#buffer = new Uint8Array(Math.max(span, CHEAP_BYTES))
    const bytes = this.#buffer.subarray(0, span)
    this.readRange(source * width, bytes)
    const inner = extent.length - 1
    const run = extent[inner] ?? 1
    const from = (strides[inner] ?? 1) * width
    const index = extent.map(() => 0)
    for (;;) {
      let read = 0
      let write = target
      for (let i = 0; i < inner; i++) {
        read += index[i]! * strides[i]!
        write += index[i]! * this.#outStrides[i]!
      }
      copyElements(bytes.subarray(read * width), from, out.subarray(write * width), run, width)
      let axis = inner - 1
      for (; axis >= 0; axis--) {
        index[axis] = index[axis]! + 1
        if (index[axis]! < extent[axis]!) break
        index[axis] = 0
      }
      if (axis < 0) return
    }
  }
}

/** Copies `count` elements of `width` bytes that are `step` bytes apart. */
function copyElements(bytes: Uint8Array, step: number, out: Uint8Array, count: number, width: number): void {
  if (step === width) {
    out.set(bytes.subarray(0, count * width))
    return
  }
  for (let n = 0, read = 0, write = 0; n < count; n++, read += step, write += width)
    for (let b = 0; b < width; b++) out[write + b] = bytes[read + b]!
}

import { ELEMENTS_WASM } from './elements-bytes.js'

/** Functions of the reference that take an exponential of each element: most of its time beside the products. */
export interface Elements {
  /** Replaces each row of `width` numbers by its softmax. Even and odd places are summed apart, then together. */
  softmax(data: Float64Array, width: number): void
  /** Sets `y` to `x / (1 + exp(x·(linear + cubic·x²)))`, which is swish, or GELU by tanh. */
  gate(x: Float64Array, y: Float64Array, curve: { readonly linear: number; readonly cubic: number }): void
}

/** Arguments below the first give 0, those above the second Infinity: the ends of float64. */
const [LEAST, LARGEST] = [-708, 710]
/** ln 2 in two parts: products of the first with whole numbers up to 1024 are exact. */
const [LN2, LN2_REST] = [0.6931467056274414, 4.7493250390316726e-7]

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1))
/** 1/13!, 1/12! … 1/0!: what is left of the series is below 1e-17 up to ln 2 / 2. */
const SERIES = Array.from({ length: 14 }, (_, i) => 1 / factorial(13 - i))

/** Rounds to the nearest whole number, halves to even: adding this number leaves no place for a fraction. */
const ROUNDING = 1.5 * 2 ** 52

/** `exp(x)` to float64, as elements.wat computes it. */
export function exp(x: number): number {
  if (x < LEAST) return 0
  const argument = x > LARGEST ? LARGEST : x
  const n = argument * Math.LOG2E + ROUNDING - ROUNDING
  const rest = argument - n * LN2 - n * LN2_REST
  let sum = SERIES[0]!
  for (let k = 1; k < SERIES.length; k++) sum = sum * rest + SERIES[k]!
  return sum * 2 ** n
}

function softmaxOf(row: Float64Array): void {
  let max = -Infinity
  for (const x of row) if (x > max) max = x
  let [even, odd] = [0, 0]
  for (let i = 0; i < row.length; i++) {
    const e = (row[i] = exp(row[i]! - max))
    if (i % 2 === 0) even += e
    else odd += e
  }
  const sum = even + odd
  for (let i = 0; i < row.length; i++) row[i]! /= sum
}

/** The functions of elements.wat in JavaScript: the same operations in the same order, bit for bit. */
export const plainElements: Elements = {
  softmax(data, width) {
    for (let start = 0; start < data.length; start += width) softmaxOf(data.subarray(start, start + width))
  },
  gate(from, to, { linear, cubic }) {
    for (let i = 0; i < from.length; i++) {
      const x = from[i]!
      to[i] = x / (1 + exp(x * (linear + cubic * (x * x))))
    }
  },
}

const PAGE = 65536
const BYTES = Float64Array.BYTES_PER_ELEMENT
/** Numbers that are computed at a time: they stay in the first cache of a core. */
const BLOCK = 2048

/**
 * The functions in WebAssembly, two numbers at a time.
 * @throws Error of WebAssembly if the machine has no SIMD, or a page forbids compilation
 */
export function wasmElements(): Elements {
  const bytes = Uint8Array.from(atob(ELEMENTS_WASM), (character) => character.charCodeAt(0))
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes))
  const memory = exports.memory as WebAssembly.Memory
  const { softmax, gate } = exports as Record<'softmax' | 'gate', (...numbers: number[]) => void>
  const constants = [Math.LOG2E, LN2, LN2_REST, LEAST, LARGEST, ...SERIES]
  new Float64Array(memory.buffer).set(constants)
  const at = Math.ceil(constants.length / 2) * 2 * BYTES
  let block = new Float64Array(memory.buffer, at)
  const reserve = (length: number): void => {
    if (block.length >= length) return
    memory.grow(Math.ceil(((length - block.length) * BYTES) / PAGE))
    block = new Float64Array(memory.buffer, at)
  }
  return {
    softmax(data, width) {
      const pairs = Math.ceil(width / 2)
      const rows = Math.max(1, Math.floor(BLOCK / width))
      reserve(rows * pairs * 2)
      for (let start = 0; start < data.length; start += rows * width) {
        const part = data.subarray(start, start + rows * width)
        const count = part.length / width
        if (width % 2 === 0) {
          block.set(part)
          softmax(at, count, pairs)
          part.set(block.subarray(0, part.length))
          continue
        }
        for (let r = 0; r < count; r++) {
          block.set(part.subarray(r * width, (r + 1) * width), r * 2 * pairs)
          block[r * 2 * pairs + width] = -Infinity
        }
        softmax(at, count, pairs)
        for (let r = 0; r < count; r++) part.set(block.subarray(r * 2 * pairs, r * 2 * pairs + width), r * width)
      }
    },
    gate(x, y, { linear, cubic }) {
      reserve(BLOCK)
      for (let start = 0; start < x.length; start += BLOCK) {
        const part = x.subarray(start, start + BLOCK)
        block.set(part)
        gate(at, Math.ceil(part.length / 2), linear, cubic)
        y.set(block.subarray(0, part.length), start)
      }
    },
  }
}

let chosen: Elements | null = null

/** The functions of this thread: WebAssembly, or JavaScript if that cannot be compiled. */
export function elements(): Elements {
  if (chosen !== null) return chosen
  try {
    chosen = wasmElements()
  } catch {
    chosen = plainElements
  }
  return chosen
}

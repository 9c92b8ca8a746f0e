import { elementCount, type TensorSource } from '../../formats/core/source.js'
import type { LayerNorm, Parameter } from '../albert.js'
import type { Activation } from '../config.js'
import type { Ops } from '../ops.js'
import { elements } from './elements.js'
import { THIS_THREAD, type Processors } from './processors.js'
import { matrix, transposed, type MatrixProduct } from './product.js'
import { ScopePath } from './scope-path.js'
import { readLogical, readStored } from '../tensors/read.js'

/** A float64 tensor, row-major. */
export interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

const last = (shape: readonly number[]): number => shape[shape.length - 1] ?? 1
const rowsOf = (t: Tensor): number => t.data.length / last(t.shape)

/** Numbers of float32 between two rows that are read rather than asked for again, and of a reading in all. */
const GAP = 8 << 10
const READING = 1 << 20

/** Rows of a table that are read at once: all from the first to the last of `ids`, of which none is far away. */
function runsOf(ids: readonly number[], width: number): [number, ...number[]][] {
  const runs: [number, ...number[]][] = []
  for (const id of ids.toSorted((a, b) => a - b)) {
    const run = runs[runs.length - 1]
    const isNear = run !== undefined && (id - run.at(-1)!) * width <= GAP && (id - run[0]) * width < READING
    if (isNear) run.push(id)
    else runs.push([id])
  }
  return runs
}

/** The error function by its series and continued fraction, to double precision (Abramowitz & Stegun 7.1.6, 7.1.14). */
export function erf(x: number): number {
  const a = Math.abs(x)
  if (a > 6) return Math.sign(x)
  if (a < 2.5) {
    let term = a
    let sum = a
    for (let n = 1; n < 200 && Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (2 * a * a) / (2 * n + 1)
      sum += term
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum
  }
  let fraction = a
  for (let k = 120; k >= 1; k--) fraction = a + k / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-a * a) / (fraction * Math.sqrt(Math.PI)))
}

/** Activations that are a gate of each element (`Elements.gate`). */
const GATES = {
  // 0.5·x·(1 + tanh(y)) with (1 + tanh(y)) / 2 = 1 / (1 + exp(−2y)) and y = √(2/π)·(x + 0.044715·x³)
  gelu_tanh: { linear: -2 * Math.sqrt(2 / Math.PI), cubic: -2 * Math.sqrt(2 / Math.PI) * 0.044715 },
  swish: { linear: -1, cubic: 0 },
}

const SCALAR: Readonly<Record<Exclude<Activation, keyof typeof GATES>, (x: number) => number>> = {
  gelu_erf: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  relu: (x) => Math.max(0, x),
  tanh: Math.tanh,
  linear: (x) => x,
}

/**
 * `Ops` that compute in float64: slow and obvious, the arbiter of every comparison. Weights are float32, sums are
 * float64. A parameter is read when it is first used and dropped after its last use of `uses`, so that a model
 * without sharing needs one layer's memory and a shared block is read once.
 */
export class ReferenceOps implements Ops<Tensor> {
  protected readonly names = new ScopePath()
  readonly #cache = new Map<Parameter, Float32Array>()
  readonly #left: Map<Parameter, number>

  constructor(
    readonly source: TensorSource,
    uses: ReadonlyMap<Parameter, number>,
    readonly processors: Processors = THIS_THREAD,
  ) {
    this.#left = new Map(uses)
  }

  /** Called after each layer. */
  onLayer: () => void = () => undefined

  /** A tensor all of which is yet to be written: what is in its memory may be left from another. */
  #empty(shape: readonly number[]): Tensor {
    return { shape, data: this.processors.float64(elementCount(shape)) }
  }

  #weights(p: Parameter): Float32Array {
    const data = this.#cache.get(p) ?? readLogical(this.source, p, this.processors.float32)
    const left = (this.#left.get(p) ?? 1) - 1
    this.#left.set(p, left)
    if (left > 0) this.#cache.set(p, data)
    else this.#cache.delete(p)
    return data
  }

  scope(name: string, body: () => Tensor): Tensor {
    return this.names.scope(name, body)
  }

  gather(table: Parameter, ids: Tensor): Tensor {
    const width = last(table.shape)
    const { shape, data } = this.#empty([...ids.shape, width])
    const rows = new Map<number, number[]>()
    ids.data.forEach((id, i) => {
      const places = rows.get(id)
      if (places === undefined) rows.set(id, [i])
      else places.push(i)
    })
    for (const run of runsOf([...rows.keys()], width)) {
      const [first] = run
      const read = new Float32Array((run.at(-1)! - first + 1) * width)
      readStored(this.source, table, first * width, read)
      for (const id of run)
        for (const i of rows.get(id)!)
          data.set(read.subarray((id - first) * width, (id - first + 1) * width), i * width)
    }
    return { shape, data }
  }

  positions(table: Parameter, ids: Tensor): Tensor {
    const width = last(table.shape)
    const { shape, data } = this.#empty([last(ids.shape), width])
    const rows = new Float32Array(data.length)
    readStored(this.source, table, 0, rows)
    data.set(rows)
    return { shape, data }
  }

  #addBias(y: Float64Array, bias: Parameter | null): void {
    if (bias === null) return
    const b = this.#weights(bias)
    for (let start = 0; start < y.length; start += b.length) for (let i = 0; i < b.length; i++) y[start + i]! += b[i]!
  }

  /** Computes `x · kernel`. */
  protected multiply(product: MatrixProduct): void {
    this.processors.multiply(product)
  }

  linear(x: Tensor, kernel: Parameter, bias: Parameter | null): Tensor {
    const [inner = 1, outer = 1] = kernel.shape
    const y = this.#empty([...x.shape.slice(0, -1), outer])
    const w = matrix(this.#weights(kernel), outer)
    this.multiply({ x: matrix(x.data, inner), w, size: { rows: rowsOf(x), inner, outer }, y: matrix(y.data, outer) })
    this.#addBias(y.data, bias)
    return y
  }

  groupedLinear(x: Tensor, kernel: Parameter, bias: Parameter | null): Tensor {
    const [groups = 1, inner = 1, outer = 1] = kernel.shape
    const y = this.#empty([...x.shape.slice(0, -1), groups * outer])
    this.processors.multiply({
      x: { data: x.data, start: 0, row: inner * groups, column: groups },
      w: matrix(this.#weights(kernel), outer),
      size: { rows: rowsOf(x), inner, outer },
      y: matrix(y.data, groups * outer),
      repeat: { count: groups, x: 1, w: inner * outer, y: outer },
    })
    this.#addBias(y.data, bias)
    return y
  }

  linearTransposed(x: Tensor, weight: Parameter, bias: Parameter | null): Tensor {
    const [outer = 1, inner = 1] = weight.shape
    const y = this.#empty([...x.shape.slice(0, -1), outer])
    const w = transposed(this.#weights(weight), inner)
    const size = { rows: rowsOf(x), inner, outer }
    this.processors.multiply({ x: matrix(x.data, inner), w, size, y: matrix(y.data, outer) })
    this.#addBias(y.data, bias)
    return y
  }

  add(a: Tensor, b: Tensor): Tensor {
    if (a.shape.length === 4) return this.#addToScores(a, b)
    const { shape, data } = this.#empty(a.shape)
    const width = b.data.length
    for (let start = 0; start < data.length; start += width)
      for (let i = 0; i < width; i++) data[start + i] = a.data[start + i]! + b.data[i]!
    return { shape, data }
  }

  /**
   * The attention bias `[B, 1, 1, S]` over scores `[B, N, S, S]`, in their place: they are the largest tensors of a
   * long row by far, and no one reads them again.
   */
  #addToScores({ shape, data }: Tensor, bias: Tensor): Tensor {
    if (bias.data.every((x) => x === 0)) return { shape, data }
    const length = last(shape)
    const perBatch = data.length / (shape[0] ?? 1)
    for (let start = 0; start < data.length; start += length) {
      const row = Math.floor(start / perBatch) * length
      for (let i = 0; i < length; i++) data[start + i]! += bias.data[row + i]!
    }
    return { shape, data }
  }

  layerNorm(x: Tensor, norm: LayerNorm, epsilon: number): Tensor {
    const width = last(x.shape)
    const gamma = this.#weights(norm.gamma)
    const beta = this.#weights(norm.beta)
    const { shape, data } = this.#empty(x.shape)
    for (let start = 0; start < data.length; start += width) {
      let mean = 0
      for (let i = 0; i < width; i++) mean += x.data[start + i]!
      mean /= width
      let variance = 0
      for (let i = 0; i < width; i++) variance += (x.data[start + i]! - mean) ** 2
      const scale = 1 / Math.sqrt(variance / width + epsilon)
      for (let i = 0; i < width; i++) data[start + i] = (x.data[start + i]! - mean) * scale * gamma[i]! + beta[i]!
    }
    return { shape, data }
  }

  activation(x: Tensor, kind: Activation): Tensor {
    const { shape, data } = this.#empty(x.shape)
    if (kind === 'gelu_tanh' || kind === 'swish') {
      elements().gate(x.data, data, GATES[kind])
      return { shape, data }
    }
    const apply = SCALAR[kind]
    for (let i = 0; i < data.length; i++) data[i] = apply(x.data[i]!)
    return { shape, data }
  }

  attentionBias(mask: Tensor, penalty: number): Tensor {
    const [batch = 1, length = 1] = mask.shape
    return { shape: [batch, 1, 1, length], data: mask.data.map((m) => (1 - m) * penalty) }
  }

  splitHeads(x: Tensor, heads: number): Tensor {
    const [batch = 1, length = 1, hidden = 1] = x.shape
    const size = hidden / heads
    const { shape, data } = this.#empty([batch, heads, length, size])
    for (let b = 0, i = 0; b < batch; b++)
      for (let n = 0; n < heads; n++)
        for (let s = 0; s < length; s++)
          for (let d = 0; d < size; d++) data[i++] = x.data[(b * length + s) * hidden + n * size + d]!
    return { shape, data }
  }

  mergeHeads(x: Tensor): Tensor {
    const [batch = 1, heads = 1, length = 1, size = 1] = x.shape
    const { shape, data } = this.#empty([batch, length, heads * size])
    for (let b = 0, i = 0; b < batch; b++)
      for (let s = 0; s < length; s++)
        for (let n = 0; n < heads; n++)
          for (let d = 0; d < size; d++) data[i++] = x.data[((b * heads + n) * length + s) * size + d]!
    return { shape, data }
  }

  /** Product of the matrices of each head. @param heads shape `[B, N]` */
  #headProducts({ x, w, size }: Pick<MatrixProduct, 'x' | 'w' | 'size'>, heads: readonly [number, number]): Tensor {
    const { rows, inner, outer } = size
    const y = this.#empty([...heads, rows, outer])
    const repeat = { count: heads[0] * heads[1], x: rows * inner, w: inner * outer, y: rows * outer }
    this.processors.multiply({ x, w, size, y: matrix(y.data, outer), repeat })
    return y
  }

  scores(query: Tensor, key: Tensor, headSize: number): Tensor {
    const [batch = 1, heads = 1, length = 1, width = 1] = query.shape
    // There are more scores than numbers of the query.
    const scaled = this.#empty(query.shape).data
    const scale = Math.sqrt(headSize)
    for (let i = 0; i < scaled.length; i++) scaled[i] = query.data[i]! / scale
    const size = { rows: length, inner: width, outer: length }
    return this.#headProducts({ x: matrix(scaled, width), w: transposed(key.data, width), size }, [batch, heads])
  }

  /** In the place of its argument, the scores. */
  softmax(x: Tensor): Tensor {
    elements().softmax(x.data, last(x.shape))
    return x
  }

  context(probabilities: Tensor, value: Tensor): Tensor {
    const [batch = 1, heads = 1, length = 1, width = 1] = value.shape
    const size = { rows: length, inner: length, outer: width }
    const [x, w] = [matrix(probabilities.data, length), matrix(value.data, width)]
    return this.#headProducts({ x, w, size }, [batch, heads])
  }

  firstToken(x: Tensor): Tensor {
    const [batch = 1, length = 1, hidden = 1] = x.shape
    const { shape, data } = this.#empty([batch, hidden])
    for (let b = 0; b < batch; b++)
      data.set(x.data.subarray(b * length * hidden, b * length * hidden + hidden), b * hidden)
    return { shape, data }
  }

  pick(x: Tensor, index: number): Tensor {
    const width = last(x.shape)
    const data = Float64Array.from({ length: rowsOf(x) }, (_, row) => x.data[row * width + index]!)
    return { shape: x.shape.slice(0, -1), data }
  }

  choicesToRows(ids: Tensor): Tensor {
    const [batch = 1, choices = 1, length = 1] = ids.shape
    return { shape: [batch * choices, length], data: ids.data }
  }

  rowsToChoices(scores: Tensor, ids: Tensor): Tensor {
    return { shape: ids.shape.slice(0, 2), data: scores.data }
  }

  mark(name: string, x: Tensor): Tensor {
    if (name.startsWith('hidden_state_')) this.onLayer()
    return x
  }

  inner(_name: string, x: Tensor): Tensor {
    return x
  }
}

/** Integers as a reference tensor. */
export function integers(values: ArrayLike<number>, shape: readonly number[]): Tensor {
  const data = Float64Array.from(values)
  if (data.length !== elementCount(shape)) throw new RangeError('shape and values differ')
  return { shape, data }
}

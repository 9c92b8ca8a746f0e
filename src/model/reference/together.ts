import { elementCount } from '../../formats/core/source.js'
import type { LayerNorm, Parameter } from '../albert.js'
import type { Activation } from '../config.js'
import type { Ops } from '../ops.js'
import type { Pool } from './pool.js'
import type { ReferenceOps, Tensor } from './reference.js'

/** The same value of several inputs. */
export type Tensors = readonly Tensor[]

const width = ({ shape }: Tensor): number => shape[shape.length - 1] ?? 1

/** True if the values lie one after another in the same memory. */
const isJoined = (parts: Tensors): boolean =>
  parts.every(({ data }, i) => {
    const before = parts[i - 1]?.data
    return (
      before === undefined ||
      (before.buffer === data.buffer && before.byteOffset + before.byteLength === data.byteOffset)
    )
  })

/**
 * The operations of a reference on several inputs at once, so that a weight is read and packed once for all of them. A
 * product computes each row by itself, as all operations on the last axis do: rows of all inputs are one matrix, and
 * the values are those of each input alone, bit for bit. Attention, which mixes the rows of an input, runs on each.
 */
export class TogetherOps implements Ops<Tensors> {
  /** @param pool gets back, after each layer, what was computed within it; its arrays are those of `ops` */
  constructor(
    readonly ops: ReferenceOps,
    readonly pool?: Pool,
  ) {}

  /** The rows of all inputs as one matrix. */
  #join(parts: Tensors): Tensor {
    const [first] = parts as readonly [Tensor, ...Tensor[]]
    if (parts.length === 1) return first
    const size = parts.reduce((sum, { data }) => sum + data.length, 0)
    const shape = [size / width(first), width(first)]
    if (isJoined(parts))
      return { shape, data: new Float64Array(first.data.buffer as ArrayBuffer, first.data.byteOffset, size) }
    const data = this.ops.processors.float64(size)
    let at = 0
    for (const part of parts) {
      data.set(part.data, at)
      at += part.data.length
    }
    return { shape, data }
  }

  /** Applies an operation on rows to those of all inputs; only the last axis may change. */
  #rows(parts: Tensors, apply: (x: Tensor) => Tensor): Tensors {
    const made = apply(this.#join(parts))
    // A single input keeps its axes.
    if (parts.length === 1) return [made]
    let at = 0
    return parts.map(({ shape: old }) => {
      const shape = [...old.slice(0, -1), width(made)]
      const start = at
      at += elementCount(shape)
      return { shape, data: made.data.subarray(start, at) }
    })
  }

  scope = (_name: string, body: () => Tensors): Tensors => body()
  inner = (_name: string, x: Tensors): Tensors => x
  mark = (name: string, parts: Tensors): Tensors => {
    for (const { data } of parts) this.pool?.keep(data)
    if (name.startsWith('hidden_state_')) this.pool?.takeBack()
    return parts.map((x) => this.ops.mark(name, x))
  }

  /** An id is a row of one number. */
  gather = (table: Parameter, ids: Tensors): Tensors =>
    this.#rows(
      ids.map(({ shape, data }) => ({ shape: [...shape, 1], data })),
      ({ shape, data }) => this.ops.gather(table, { shape: shape.slice(0, -1), data }),
    )
  positions = (table: Parameter, ids: Tensors): Tensors => ids.map((x) => this.ops.positions(table, x))

  linear = (x: Tensors, kernel: Parameter, bias: Parameter | null): Tensors =>
    this.#rows(x, (rows) => this.ops.linear(rows, kernel, bias))
  groupedLinear = (x: Tensors, kernel: Parameter, bias: Parameter | null): Tensors =>
    this.#rows(x, (rows) => this.ops.groupedLinear(rows, kernel, bias))
  linearTransposed = (x: Tensors, weight: Parameter, bias: Parameter | null): Tensors =>
    this.#rows(x, (rows) => this.ops.linearTransposed(rows, weight, bias))
  layerNorm = (x: Tensors, norm: LayerNorm, epsilon: number): Tensors =>
    this.#rows(x, (rows) => this.ops.layerNorm(rows, norm, epsilon))
  activation = (x: Tensors, kind: Activation): Tensors => this.#rows(x, (rows) => this.ops.activation(rows, kind))

  add = (a: Tensors, b: Tensors): Tensors => a.map((x, i) => this.ops.add(x, b[i]!))
  attentionBias = (mask: Tensors, penalty: number): Tensors => mask.map((x) => this.ops.attentionBias(x, penalty))
  splitHeads = (parts: Tensors, heads: number): Tensors => parts.map((x) => this.ops.splitHeads(x, heads))
  mergeHeads = (parts: Tensors): Tensors => parts.map((x) => this.ops.mergeHeads(x))
  scores = (query: Tensors, key: Tensors, headSize: number): Tensors =>
    query.map((x, i) => this.ops.scores(x, key[i]!, headSize))
  softmax = (parts: Tensors): Tensors => parts.map((x) => this.ops.softmax(x))
  context = (probabilities: Tensors, value: Tensors): Tensors =>
    probabilities.map((x, i) => this.ops.context(x, value[i]!))
  firstToken = (parts: Tensors): Tensors => parts.map((x) => this.ops.firstToken(x))
  pick = (parts: Tensors, index: number): Tensors => parts.map((x) => this.ops.pick(x, index))
  choicesToRows = (ids: Tensors): Tensors => ids.map((x) => this.ops.choicesToRows(x))
  rowsToChoices = (scores: Tensors, ids: Tensors): Tensors => scores.map((x, i) => this.ops.rowsToChoices(x, ids[i]!))
}

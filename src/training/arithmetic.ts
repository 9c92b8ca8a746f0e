import type { Dim } from '../export/node-names.js'
import { int, ints, last, type Value } from '../export/onnx/nodes.js'
import type { GraphWriter } from './graph-writer.js'

/** Nodes that the forward and the backward pass have in common. Sizes known only at run time follow from the ids. */
export class GraphArithmetic {
  readonly #flat = new Map<Value, Value>()
  readonly #vectors = new Map<string, Value>()
  /** Ids `[batch, sequence]`. */
  ids: Value | null = null

  constructor(readonly writer: GraphWriter) {}

  multiply(a: Value, b: Value): Value {
    return this.writer.node('Mul', [a, b], a.dims)
  }

  /** Product of the last two axes. */
  matmul(a: Value, b: Value): Value {
    const width: Dim = b.dims[b.dims.length - 1] ?? 1
    return this.writer.node('MatMul', [a, b], [...a.dims.slice(0, -1), width])
  }

  transpose(x: Value, perm: readonly number[]): Value {
    const dims = perm.map((axis) => x.dims[axis] ?? 1)
    return this.writer.node('Transpose', [x], dims, { attributes: [ints('perm', perm)] })
  }

  sum(x: Value, axes: readonly number[], keep = false): Value {
    const dims = keep
      ? x.dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
      : x.dims.filter((_, axis) => !axes.includes(axis))
    const attributes = [int('keepdims', keep ? 1 : 0)]
    return this.writer.node('ReduceSum', [x, this.writer.integers(axes)], dims, { attributes })
  }

  /** Size of an axis of the ids, `[1]`. */
  size(axis: 0 | 1): Value {
    return this.vector(`size ${axis}`, () => {
      if (this.ids === null) throw new RangeError('there are no ids')
      const attributes = [int('start', axis), int('end', axis + 1)]
      return this.writer.node('Shape', [this.ids], [1], { attributes })
    })
  }

  /** Makes a small vector of sizes once. */
  vector(key: string, make: () => Value): Value {
    let value = this.#vectors.get(key)
    if (value === undefined) this.#vectors.set(key, (value = this.writer.names.within(['shapes'], make)))
    return value
  }

  concat(parts: readonly Value[], length: number): Value {
    return this.writer.node('Concat', parts, [length], { attributes: [int('axis', 0)] })
  }

  reshape(x: Value, shape: readonly number[], dims: readonly Dim[]): Value {
    return this.writer.node('Reshape', [x, this.writer.integers(shape)], dims)
  }

  /** `x [.., n]` as `[rows, n]`. */
  rows(x: Value): Value {
    if (x.dims.length === 2) return x
    let flat = this.#flat.get(x)
    if (flat === undefined) this.#flat.set(x, (flat = this.reshape(x, [-1, last(x.dims)], ['batch', last(x.dims)])))
    return flat
  }

  /** `[rows, n]` in the shape `like`, whose last axis it replaces. */
  unflatten(x: Value, like: readonly Dim[]): Value {
    if (like.length === 2) return x
    const width = last(x.dims)
    const shape = this.vector(`rows ${width}`, () =>
      this.concat([this.size(0), this.size(1), this.writer.integers([width])], 3),
    )
    return this.writer.node('Reshape', [x, shape], [...like.slice(0, -1), width])
  }

  /** `(g − mean(g) − n · mean(g · n)) / σ` over the last axis, n being the normalised input of a LayerNorm. */
  normGradient(g: Value, normed: Value, inverse: Value): Value {
    const { writer } = this
    const mean = (value: Value): Value =>
      writer.node('ReduceMean', [value], [...value.dims.slice(0, -1), 1], { attributes: [ints('axes', [-1])] })
    const projected = this.multiply(normed, mean(this.multiply(g, normed)))
    const rest = writer.node('Sub', [writer.node('Sub', [g, mean(g)], g.dims), projected], g.dims)
    return this.multiply(rest, inverse)
  }
}

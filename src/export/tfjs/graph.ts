import type { LayerNorm, Parameter } from '../../model/albert.js'
import type { Activation } from '../../model/config.js'
import type { ForwardInputs, Ops } from '../../model/ops.js'
import type { tensorflow } from '../../proto/tensorflow.js'
import type { Encodings } from '../weights/encoding.js'
import type { Dim } from '../node-names.js'
import { weightsBytes, type WrittenWeight } from '../weights/artefact.js'
import { bool, float, FLOAT, INT32, int, last, NodeWriter, strings, type Constant, type Node } from './nodes.js'

/**
 * A tensor of the graph. `[B, S, w]` exists in two shapes, each created on first use: `whole`, and `rows` `[B·S, w]`
 * for matrix products. Reshaping costs nothing at run time.
 */
export interface Value {
  /** Dimensions of `whole`. */
  readonly dims: readonly Dim[]
  rows: Node | null
  whole: Node | null
}

/** An input or output. */
export interface TfjsOutput {
  readonly name: string
  readonly dims: readonly Dim[]
}

/** A finished graph, without the bytes of the weights. */
export interface TfjsGraph {
  readonly graph: tensorflow.GraphDef
  readonly constants: readonly Constant[]
  /** Weights in the order of first use. */
  readonly weights: readonly WrittenWeight[]
  readonly inputs: readonly TfjsOutput[]
  readonly outputs: readonly TfjsOutput[]
  readonly marks: Readonly<Record<string, string>>
  /** Nodes of the inner operations by their paths; `[B·S, w]` if the graph has them in that shape alone. */
  readonly inner: Readonly<Record<string, string>>
}

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI)

/**
 * `Ops` that write the nodes of a tfjs graph model, which is a valid TensorFlow GraphDef too: only operations that
 * TensorFlow and the cpu, wasm and webgpu backends of tfjs all have (no Einsum), matrix products fused with their
 * bias and, but for batches, never with `transpose_b`, ten times slower on wasm. Activations stay `[B·S, w]` from one
 * product to the next.
 */
export class TfjsGraphOps implements Ops<Value> {
  readonly #writer: NodeWriter
  readonly #shapes = new Map<string, Node>()
  readonly #marks = new Map<string, Node>()
  readonly #inner = new Map<string, Value>()
  readonly inputs: ForwardInputs<Value>
  /** Ids with one sequence per row: the input itself, or its choices as rows. */
  #ids: Value

  /**
   * @param choices true if the inputs are `[batch, choices, sequence]`
   * @param encodings encodings of the weights; tfjs computes with all of them as float32
   */
  constructor(choices = false, encodings?: Encodings) {
    this.#writer = new NodeWriter(encodings)
    const dims: readonly Dim[] = choices ? ['examples', 'choices', 'sequence'] : ['batch', 'sequence']
    const input = (name: string): Value => ({ dims, rows: null, whole: this.#writer.input(name, dims.length) })
    this.inputs = {
      input_ids: input('input_ids'),
      attention_mask: input('attention_mask'),
      token_type_ids: input('token_type_ids'),
    }
    this.#ids = this.inputs.input_ids
  }

  /** Node of a shape, created once, under `shape/`. */
  #shape(key: string, make: () => Node): Node {
    const known = this.#shapes.get(key)
    if (known !== undefined) return known
    const node = this.#writer.names.within(['shape'], make)
    this.#shapes.set(key, node)
    return node
  }

  /** Scalar node of a dynamic dimension. */
  #size(name: Exclude<Dim, number>): Node {
    const [first, second] = this.#ids.dims
    const start = name === first ? 0 : 1
    if (name !== first && name !== second) throw new RangeError(`the ids have no axis ${name}`)
    return this.#shape(name, () => {
      const ids = this.#whole(this.#ids)
      const shape = this.#shape('ids', () => this.#writer.shape(ids, 'input_ids'))
      return this.#writer.slice(shape, [[start], [start + 1]], INT32, { shrink: 1 }, name)
    })
  }

  /** Shape as a vector node; static ones are constants. */
  #vector(dims: readonly Dim[]): Node {
    const sizes = dims.filter((d) => typeof d === 'number')
    if (sizes.length === dims.length) return this.#writer.integers(sizes)
    const name = dims.join('_')
    return this.#shape(name, () => {
      const parts = dims.map((d) => (typeof d === 'number' ? this.#writer.integer(d) : this.#size(d)))
      return this.#writer.pack(parts, name)
    })
  }

  #whole(x: Value): Node {
    if (x.whole !== null) return x.whole
    if (x.rows === null) throw new RangeError('a value without a node')
    return (x.whole = this.#writer.reshape(x.rows, this.#vector(x.dims)))
  }

  #rows(x: Value): Node {
    if (x.rows !== null) return x.rows
    return (x.rows = this.#writer.reshape(this.#whole(x), this.#writer.integers([-1, last(x.dims)])))
  }

  /** Applies an elementwise or last-axis operation to the shape that exists. */
  #map(x: Value, apply: (node: Node) => Node): Value {
    return x.rows === null
      ? { dims: x.dims, rows: null, whole: apply(this.#whole(x)) }
      : { dims: x.dims, rows: apply(x.rows), whole: null }
  }

  #product(x: Value, matrix: Node, outer: number, bias: Parameter | null): Value {
    const transposes = { transpose_a: bool(false), transpose_b: bool(false) }
    const fused = { T: FLOAT, num_args: int(1), fused_ops: strings(['BiasAdd']), epsilon: float(0), ...transposes }
    const rows =
      bias === null
        ? this.#writer.node('MatMul', [this.#rows(x), matrix], { T: FLOAT, ...transposes })
        : this.#writer.node('_FusedMatMul', [this.#rows(x), matrix, this.#writer.parameter(bias)], fused, 'MatMul')
    const dims = [...x.dims.slice(0, -1), outer]
    // [B, w] has only one shape
    return { dims, rows, whole: dims.length === 2 ? rows : null }
  }

  scope(name: string, body: () => Value): Value {
    return this.#writer.names.scope(name, body)
  }

  gather(table: Parameter, ids: Value): Value {
    ids.rows ??= this.#shape(`${this.#whole(ids).name}_flat`, () => {
      const flat = { T: INT32, Tshape: INT32 }
      return this.#writer.node(
        'Reshape',
        [this.#whole(ids), this.#writer.integers([-1])],
        flat,
        `${this.#whole(ids).name}_flat`,
      )
    })
    const attributes = { batch_dims: int(0), Taxis: INT32, Tindices: INT32, Tparams: FLOAT }
    const rows = this.#writer.node(
      'GatherV2',
      [this.#writer.parameter(table), ids.rows, this.#writer.integer(0)],
      attributes,
      'Gather',
    )
    return { dims: [...ids.dims, last(table.shape)], rows, whole: null }
  }

  positions(table: Parameter): Value {
    const width = last(table.shape)
    const inputs = [this.#writer.parameter(table), this.#writer.integers([0, 0]), this.#vector(['sequence', width])]
    return {
      dims: ['sequence', width],
      rows: null,
      whole: this.#writer.node('Slice', inputs, { Index: INT32, T: FLOAT }),
    }
  }

  linear(x: Value, kernel: Parameter, bias: Parameter | null): Value {
    return this.#product(x, this.#writer.parameter(kernel), last(kernel.shape), bias)
  }

  groupedLinear(x: Value, kernel: Parameter, bias: Parameter | null): Value {
    const [groups = 1, inner = 1, outer = 1] = kernel.shape
    const split = this.#writer.reshape(this.#rows(x), this.#writer.integers([-1, inner, groups]))
    const products = this.#writer.batchProduct(this.#writer.transpose(split, [2, 0, 1]), this.#writer.parameter(kernel))
    const back = this.#writer.transpose(products, [1, 0, 2])
    const merged = this.#writer.reshape(back, this.#writer.integers([-1, groups * outer]))
    const rows = bias === null ? merged : this.#writer.add(merged, this.#writer.parameter(bias))
    return { dims: [...x.dims.slice(0, -1), groups * outer], rows, whole: null }
  }

  linearTransposed(x: Value, weight: Parameter, bias: Parameter | null): Value {
    return this.#product(x, this.#writer.parameterTransposed(weight), weight.shape[0] ?? 1, bias)
  }

  add(a: Value, b: Value): Value {
    const alike = a.dims.length === b.dims.length
    if (alike && (a.rows !== null || b.rows !== null)) {
      return { dims: a.dims, rows: this.#writer.add(this.#rows(a), this.#rows(b)), whole: null }
    }
    return { dims: a.dims, rows: null, whole: this.#writer.add(this.#whole(a), this.#whole(b)) }
  }

  layerNorm(x: Value, { gamma, beta }: LayerNorm, epsilon: number): Value {
    const normalise = (node: Node): Node => {
      const mean = this.#writer.mean(node)
      const variance = this.#writer.mean(this.#writer.node('SquaredDifference', [node, mean]))
      const scale = this.#writer.node('Rsqrt', [this.#writer.add(variance, this.#writer.float(epsilon))])
      const unit = this.#writer.multiply(this.#writer.node('Sub', [node, mean]), scale)
      return this.#writer.add(this.#writer.multiply(unit, this.#writer.parameter(gamma)), this.#writer.parameter(beta))
    }
    return this.#writer.names.scope('LayerNorm', () => this.#map(x, normalise))
  }

  activation(x: Value, kind: Activation): Value {
    switch (kind) {
      case 'linear':
        return x
      case 'relu':
        return this.#map(x, (node) => this.#writer.node('Relu', [node]))
      case 'tanh':
        return this.#map(x, (node) => this.#writer.node('Tanh', [node]))
      case 'swish':
        return this.#writer.names.scope('swish', () =>
          this.#map(x, (node) => this.#writer.multiply(node, this.#writer.node('Sigmoid', [node]))),
        )
      case 'gelu_tanh':
        return this.#writer.names.scope('gelu', () => this.#map(x, (node) => this.#geluTanh(node)))
      case 'gelu_erf':
        return this.#writer.names.scope('gelu', () => this.#map(x, (node) => this.#geluErf(node)))
    }
  }

  /** `x · σ(x (2c + 2c·0.044715 x²))` with c = √(2/π): tanh GELU in six nodes, since 1 + tanh y = 2σ(2y). */
  #geluTanh(x: Node): Node {
    const cubic = this.#writer.multiply(this.#writer.multiply(x, x), this.#writer.float(2 * SQRT_2_OVER_PI * 0.044715))
    const inner = this.#writer.multiply(this.#writer.add(cubic, this.#writer.float(2 * SQRT_2_OVER_PI)), x)
    return this.#writer.multiply(x, this.#writer.node('Sigmoid', [inner]))
  }

  /** `x/2 · (1 + erf(x/√2))` */
  #geluErf(x: Node): Node {
    const erf = this.#writer.node('Erf', [this.#writer.multiply(x, this.#writer.float(Math.SQRT1_2))])
    const gate = this.#writer.add(erf, this.#writer.float(1))
    return this.#writer.multiply(this.#writer.multiply(x, this.#writer.float(0.5)), gate)
  }

  attentionBias(mask: Value, penalty: number): Value {
    const present = this.#writer.node('Cast', [this.#whole(mask)], { SrcT: INT32, DstT: FLOAT, Truncate: bool(false) })
    const bias = this.#writer.multiply(
      this.#writer.node('Sub', [this.#writer.float(1), present]),
      this.#writer.float(penalty),
    )
    const dims: Dim[] = ['batch', 1, 1, 'sequence']
    return { dims, rows: null, whole: this.#writer.reshape(bias, this.#vector(dims)) }
  }

  splitHeads(x: Value, heads: number): Value {
    const dims: Dim[] = ['batch', 'sequence', heads, last(x.dims) / heads]
    const split = this.#writer.reshape(x.rows ?? this.#whole(x), this.#vector(dims))
    const whole = this.#writer.transpose(split, [0, 2, 1, 3])
    return { dims: ['batch', heads, 'sequence', last(x.dims) / heads], rows: null, whole }
  }

  mergeHeads(x: Value): Value {
    const hidden = Number(x.dims[1]) * Number(x.dims[3])
    const back = this.#writer.transpose(this.#whole(x), [0, 2, 1, 3])
    return {
      dims: ['batch', 'sequence', hidden],
      rows: this.#writer.reshape(back, this.#writer.integers([-1, hidden])),
      whole: null,
    }
  }

  scores(query: Value, key: Value, headSize: number): Value {
    // Scaling the query takes fewer operations than scaling the scores.
    const scaled = this.#writer.multiply(this.#whole(query), this.#writer.float(1 / Math.sqrt(headSize)))
    // wasm multiplies 512 keys in two thirds of the time if each lies in one piece; benchmarks.md has other lengths.
    const whole = this.#writer.batchProduct(scaled, this.#whole(key), true)
    return { dims: [...query.dims.slice(0, 3), 'sequence'], rows: null, whole }
  }

  softmax(x: Value): Value {
    return this.#map(x, (node) => this.#writer.node('Softmax', [node]))
  }

  context(probabilities: Value, value: Value): Value {
    const whole = this.#writer.batchProduct(this.#whole(probabilities), this.#whole(value))
    return { dims: value.dims, rows: null, whole }
  }

  firstToken(x: Value): Value {
    // begin and end of axes 0 and 2 are ignored (mask 0b101), axis 1 is removed
    const masks = { begin: 5, end: 5, shrink: 2 }
    const bounds = [
      [0, 0, 0],
      [0, 1, 0],
    ] as const
    const node = this.#writer.slice(this.#whole(x), bounds, FLOAT, masks, 'first_token')
    return { dims: ['batch', last(x.dims)], rows: node, whole: node }
  }

  pick(x: Value, index: number): Value {
    // begin and end of axes 0 and 1 are ignored (mask 0b011), axis 2 is removed
    const masks = { begin: 3, end: 3, shrink: 4 }
    const bounds = [
      [0, 0, index],
      [0, 0, index + 1],
    ] as const
    const whole = this.#writer.slice(this.#whole(x), bounds, FLOAT, masks, 'pick')
    return { dims: x.dims.slice(0, -1), rows: null, whole }
  }

  /** Part of the shape of `ids`: axes `start` to `end`, or axis `start` as a scalar. */
  #axes(ids: Value, start: number, end: number, scalar: boolean): Node {
    return this.#shape(`choices_${start}_${end}`, () => {
      const shape = this.#shape('choices', () => this.#writer.shape(this.#whole(ids), 'choices'))
      return this.#writer.slice(shape, [[start], [end]], INT32, { shrink: scalar ? 1 : 0 })
    })
  }

  choicesToRows(ids: Value): Value {
    const shape = this.#shape('rows', () => {
      const parts = [this.#writer.integer(-1), this.#axes(this.inputs.input_ids, 2, 3, true)]
      return this.#writer.pack(parts, 'rows')
    })
    const rows: Value = {
      dims: ['batch', 'sequence'],
      rows: null,
      whole: this.#writer.reshape(this.#whole(ids), shape, INT32),
    }
    if (ids === this.inputs.input_ids) this.#ids = rows
    return rows
  }

  rowsToChoices(scores: Value, ids: Value): Value {
    const whole = this.#writer.reshape(this.#rows(scores), this.#axes(ids, 0, 2, false))
    return { dims: ['examples', 'choices'], rows: null, whole }
  }

  mark(name: string, x: Value): Value {
    this.#marks.set(
      name,
      this.#writer.names.scope(name, () => this.#whole(x)),
    )
    return x
  }

  inner(name: string, x: Value): Value {
    this.#inner.set([...this.#writer.names.path, name].join('/'), x)
    return x
  }

  /** Names the outputs: the node itself is renamed, unless another output is the same node. */
  #nameOutputs(outputs: readonly (readonly [string, Value])[]): TfjsOutput[] {
    const taken = new Set<Node>()
    return outputs.map(([name, value]) => {
      const whole = this.#whole(value)
      const node = taken.has(whole) ? this.#writer.node('Identity', [whole]) : whole
      taken.add(node)
      node.name = this.#writer.names.reserve(name)
      return { name, dims: value.dims }
    })
  }

  /** Finishes the graph; nothing can be added after it. */
  finish(outputs: readonly (readonly [string, Value])[]): TfjsGraph {
    const named = this.#nameOutputs(outputs)
    return {
      ...this.#writer.finish(),
      inputs: Object.values(this.inputs).map(({ whole, dims }: Value) => ({ name: whole?.name ?? '', dims })),
      outputs: named,
      marks: Object.fromEntries([...this.#marks].map(([name, node]) => [name, node.name])),
      inner: Object.fromEntries([...this.#inner].map(([name, x]) => [name, (x.whole ?? this.#rows(x)).name])),
    }
  }
}

/** Bytes of the constants and weights of `graph` in its weights file. */
export function weightsFileBytes(graph: TfjsGraph): number {
  const constants = graph.constants.reduce((sum, { bytes }) => sum + bytes.length, 0)
  return constants + weightsBytes(graph.weights)
}

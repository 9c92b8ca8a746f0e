import type { LayerNorm, Parameter } from '../../model/albert.js'
import type { Activation } from '../../model/config.js'
import type { ForwardInputs, Ops } from '../../model/ops.js'
import { create, tensorflow, type MessageInitShape } from '../../proto/tensorflow.js'
import { FLOAT32, type Encodings } from '../encoding.js'
import { NodeNames, type Dim } from '../names.js'
import { weightsBytes, writtenWeight, type WrittenWeight } from '../written.js'

type AttrInit = MessageInitShape<typeof tensorflow.AttrValueSchema>
const { DataType } = tensorflow

/** A node of the graph; its name may still change, until the graph is finished. */
export interface Node {
  name: string
  readonly op: string
  readonly inputs: readonly Node[]
  readonly attributes: Readonly<Record<string, AttrInit>>
}

/**
 * A tensor of the graph. `[B, S, w]` can be had in two forms, each made when it is first wanted: `whole`, and `rows`
 * `[B·S, w]`, which is what matrix products take. Reshaping costs nothing at run time.
 */
export interface Value {
  /** Dimensions of `whole`. */
  readonly dims: readonly Dim[]
  rows: Node | null
  whole: Node | null
}

/** A small constant; its values go into the weights file as well, since tfjs reads them from nowhere else. */
export interface Constant {
  readonly name: string
  readonly dtype: 'int32' | 'float32'
  readonly shape: readonly number[]
  /** Little-endian. */
  readonly bytes: Uint8Array
}

/** An input or output. */
export interface TfjsOutput {
  readonly name: string
  readonly dims: readonly Dim[]
}

/** A finished graph; the weights' bytes are not in it. */
export interface TfjsGraph {
  readonly graph: tensorflow.GraphDef
  readonly constants: readonly Constant[]
  /** In the order of their first use. */
  readonly weights: readonly WrittenWeight[]
  readonly inputs: readonly TfjsOutput[]
  readonly outputs: readonly TfjsOutput[]
  readonly marks: Readonly<Record<string, string>>
  /** Nodes of the inner operations by their paths; `[B·S, w]` where the graph has them in that form alone. */
  readonly inner: Readonly<Record<string, string>>
}

const FLOAT: AttrInit = { value: { case: 'type', value: DataType.DT_FLOAT } }
const INT32: AttrInit = { value: { case: 'type', value: DataType.DT_INT32 } }
const bool = (value: boolean): AttrInit => ({ value: { case: 'b', value } })
const int = (value: number): AttrInit => ({ value: { case: 'i', value: BigInt(value) } })
const float = (value: number): AttrInit => ({ value: { case: 'f', value } })
const strings = (values: readonly string[]): AttrInit => ({
  value: { case: 'list', value: { s: values.map((text) => new TextEncoder().encode(text)) } },
})
const shapeOf = (dims: readonly number[]): MessageInitShape<typeof tensorflow.TensorShapeProtoSchema> => ({
  dim: dims.map((size) => ({ size: BigInt(size) })),
})

const T = { T: FLOAT }
const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI)

/** The last dimension, which is never dynamic where this is asked. */
const last = (dims: readonly Dim[]): number => Number(dims[dims.length - 1])

/**
 * `Ops` that write the nodes of a tfjs graph model which is a TensorFlow GraphDef as well: only operations that
 * TensorFlow and the cpu, wasm and webgpu backends of tfjs all have (no Einsum), matrix products fused with their bias
 * and never with `transpose_b` (ten times slower on wasm). The activations stay `[B·S, w]` from one product to the next.
 */
export class TfjsGraphOps implements Ops<Value> {
  readonly #names = new NodeNames()
  readonly #nodes: Node[] = []
  readonly #constants = new Map<string, Constant>()
  readonly #constantNodes = new Map<string, Node>()
  readonly #parameters = new Map<Parameter, Node>()
  readonly #transposed = new Map<Parameter, Node>()
  readonly #shapes = new Map<string, Node>()
  readonly #marks = new Map<string, Node>()
  readonly #inner = new Map<string, Value>()
  /** What `splitHeads` left untransposed, `[B, S, N, D]`, and the scope that the transposition belongs to. */
  readonly #splitIn = new Map<Value, readonly string[]>()

  readonly inputs: ForwardInputs<Value>
  /** The ids that have a row a sequence: the input itself, or its choices as rows. */
  #ids: Value

  /**
   * @param choices whether the inputs are `[batch, choices, sequence]`
   * @param encodings how each weight is stored; tfjs computes with all of them as float32
   */
  constructor(
    choices = false,
    readonly encodings: Encodings = FLOAT32,
  ) {
    const dims: readonly Dim[] = choices ? ['examples', 'choices', 'sequence'] : ['batch', 'sequence']
    this.inputs = {
      input_ids: this.#input('input_ids', dims),
      attention_mask: this.#input('attention_mask', dims),
      token_type_ids: this.#input('token_type_ids', dims),
    }
    this.#ids = this.inputs.input_ids
  }

  #input(name: string, dims: readonly Dim[]): Value {
    const shape: AttrInit = { value: { case: 'shape', value: shapeOf(dims.map(() => -1)) } }
    const node: Node = {
      name: this.#names.reserve(name),
      op: 'Placeholder',
      inputs: [],
      attributes: { dtype: INT32, shape },
    }
    this.#nodes.push(node)
    return { dims, rows: null, whole: node }
  }

  #node(op: string, inputs: readonly Node[], attributes: Readonly<Record<string, AttrInit>> = T, label = op): Node {
    const node: Node = { name: this.#names.fresh(label), op, inputs, attributes }
    this.#nodes.push(node)
    return node
  }

  /** A Const node; large ones have type and shape but no content, which is in the weights file. */
  #const(name: string, dtype: AttrInit, shape: readonly number[], content: Uint8Array): Node {
    const type = dtype === INT32 ? DataType.DT_INT32 : DataType.DT_FLOAT
    const tensor = { dtype: type, tensorShape: shapeOf(shape), tensorContent: content }
    const node: Node = {
      name: this.#names.reserve(name),
      op: 'Const',
      inputs: [],
      attributes: { dtype, value: { value: { case: 'tensor', value: tensor } } },
    }
    this.#nodes.push(node)
    return node
  }

  /** A small constant, stored once however often it is used. */
  #constant(name: string, data: Int32Array | Float32Array, shape: readonly number[]): Node {
    const known = this.#constantNodes.get(name)
    if (known !== undefined) return known
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const integral = data instanceof Int32Array
    this.#constants.set(name, { name, dtype: integral ? 'int32' : 'float32', shape, bytes })
    const node = this.#const(name, integral ? INT32 : FLOAT, shape, bytes)
    this.#constantNodes.set(name, node)
    return node
  }

  #float(value: number): Node {
    return this.#constant(`constants/float_${value}`, Float32Array.of(value), [])
  }

  #integer(value: number): Node {
    return this.#constant(`constants/int_${value}`, Int32Array.of(value), [])
  }

  #integers(values: readonly number[]): Node {
    return this.#constant(`constants/ints_${values.join('_')}`, Int32Array.from(values), [values.length])
  }

  #parameter(parameter: Parameter): Node {
    const known = this.#parameters.get(parameter)
    if (known !== undefined) return known
    const node = this.#const(parameter.slot, FLOAT, parameter.shape, new Uint8Array(0))
    this.#parameters.set(parameter, node)
    return node
  }

  #parameterTransposed(parameter: Parameter): Node {
    const known = this.#transposed.get(parameter)
    if (known !== undefined) return known
    const node = this.#names.within([parameter.slot], () => this.#transpose(this.#parameter(parameter), [1, 0]))
    this.#transposed.set(parameter, node)
    return node
  }

  /** Nodes about shapes, made once, under `shape/`. */
  #shape(key: string, make: () => Node): Node {
    const known = this.#shapes.get(key)
    if (known !== undefined) return known
    const node = this.#names.within(['shape'], make)
    this.#shapes.set(key, node)
    return node
  }

  /** The number of rows, or their length, a scalar. */
  #size(name: Exclude<Dim, number>): Node {
    const [first, second] = this.#ids.dims
    const start = name === first ? 0 : 1
    if (name !== first && name !== second) throw new RangeError(`the ids have no axis ${name}`)
    return this.#shape(name, () => {
      const ids = this.#whole(this.#ids)
      const shape = this.#shape('ids', () => this.#node('Shape', [ids], { T: INT32, out_type: INT32 }, 'input_ids'))
      const inputs = [shape, this.#integers([start]), this.#integers([start + 1]), this.#integers([1])]
      return this.#slice(inputs, INT32, { shrink: 1 }, name)
    })
  }

  /** A shape as a vector; static ones are constants. */
  #vector(dims: readonly Dim[]): Node {
    const sizes = dims.filter((d) => typeof d === 'number')
    if (sizes.length === dims.length) return this.#integers(sizes)
    const name = dims.join('_')
    return this.#shape(name, () => {
      const parts = dims.map((d) => (typeof d === 'number' ? this.#integer(d) : this.#size(d)))
      return this.#node('Pack', parts, { N: int(parts.length), T: INT32, axis: int(0) }, name)
    })
  }

  #slice(
    inputs: readonly Node[],
    type: AttrInit,
    masks: { begin?: number; end?: number; shrink?: number },
    label?: string,
  ): Node {
    const { begin = 0, end = 0, shrink = 0 } = masks
    const attributes = {
      T: type,
      Index: INT32,
      begin_mask: int(begin),
      end_mask: int(end),
      ellipsis_mask: int(0),
      new_axis_mask: int(0),
      shrink_axis_mask: int(shrink),
    }
    return this.#node('StridedSlice', inputs, attributes, label)
  }

  #reshape(x: Node, shape: Node, type = FLOAT): Node {
    return this.#node('Reshape', [x, shape], { T: type, Tshape: INT32 })
  }

  #transpose(x: Node, perm: readonly number[]): Node {
    return this.#node('Transpose', [x, this.#integers(perm)], { T: FLOAT, Tperm: INT32 })
  }

  #mean(x: Node): Node {
    return this.#node('Mean', [x, this.#integers([-1])], { T: FLOAT, Tidx: INT32, keep_dims: bool(true) })
  }

  #multiply(a: Node, b: Node): Node {
    return this.#node('Mul', [a, b])
  }

  #whole(x: Value): Node {
    if (x.whole !== null) return x.whole
    if (x.rows === null) throw new RangeError('a value without a node')
    return (x.whole = this.#reshape(x.rows, this.#vector(x.dims)))
  }

  #rows(x: Value): Node {
    if (x.rows !== null) return x.rows
    return (x.rows = this.#reshape(this.#whole(x), this.#integers([-1, last(x.dims)])))
  }

  /** Applies an elementwise or last-axis operation to the form that is there. */
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
        ? this.#node('MatMul', [this.#rows(x), matrix], { T: FLOAT, ...transposes })
        : this.#node('_FusedMatMul', [this.#rows(x), matrix, this.#parameter(bias)], fused, 'MatMul')
    const dims = [...x.dims.slice(0, -1), outer]
    // [B, w] has only one form
    return { dims, rows, whole: dims.length === 2 ? rows : null }
  }

  scope(name: string, body: () => Value): Value {
    return this.#names.scope(name, body)
  }

  gather(table: Parameter, ids: Value): Value {
    ids.rows ??= this.#shape(`${this.#whole(ids).name}_flat`, () => {
      const flat = { T: INT32, Tshape: INT32 }
      return this.#node('Reshape', [this.#whole(ids), this.#integers([-1])], flat, `${this.#whole(ids).name}_flat`)
    })
    const attributes = { batch_dims: int(0), Taxis: INT32, Tindices: INT32, Tparams: FLOAT }
    const rows = this.#node('GatherV2', [this.#parameter(table), ids.rows, this.#integer(0)], attributes, 'Gather')
    return { dims: [...ids.dims, last(table.shape)], rows, whole: null }
  }

  positions(table: Parameter): Value {
    const width = last(table.shape)
    const inputs = [this.#parameter(table), this.#integers([0, 0]), this.#vector(['sequence', width])]
    return { dims: ['sequence', width], rows: null, whole: this.#node('Slice', inputs, { Index: INT32, T: FLOAT }) }
  }

  linear(x: Value, kernel: Parameter, bias: Parameter | null): Value {
    return this.#product(x, this.#parameter(kernel), last(kernel.shape), bias)
  }

  groupedLinear(x: Value, kernel: Parameter, bias: Parameter | null): Value {
    const [groups = 1, inner = 1, outer = 1] = kernel.shape
    const split = this.#reshape(this.#rows(x), this.#integers([-1, inner, groups]))
    const products = this.#batchProduct(this.#transpose(split, [2, 0, 1]), this.#parameter(kernel))
    const back = this.#transpose(products, [1, 0, 2])
    const merged = this.#reshape(back, this.#integers([-1, groups * outer]))
    const rows = bias === null ? merged : this.#node('AddV2', [merged, this.#parameter(bias)])
    return { dims: [...x.dims.slice(0, -1), groups * outer], rows, whole: null }
  }

  linearTransposed(x: Value, weight: Parameter, bias: Parameter | null): Value {
    return this.#product(x, this.#parameterTransposed(weight), weight.shape[0] ?? 1, bias)
  }

  add(a: Value, b: Value): Value {
    const alike = a.dims.length === b.dims.length
    if (alike && (a.rows !== null || b.rows !== null)) {
      return { dims: a.dims, rows: this.#node('AddV2', [this.#rows(a), this.#rows(b)]), whole: null }
    }
    return { dims: a.dims, rows: null, whole: this.#node('AddV2', [this.#whole(a), this.#whole(b)]) }
  }

  layerNorm(x: Value, { gamma, beta }: LayerNorm, epsilon: number): Value {
    const normalise = (node: Node): Node => {
      const mean = this.#mean(node)
      const variance = this.#mean(this.#node('SquaredDifference', [node, mean]))
      const scale = this.#node('Rsqrt', [this.#node('AddV2', [variance, this.#float(epsilon)])])
      const unit = this.#multiply(this.#node('Sub', [node, mean]), scale)
      return this.#node('AddV2', [this.#multiply(unit, this.#parameter(gamma)), this.#parameter(beta)])
    }
    return this.#names.scope('LayerNorm', () => this.#map(x, normalise))
  }

  activation(x: Value, kind: Activation): Value {
    switch (kind) {
      case 'linear':
        return x
      case 'relu':
        return this.#map(x, (node) => this.#node('Relu', [node]))
      case 'tanh':
        return this.#map(x, (node) => this.#node('Tanh', [node]))
      case 'swish':
        return this.#names.scope('swish', () =>
          this.#map(x, (node) => this.#multiply(node, this.#node('Sigmoid', [node]))),
        )
      case 'gelu_tanh':
        return this.#names.scope('gelu', () => this.#map(x, (node) => this.#geluTanh(node)))
      case 'gelu_erf':
        return this.#names.scope('gelu', () => this.#map(x, (node) => this.#geluErf(node)))
    }
  }

  /** `x · σ(x (2c + 2c·0.044715 x²))` with c = √(2/π): the tanh form, since 1 + tanh y = 2σ(2y), in six nodes. */
  #geluTanh(x: Node): Node {
    const cubic = this.#multiply(this.#multiply(x, x), this.#float(2 * SQRT_2_OVER_PI * 0.044715))
    const inner = this.#multiply(this.#node('AddV2', [cubic, this.#float(2 * SQRT_2_OVER_PI)]), x)
    return this.#multiply(x, this.#node('Sigmoid', [inner]))
  }

  /** `x/2 · (1 + erf(x/√2))` */
  #geluErf(x: Node): Node {
    const gate = this.#node('AddV2', [
      this.#node('Erf', [this.#multiply(x, this.#float(Math.SQRT1_2))]),
      this.#float(1),
    ])
    return this.#multiply(this.#multiply(x, this.#float(0.5)), gate)
  }

  attentionBias(mask: Value, penalty: number): Value {
    const present = this.#node('Cast', [this.#whole(mask)], { SrcT: INT32, DstT: FLOAT, Truncate: bool(false) })
    const bias = this.#multiply(this.#node('Sub', [this.#float(1), present]), this.#float(penalty))
    const dims: Dim[] = ['batch', 1, 1, 'sequence']
    return { dims, rows: null, whole: this.#reshape(bias, this.#vector(dims)) }
  }

  splitHeads(x: Value, heads: number): Value {
    const dims: Dim[] = ['batch', 'sequence', heads, last(x.dims) / heads]
    const split: Value = { dims, rows: null, whole: this.#reshape(x.rows ?? this.#whole(x), this.#vector(dims)) }
    // The key wants another transposition than query and value, so that is left to whoever knows which one this is.
    this.#splitIn.set(split, this.#names.path)
    return split
  }

  #transposeHeads(x: Value, perm: readonly number[]): Value {
    const scope = this.#splitIn.get(x)
    if (scope === undefined) throw new RangeError('not the result of splitHeads')
    const whole = this.#names.within(scope, () => this.#transpose(this.#whole(x), perm))
    return { dims: perm.map((axis) => x.dims[axis] ?? 1), rows: null, whole }
  }

  mergeHeads(x: Value): Value {
    const hidden = Number(x.dims[1]) * Number(x.dims[3])
    const back = this.#transpose(this.#whole(x), [0, 2, 1, 3])
    return { dims: ['batch', 'sequence', hidden], rows: this.#reshape(back, this.#integers([-1, hidden])), whole: null }
  }

  #batchProduct(a: Node, b: Node): Node {
    return this.#node('BatchMatMulV2', [a, b], { T: FLOAT, adj_x: bool(false), adj_y: bool(false) }, 'BatchMatMul')
  }

  scores(query: Value, key: Value, headSize: number): Value {
    const q = this.#transposeHeads(query, [0, 2, 1, 3])
    const k = this.#transposeHeads(key, [0, 2, 3, 1])
    // Scaling the query is less work than scaling the scores.
    const scaled = this.#multiply(this.#whole(q), this.#float(1 / Math.sqrt(headSize)))
    return { dims: [...q.dims.slice(0, 3), 'sequence'], rows: null, whole: this.#batchProduct(scaled, this.#whole(k)) }
  }

  softmax(x: Value): Value {
    return this.#map(x, (node) => this.#node('Softmax', [node]))
  }

  context(probabilities: Value, value: Value): Value {
    const v = this.#transposeHeads(value, [0, 2, 1, 3])
    return { dims: v.dims, rows: null, whole: this.#batchProduct(this.#whole(probabilities), this.#whole(v)) }
  }

  firstToken(x: Value): Value {
    const bounds = [
      [0, 0, 0],
      [0, 1, 0],
      [1, 1, 1],
    ].map((values) => this.#integers(values))
    // begin and end of axes 0 and 2 do not count (mask 0b101), axis 1 goes
    const node = this.#slice([this.#whole(x), ...bounds], FLOAT, { begin: 5, end: 5, shrink: 2 }, 'first_token')
    return { dims: ['batch', last(x.dims)], rows: node, whole: node }
  }

  pick(x: Value, index: number): Value {
    const bounds = [
      [0, 0, index],
      [0, 0, index + 1],
      [1, 1, 1],
    ].map((values) => this.#integers(values))
    // begin and end of axes 0 and 1 do not count (mask 0b011), axis 2 goes
    const whole = this.#slice([this.#whole(x), ...bounds], FLOAT, { begin: 3, end: 3, shrink: 4 }, 'pick')
    return { dims: x.dims.slice(0, -1), rows: null, whole }
  }

  /** A part of the shape of `ids`: the axes from `start` to `end`, or the one at `start` as a scalar. */
  #axes(ids: Value, start: number, end: number, scalar: boolean): Node {
    return this.#shape(`choices_${start}_${end}`, () => {
      const shape = this.#shape('choices', () =>
        this.#node('Shape', [this.#whole(ids)], { T: INT32, out_type: INT32 }, 'choices'),
      )
      const inputs = [shape, this.#integers([start]), this.#integers([end]), this.#integers([1])]
      return this.#slice(inputs, INT32, { shrink: scalar ? 1 : 0 })
    })
  }

  choicesToRows(ids: Value): Value {
    const shape = this.#shape('rows', () => {
      const parts = [this.#integer(-1), this.#axes(this.inputs.input_ids, 2, 3, true)]
      return this.#node('Pack', parts, { N: int(parts.length), T: INT32, axis: int(0) }, 'rows')
    })
    const rows: Value = {
      dims: ['batch', 'sequence'],
      rows: null,
      whole: this.#reshape(this.#whole(ids), shape, INT32),
    }
    if (ids === this.inputs.input_ids) this.#ids = rows
    return rows
  }

  rowsToChoices(scores: Value, ids: Value): Value {
    const whole = this.#reshape(this.#rows(scores), this.#axes(ids, 0, 2, false))
    return { dims: ['examples', 'choices'], rows: null, whole }
  }

  mark(name: string, x: Value): Value {
    this.#marks.set(
      name,
      this.#names.scope(name, () => this.#whole(x)),
    )
    return x
  }

  inner(name: string, x: Value): Value {
    this.#inner.set([...this.#names.path, name].join('/'), x)
    return x
  }

  /** Gives outputs their names: the node itself is renamed, unless another output is the same node. */
  #nameOutputs(outputs: readonly (readonly [string, Value])[]): TfjsOutput[] {
    const taken = new Set<Node>()
    return outputs.map(([name, value]) => {
      const whole = this.#whole(value)
      const node = taken.has(whole) ? this.#node('Identity', [whole]) : whole
      taken.add(node)
      node.name = this.#names.reserve(name)
      return { name, dims: value.dims }
    })
  }

  /** Finishes the graph; nothing can be added after it. */
  finish(outputs: readonly (readonly [string, Value])[]): TfjsGraph {
    const named = this.#nameOutputs(outputs)
    const graph = create(tensorflow.GraphDefSchema, {
      node: this.#nodes.map(({ name, op, inputs, attributes }) => ({
        name,
        op,
        input: inputs.map((node) => node.name),
        attr: attributes,
      })),
      // The oldest version that has every operation used here is far below; this one is TensorFlow 2.15's.
      versions: { producer: 1645, minConsumer: 12 },
    })
    return {
      graph,
      constants: [...this.#constants.values()],
      weights: [...this.#parameters.keys()].map((parameter) =>
        writtenWeight(parameter, 'meant', this.encodings.of(parameter, 1)),
      ),
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

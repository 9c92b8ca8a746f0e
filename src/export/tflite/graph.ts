import type { LayerNorm, Parameter } from '../../model/albert.js'
import type { Activation } from '../../model/config.js'
import type { ForwardInputs, Ops } from '../../model/ops.js'
import { tflite } from '../../proto/tflite.js'
import type { Encodings } from '../weights/encoding.js'
import {
  DYNAMIC,
  last,
  NodeWriter,
  Op,
  Options,
  Type,
  type Constant,
  type Node,
  type NodeOptions,
  type PlacedWeight,
  type Value,
  type WeightOrder,
} from './nodes.js'

/** A finished graph, without the bytes of the weights. */
export interface TfliteGraph {
  readonly nodes: readonly Node[]
  readonly constants: readonly Constant[]
  /** Weights in the order of first use. */
  readonly weights: readonly PlacedWeight[]
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly marks: Readonly<Record<string, string>>
  /** Weights multiplied with quantised activations: output axis of the weight, by slot. */
  readonly dynamic: Readonly<Record<string, 0 | 1>>
  /** Tensors of the inner operations by their paths. */
  readonly inner: Readonly<Record<string, string>>
}

export interface TfliteGraphOptions {
  /** True if the inputs are `[1, choices, sequence]`; `batch` is then the number of choices. */
  readonly choices?: boolean
  /** Rows of one run. */
  readonly batch?: number
  /** Tokens of a row; null if they are given at run time. */
  readonly sequence: number | null
  /** Encodings of the weights; float32 by default. */
  readonly encodings?: Encodings
}

/** Version of EMBEDDING_LOOKUP that takes integers with a scale for each row. */
const LOOKUP_VERSION = 3
/** Versions of FULLY_CONNECTED: that of `keep_num_dims`, and that of integer weights with a scale for each output. */
export const FC_VERSION = { float: 5, channels: 12 } as const

const isInteger = ({ type }: Value): boolean => type === Type.INT8 || type === Type.INT4

const ADD: NodeOptions = [Options.AddOptions, new tflite.AddOptionsT()]
const SUB: NodeOptions = [Options.SubOptions, new tflite.SubOptionsT()]
const MUL: NodeOptions = [Options.MulOptions, new tflite.MulOptionsT()]
const KEEP: NodeOptions = [Options.FullyConnectedOptions, new tflite.FullyConnectedOptionsT(0, 0, true, true)]
const product = (transposed: boolean): NodeOptions => [
  Options.BatchMatMulOptions,
  new tflite.BatchMatMulOptionsT(false, transposed),
]

/**
 * `Ops` that write operators of TensorFlow Lite, in the form that XNNPACK takes as one part and LiteRT's WebGPU runs
 * whole: values stay `[B, S, H]` (as `[B·S, H]` that WebGPU is wrong for one row), lookups take ids of one axis, and
 * axes are dropped by RESHAPE, never by a slice. Matrices are `[out, in]`, so that the table of word embeddings and the
 * decoder of the masked tokens are one tensor.
 */
export class TfliteGraphOps implements Ops<Value> {
  readonly #writer: NodeWriter
  readonly #marks = new Map<string, Value>()
  readonly #inner = new Map<string, Value>()
  /** Output axis of the weights of integer products, by slot. */
  readonly #products = new Map<string, 0 | 1>()
  /** Ids with one axis. */
  readonly #flat = new Map<Value, Value>()
  readonly #batch: number
  readonly #sequence: number

  readonly inputs: ForwardInputs<Value>

  constructor({ choices = false, batch = 1, sequence, encodings }: TfliteGraphOptions) {
    this.#writer = new NodeWriter(encodings)
    this.#batch = batch
    this.#sequence = sequence ?? DYNAMIC
    const dims = choices ? [1, batch, this.#sequence] : [batch, this.#sequence]
    const input = (name: string): Value => ({ name: this.#writer.names.reserve(name), dims, type: Type.INT32 })
    this.inputs = {
      input_ids: input('input_ids'),
      attention_mask: input('attention_mask'),
      token_type_ids: input('token_type_ids'),
    }
  }

  #reshape(x: Value, dims: readonly number[], label?: string): Value {
    const options: NodeOptions = [Options.ReshapeOptions, new tflite.ReshapeOptionsT([...dims])]
    const inputs = [x, this.#writer.integers(dims)]
    return this.#writer.node(Op.RESHAPE, inputs, { dims, type: x.type }, { options, ...(label && { label }) })
  }

  #transpose(x: Value, perm: readonly number[]): Value {
    const dims = perm.map((axis) => x.dims[axis] ?? 1)
    const options: NodeOptions = [Options.TransposeOptions, new tflite.TransposeOptionsT()]
    return this.#writer.node(Op.TRANSPOSE, [x, this.#writer.integers(perm)], { dims }, { options })
  }

  #add(a: Value, b: Value): Value {
    return this.#writer.node(Op.ADD, [a, b], { dims: a.dims }, { options: ADD })
  }

  #multiply(a: Value, b: Value): Value {
    return this.#writer.node(Op.MUL, [a, b], { dims: a.dims }, { options: MUL })
  }

  #subtract(a: Value, b: Value): Value {
    const { dims } = a.dims.length > 0 ? a : b
    return this.#writer.node(Op.SUB, [a, b], { dims }, { options: SUB })
  }

  /** Mean over the last axis, which is kept with length 1. */
  #mean(x: Value): Value {
    const axis = x.dims.length - 1
    const options: NodeOptions = [Options.ReducerOptions, new tflite.ReducerOptionsT(true)]
    const dims = [...x.dims.slice(0, -1), 1]
    return this.#writer.node(Op.MEAN, [x, this.#writer.integers([axis])], { dims }, { options })
  }

  #batchProduct(a: Value, b: Value, dims: readonly number[], transposed: boolean): Value {
    return this.#writer.node(Op.BATCH_MATMUL, [a, b], { dims }, { options: product(transposed) })
  }

  #slice(x: Value, begin: readonly number[], size: Value, dims: readonly number[]): Value {
    const options: NodeOptions = [Options.SliceOptions, new tflite.SliceOptionsT()]
    return this.#writer.node(Op.SLICE, [x, this.#writer.integers(begin), size], { dims, type: x.type }, { options })
  }

  scope(name: string, body: () => Value): Value {
    return this.#writer.names.scope(name, body)
  }

  #flatIds(ids: Value): Value {
    let flat = this.#flat.get(ids)
    if (flat === undefined) {
      const count = this.#sequence === DYNAMIC ? DYNAMIC : this.#batch * this.#sequence
      flat = this.#writer.names.within([], () => this.#reshape(ids, [count], `${ids.name}_flat`))
      this.#flat.set(ids, flat)
    }
    return flat
  }

  gather(table: Parameter, ids: Value): Value {
    const flat = this.#flatIds(ids)
    const stored = this.#writer.stored(table, 'logical', 0).value
    const dims = [...flat.dims, last(table.shape)]
    const options: NodeOptions = [Options.GatherOptions, new tflite.GatherOptionsT(0)]
    const rows = isInteger(stored)
      ? this.#writer.node(Op.EMBEDDING_LOOKUP, [flat, stored], { dims }, { version: LOOKUP_VERSION })
      : // Runtimes before 2025 gather no float16.
        this.#writer.node(Op.GATHER, [this.#writer.asFloat(stored), flat], { dims }, { options })
    return this.#reshape(rows, [...ids.dims, last(table.shape)])
  }

  positions(table: Parameter, ids: Value): Value {
    const width = last(table.shape)
    const dims = [this.#sequence, width]
    if (this.#sequence !== DYNAMIC) {
      // The rest of the table would never be read.
      const used = { ...table, shape: dims, storedShape: dims }
      return this.#writer.asFloat(this.#writer.stored(used, 'logical', 0).value)
    }
    const shape: NodeOptions = [Options.ShapeOptions, new tflite.ShapeOptionsT(Type.INT32)]
    const concat: NodeOptions = [Options.ConcatenationOptions, new tflite.ConcatenationOptionsT(0)]
    const sizes = this.#writer.node(Op.SHAPE, [ids], { dims: [2], type: Type.INT32 }, { options: shape })
    const length = this.#slice(sizes, [1], this.#writer.integers([1]), [1])
    const both = [length, this.#writer.integers([width])]
    const size = this.#writer.node(Op.CONCATENATION, both, { dims: [2], type: Type.INT32 }, { options: concat })
    return this.#slice(this.#writer.asFloat(this.#writer.stored(table, 'logical', 0).value), [0, 0], size, dims)
  }

  /** `x·matrixᵀ (+ bias)` for a matrix `[out, in]`, or `x·matrix` for one that is stored as `[in, out]`. */
  #product(x: Value, placed: PlacedWeight, order: WeightOrder, bias: Parameter | null): Value {
    if (placed.weight.as === order) return this.#fullyConnected(x, placed, bias)
    const matrix = this.#writer.asFloat(placed.value)
    const result = this.#batchProduct(x, matrix, [...x.dims.slice(0, -1), last(matrix.dims)], false)
    return bias === null ? result : this.#add(result, this.#writer.vector(bias))
  }

  #fullyConnected(x: Value, { value, weight }: PlacedWeight, bias: Parameter | null): Value {
    const dims = [...x.dims.slice(0, -1), value.dims[0] ?? 1]
    const { encoding } = weight
    const dynamic = 'dynamic' in encoding && encoding.dynamic
    if (dynamic) this.#products.set(weight.slot, weight.as === 'transposed' ? 1 : 0)
    const version = dynamic ? FC_VERSION.channels : FC_VERSION.float
    const matrix = dynamic ? value : this.#writer.asFloat(value)
    const inputs = [x, matrix, bias === null ? null : this.#writer.vector(bias)]
    return this.#writer.node(Op.FULLY_CONNECTED, inputs, { dims }, { options: KEEP, version })
  }

  linear(x: Value, kernel: Parameter, bias: Parameter | null): Value {
    return this.#product(x, this.#writer.stored(kernel, 'transposed', 1), 'transposed', bias)
  }

  groupedLinear(x: Value, kernel: Parameter, bias: Parameter | null): Value {
    const [groups = 1, inner = 1, outer = 1] = kernel.shape
    const rows = this.#sequence === DYNAMIC ? DYNAMIC : this.#batch * this.#sequence
    const split = this.#reshape(x, [rows, inner, groups])
    const matrix = this.#writer.asFloat(this.#writer.stored(kernel, 'logical', 1).value)
    const products = this.#batchProduct(this.#transpose(split, [2, 0, 1]), matrix, [groups, rows, outer], false)
    const dims = [...x.dims.slice(0, -1), groups * outer]
    const merged = this.#reshape(this.#transpose(products, [1, 0, 2]), dims)
    return bias === null ? merged : this.#add(merged, this.#writer.vector(bias))
  }

  linearTransposed(x: Value, weight: Parameter, bias: Parameter | null): Value {
    return this.#product(x, this.#writer.stored(weight, 'logical', 0), 'logical', bias)
  }

  add(a: Value, b: Value): Value {
    return this.#add(a, b)
  }

  layerNorm(x: Value, { gamma, beta }: LayerNorm, epsilon: number): Value {
    const writer = this.#writer
    return writer.names.scope('LayerNorm', () => {
      const centred = this.#subtract(x, this.#mean(x))
      const variance = this.#mean(this.#multiply(centred, centred))
      const sum = this.#add(variance, writer.float(epsilon))
      const scale = writer.node(Op.RSQRT, [sum], { dims: sum.dims })
      const unit = this.#multiply(centred, scale)
      return this.#add(this.#multiply(unit, writer.vector(gamma)), writer.vector(beta))
    })
  }

  activation(x: Value, kind: Activation): Value {
    const { dims } = x
    switch (kind) {
      case 'linear':
        return x
      case 'relu':
        return this.#writer.node(Op.RELU, [x], { dims })
      case 'tanh':
        return this.#writer.node(Op.TANH, [x], { dims })
      case 'swish':
        return this.#writer.names.scope('swish', () => this.#multiply(x, this.#writer.node(Op.LOGISTIC, [x], { dims })))
      case 'gelu_tanh':
      case 'gelu_erf': {
        const options: NodeOptions = [Options.GeluOptions, new tflite.GeluOptionsT(kind === 'gelu_tanh')]
        return this.#writer.node(Op.GELU, [x], { dims }, { options })
      }
    }
  }

  attentionBias(mask: Value, penalty: number): Value {
    const writer = this.#writer
    const options: NodeOptions = [Options.CastOptions, new tflite.CastOptionsT(Type.INT32, Type.FLOAT32)]
    const present = writer.node(Op.CAST, [mask], { dims: mask.dims }, { options })
    const bias = this.#multiply(this.#subtract(writer.float(1), present), writer.float(penalty))
    return this.#reshape(bias, [this.#batch, 1, 1, this.#sequence])
  }

  splitHeads(x: Value, heads: number): Value {
    const split = this.#reshape(x, [this.#batch, this.#sequence, heads, last(x.dims) / heads])
    return this.#transpose(split, [0, 2, 1, 3])
  }

  mergeHeads(x: Value): Value {
    const [, heads = 1, , size = 1] = x.dims
    return this.#reshape(this.#transpose(x, [0, 2, 1, 3]), [this.#batch, this.#sequence, heads * size])
  }

  scores(query: Value, key: Value, headSize: number): Value {
    const scaled = this.#multiply(query, this.#writer.float(1 / Math.sqrt(headSize)))
    return this.#batchProduct(scaled, key, [...query.dims.slice(0, 3), this.#sequence], true)
  }

  softmax(x: Value): Value {
    const options: NodeOptions = [Options.SoftmaxOptions, new tflite.SoftmaxOptionsT(1)]
    return this.#writer.node(Op.SOFTMAX, [x], { dims: x.dims }, { options })
  }

  context(probabilities: Value, value: Value): Value {
    return this.#batchProduct(probabilities, value, value.dims, false)
  }

  firstToken(x: Value): Value {
    const width = last(x.dims)
    const dims = [this.#batch, 1, width]
    return this.#reshape(this.#slice(x, [0, 0, 0], this.#writer.integers(dims), dims), [this.#batch, width])
  }

  pick(x: Value, index: number): Value {
    const dims = [...x.dims.slice(0, -1), 1]
    return this.#reshape(this.#slice(x, [0, 0, index], this.#writer.integers(dims), dims), x.dims.slice(0, -1))
  }

  choicesToRows(ids: Value): Value {
    return this.#reshape(ids, [this.#batch, this.#sequence], `${ids.name}_rows`)
  }

  rowsToChoices(scores: Value, ids: Value): Value {
    return this.#reshape(scores, ids.dims.slice(0, 2))
  }

  mark(name: string, x: Value): Value {
    x.name = this.#writer.names.reserve(name)
    this.#marks.set(name, x)
    return x
  }

  inner(name: string, x: Value): Value {
    this.#inner.set([...this.#writer.names.path, name].join('/'), x)
    return x
  }

  /** Names the outputs: the tensor itself is renamed, unless it is another output or mark as well. */
  #nameOutputs(outputs: readonly (readonly [string, Value])[]): Value[] {
    const asked = new Set(outputs.map(([name]) => name))
    const taken = new Set<Value>()
    return outputs.map(([name, value]) => {
      const alias = taken.has(value) || (value.name !== name && asked.has(value.name))
      const output = alias ? this.#reshape(value, value.dims, `${name}/copy`) : value
      output.name = name
      taken.add(output)
      return output
    })
  }

  /** Finishes the graph; nothing can be added after it. */
  finish(outputs: readonly (readonly [string, Value])[]): TfliteGraph {
    const named = this.#nameOutputs(outputs)
    const names = (values: ReadonlyMap<string, Value>) =>
      Object.fromEntries([...values].map(([key, value]) => [key, value.name]))
    return {
      ...this.#writer.finish(),
      inputs: Object.values(this.inputs) as Value[],
      outputs: named,
      marks: names(this.#marks),
      dynamic: Object.fromEntries(this.#products),
      inner: names(this.#inner),
    }
  }
}

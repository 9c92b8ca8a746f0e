import type { LayerNorm, Parameter } from '../../model/albert.js'
import type { Activation } from '../../model/config.js'
import type { ForwardInputs, Ops } from '../../model/ops.js'
import { create, onnx } from '../../proto/onnx.js'
import { BLOCK } from '../weights/blocks.js'
import type { Encodings } from '../weights/encoding.js'
import type { Dim } from '../node-names.js'
import type { WrittenWeight } from '../weights/artefact.js'
import { DataType, float, int, ints, last, MICROSOFT, NodeWriter, text, valueInfo } from './nodes.js'
import type { Blocks, Value } from './nodes.js'

export type { Value } from './nodes.js'

/** A finished graph, without the bytes of the weights. */
export interface OnnxGraph {
  /** Nodes, inputs, outputs and the small constants. */
  readonly graph: onnx.GraphProto
  /** Weights to be written as initializers, in the order of first use. */
  readonly weights: readonly WrittenWeight[]
  /** Version of the operator set. */
  readonly opset: number
  readonly outputs: readonly string[]
  readonly marks: Readonly<Record<string, string>>
  /** Weights multiplied with quantised activations: output axis of the weight, by slot. */
  readonly dynamic: Readonly<Record<string, 0 | 1>>
  /** Values of the inner operations by their paths. */
  readonly inner: Readonly<Record<string, string>>
}

/** Constants of tanh GELU, written so that onnxruntime recognises it (FastGelu). */
const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI)

/** Most negative mask value in float16: a larger magnitude plus a score could exceed the range. */
const HALF_PENALTY = -30000

export interface OnnxGraphOptions {
  /** True if the inputs are `[batch, choices, sequence]`. */
  readonly choices?: boolean
  /** Version of the operator set, from 17 on. */
  readonly opset?: number
  /** Encodings of the weights; float32 by default. */
  readonly encodings?: Encodings
  /** Compute products, softmax and activations in float16; residual sums and LayerNorm stay in float32. */
  readonly half?: boolean
}

/**
 * `Ops` that write ONNX nodes. The graph has the structure that onnxruntime runs fastest while every
 * other runtime can still read it: separate MatMul and Add, LayerNormalization, a GELU that its optimizer recognises,
 * no shapes of inner values (they make it choose slower kernels), and parameters in the stored order of the source: a
 * Transpose follows those that are `[out, in]`, which runtimes fold when they load the model.
 */
export class OnnxGraphOps implements Ops<Value> {
  readonly #writer: NodeWriter
  readonly #marks = new Map<string, Value>()
  readonly #inner = new Map<string, Value>()
  readonly #lengths = new Map<Value, Value>()
  /** Quantised activations, shared by all products that use them. */
  readonly #dynamic = new Map<Value, readonly Value[]>()
  /** Output axis of the weights of integer products, by slot. */
  readonly #products = new Map<string, 0 | 1>()
  /** Results of `splitHeads`, not yet transposed, `[B, S, N, D]`, and the scope of their Transpose nodes. */
  readonly #splitIn = new Map<Value, readonly string[]>()
  readonly #opset: number

  readonly inputs: ForwardInputs<Value>
  readonly choices: boolean

  constructor({ choices = false, opset = 17, encodings, half = false }: OnnxGraphOptions = {}) {
    this.#writer = new NodeWriter(encodings, half)
    this.#opset = opset
    this.choices = choices
    const dims: readonly Dim[] = choices ? ['examples', 'choices', 'sequence'] : ['batch', 'sequence']
    const input = (name: string): Value => ({ name: this.#writer.names.reserve(name), dims, half: false })
    this.inputs = {
      input_ids: input('input_ids'),
      attention_mask: input('attention_mask'),
      token_type_ids: input('token_type_ids'),
    }
  }

  #product(x: Value, weight: Parameter, axis: 0 | 1, bias: Parameter | null): Value {
    const writer = this.#writer
    const blocks = writer.blocks(weight, axis)
    const product =
      blocks !== null
        ? this.#blockProduct(x, weight, blocks)
        : writer.isDynamic(weight, axis)
          ? this.#integerProduct(x, weight, axis)
          : this.#plain(x, weight, axis)
    return bias === null ? product : writer.node('Add', [product, writer.vector(bias, product.half)], product.dims)
  }

  #plain(x: Value, weight: Parameter, axis: 0 | 1): Value {
    const matrix = this.#writer.matrix(weight, axis)
    return this.#writer.node(
      'MatMul',
      [this.#writer.cast(x, matrix.half), matrix],
      [...x.dims.slice(0, -1), last(matrix.dims)],
    )
  }

  /** Product of `x` and a matrix in blocks, which onnxruntime widens as it multiplies. */
  #blockProduct(x: Value, weight: Parameter, blocks: Blocks): Value {
    const writer = this.#writer
    const { rows, inputs, scales } = blocks
    const attributes = [int('K', inputs), int('N', rows), int('bits', 4), int('block_size', BLOCK)]
    const operands = [writer.cast(x, false), writer.cutBlocks(weight, blocks), scales]
    return writer.node('MatMulNBits', operands, [...x.dims.slice(0, -1), rows], { attributes, domain: MICROSOFT })
  }

  /** Product of `x`, quantised at run time, and an int8 weight: the pattern that onnxruntime fuses into one kernel. */
  #integerProduct(x: Value, weight: Parameter, axis: 0 | 1): Value {
    const writer = this.#writer
    let dynamic = this.#dynamic.get(x)
    if (dynamic === undefined) {
      dynamic = writer.nodes(
        'DynamicQuantizeLinear',
        [x],
        [
          ['values', x.dims],
          ['scale', []],
          ['zero_point', []],
        ],
      )
      this.#dynamic.set(x, dynamic)
    }
    const [values, scale, zeroPoint] = dynamic as [Value, Value, Value]
    this.#products.set(weight.slot, axis)
    const { integers, scales } = writer.quantised(weight, axis)
    const dims = [...x.dims.slice(0, -1), last(integers.dims)]
    const sums = writer.node('MatMulInteger', [values, integers, zeroPoint], dims)
    const numbers = writer.node('Cast', [sums], dims, { attributes: [int('to', DataType.FLOAT)] })
    return writer.node('Mul', [numbers, writer.node('Mul', [scale, scales], scales.dims)], dims)
  }

  #multiply(a: Value, b: Value): Value {
    return this.#writer.node('Mul', [a, b], a.dims)
  }

  #scaled(x: Value, factor: number): Value {
    return this.#multiply(x, this.#writer.scalar(factor, x.half))
  }

  scope(name: string, body: () => Value): Value {
    return this.#writer.names.scope(name, body)
  }

  gather(table: Parameter, ids: Value): Value {
    const found = this.#writer.blocks(table, 0)
    if (found !== null) {
      const { blocks, scales, inputs } = found
      const attributes = [int('bits', 4), int('block_size', BLOCK), int('gather_axis', 0), int('quantize_axis', 1)]
      const options = { attributes, domain: MICROSOFT }
      return this.#writer.node('GatherBlockQuantized', [blocks, ids, scales], [...ids.dims, inputs], options)
    }
    const rows = this.#writer.rows(table, (stored) =>
      this.#writer.node('Gather', [stored, ids], [...ids.dims, ...stored.dims.slice(1)]),
    )
    return this.#writer.cast(rows, false)
  }

  positions(table: Parameter, ids: Value): Value {
    const writer = this.#writer
    // Never Gather(Range): onnxruntime 1.30 turns it into a Slice with scalar starts, which it then refuses.
    let length = this.#lengths.get(ids)
    if (length === undefined) {
      const attributes = [int('start', 1), int('end', 2)]
      length = writer.node('Shape', [ids], [1], { attributes, label: 'sequence_length', half: false })
      this.#lengths.set(ids, length)
    }
    const end = length
    const zero = writer.integers([0])
    const rows = writer.rows(table, (stored) =>
      writer.node('Slice', [stored, zero, end, zero], ['sequence', ...stored.dims.slice(1)]),
    )
    return writer.cast(rows, false)
  }

  linear(x: Value, kernel: Parameter, bias: Parameter | null): Value {
    return this.#product(x, kernel, 1, bias)
  }

  groupedLinear(x: Value, kernel: Parameter, bias: Parameter | null): Value {
    const writer = this.#writer
    const [groups = 1, inner = 1, outer = 1] = kernel.shape
    const [batch = 'batch', sequence = 'sequence'] = x.dims
    const matrix = writer.matrix(kernel, 1)
    const input = writer.cast(x, matrix.half)
    const split = writer.node(
      'Reshape',
      [input, writer.integers([0, 0, inner, groups])],
      [batch, sequence, inner, groups],
    )
    const grouped = this.#transpose(split, [0, 3, 1, 2])
    const products = writer.node('MatMul', [grouped, matrix], [batch, groups, sequence, outer])
    const back = this.#transpose(products, [0, 2, 1, 3])
    const dims = [batch, sequence, groups * outer]
    const merged = writer.node('Reshape', [back, writer.integers([0, 0, groups * outer])], dims)
    return bias === null ? merged : writer.node('Add', [merged, writer.vector(bias, merged.half)], dims)
  }

  linearTransposed(x: Value, weight: Parameter, bias: Parameter | null): Value {
    return this.#product(x, weight, 0, bias)
  }

  /** Adds in float32 if either operand is float32, as the residual stream always is. */
  add(a: Value, b: Value): Value {
    const half = a.half && b.half
    return this.#writer.node('Add', [this.#writer.cast(a, half), this.#writer.cast(b, half)], a.dims)
  }

  layerNorm(x: Value, { gamma, beta }: LayerNorm, epsilon: number): Value {
    const writer = this.#writer
    const inputs = [writer.cast(x, false), writer.vector(gamma, false), writer.vector(beta, false)]
    const attributes = [int('axis', -1), float('epsilon', epsilon)]
    return writer.node('LayerNormalization', inputs, x.dims, { attributes, label: 'LayerNorm' })
  }

  activation(x: Value, kind: Activation): Value {
    const { names } = this.#writer
    switch (kind) {
      case 'linear':
        return x
      case 'relu':
        return this.#writer.node('Relu', [x], x.dims)
      case 'tanh':
        return this.#writer.node('Tanh', [x], x.dims)
      case 'swish':
        return names.scope('swish', () => this.#multiply(x, this.#writer.node('Sigmoid', [x], x.dims)))
      case 'gelu_tanh':
      case 'gelu_erf':
        // Gelu is an operator since opset 20.
        if (this.#opset >= 20) {
          const attributes = [text('approximate', kind === 'gelu_tanh' ? 'tanh' : 'none')]
          return this.#writer.node('Gelu', [x], x.dims, { attributes, label: 'gelu' })
        }
        return names.scope('gelu', () => (kind === 'gelu_tanh' ? this.#geluTanh(x) : this.#geluErf(x)))
    }
  }

  /** `x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`; onnxruntime recognises it with `Pow`, not with `x·x·x`. */
  #geluTanh(x: Value): Value {
    const writer = this.#writer
    const cube = this.#scaled(writer.node('Pow', [x, writer.scalar(3, x.half)], x.dims), 0.044715)
    const inner = this.#scaled(writer.node('Add', [x, cube], x.dims), SQRT_2_OVER_PI)
    const gate = writer.node('Add', [writer.node('Tanh', [inner], x.dims), writer.scalar(1, x.half)], x.dims)
    return this.#multiply(this.#scaled(x, 0.5), gate)
  }

  /** `x · (1 + erf(x/√2)) · ½`, in the order in which onnxruntime recognises it (Gelu). */
  #geluErf(x: Value): Value {
    const writer = this.#writer
    const inner = writer.node('Div', [x, writer.scalar(Math.SQRT2, x.half)], x.dims)
    const gate = writer.node('Add', [writer.node('Erf', [inner], x.dims), writer.scalar(1, x.half)], x.dims)
    return this.#scaled(this.#multiply(x, gate), 0.5)
  }

  attentionBias(mask: Value, penalty: number): Value {
    const writer = this.#writer
    const { half } = writer
    const to = half ? DataType.FLOAT16 : DataType.FLOAT
    const present = writer.node('Cast', [mask], mask.dims, { attributes: [int('to', to)], half })
    const absent = writer.node('Sub', [writer.scalar(1, half), present], mask.dims)
    const bias = this.#scaled(absent, half ? Math.max(penalty, HALF_PENALTY) : penalty)
    return writer.node('Unsqueeze', [bias, writer.integers([1, 2])], ['batch', 1, 1, 'sequence'])
  }

  splitHeads(x: Value, heads: number): Value {
    const size = last(x.dims) / heads
    const shape = this.#writer.integers([0, 0, heads, size])
    const split = this.#writer.node('Reshape', [x, shape], ['batch', 'sequence', heads, size])
    // The key needs another permutation than query and value; `scores` and `context` know which.
    this.#splitIn.set(split, this.#writer.names.path)
    return split
  }

  #transpose(x: Value, perm: readonly number[]): Value {
    const dims = perm.map((axis) => x.dims[axis] ?? 1)
    return this.#writer.node('Transpose', [x], dims, { attributes: [ints('perm', perm)] })
  }

  #transposeHeads(x: Value, perm: readonly number[]): Value {
    const scope = this.#splitIn.get(x)
    if (scope === undefined) throw new RangeError('not the result of splitHeads')
    return this.#writer.names.within(scope, () => this.#transpose(x, perm))
  }

  mergeHeads(x: Value): Value {
    const [, heads, , size] = x.dims
    const hidden = Number(heads) * Number(size)
    const back = this.#transpose(x, [0, 2, 1, 3])
    return this.#writer.node('Reshape', [back, this.#writer.integers([0, 0, hidden])], ['batch', 'sequence', hidden])
  }

  scores(query: Value, key: Value, headSize: number): Value {
    const q = this.#transposeHeads(query, [0, 2, 1, 3])
    const k = this.#transposeHeads(key, [0, 2, 3, 1])
    const dims = [...q.dims.slice(0, 3), 'sequence'] as const
    // In float16 the products could overflow before they are divided, so the query is scaled first.
    if (q.half) return this.#writer.node('MatMul', [this.#scaled(q, 1 / Math.sqrt(headSize)), k], dims)
    const products = this.#writer.node('MatMul', [q, k], dims)
    return this.#writer.node('Div', [products, this.#writer.scalar(Math.sqrt(headSize))], dims)
  }

  softmax(x: Value): Value {
    return this.#writer.node('Softmax', [x], x.dims, { attributes: [int('axis', -1)] })
  }

  context(probabilities: Value, value: Value): Value {
    const v = this.#transposeHeads(value, [0, 2, 1, 3])
    return this.#writer.node('MatMul', [probabilities, v], v.dims)
  }

  firstToken(x: Value): Value {
    const dims = ['batch', last(x.dims)] as const
    const options = { attributes: [int('axis', 1)], label: 'first_token' }
    return this.#writer.node('Gather', [x, this.#writer.scalarInteger(0)], dims, options)
  }

  pick(x: Value, index: number): Value {
    const options = { attributes: [int('axis', -1)], label: 'pick' }
    return this.#writer.node('Gather', [x, this.#writer.scalarInteger(index)], x.dims.slice(0, -1), options)
  }

  choicesToRows(ids: Value): Value {
    const writer = this.#writer
    const attributes = [int('start', 2), int('end', 3)]
    const length = writer.node('Shape', [ids], [1], { attributes, label: 'sequence_length' })
    const shape = writer.node('Concat', [writer.integers([-1]), length], [2], { attributes: [int('axis', 0)] })
    return writer.node('Reshape', [ids, shape], ['batch', 'sequence'], { label: `${ids.name}_rows` })
  }

  rowsToChoices(scores: Value, ids: Value): Value {
    const attributes = [int('start', 0), int('end', 2)]
    const shape = this.#writer.node('Shape', [ids], [2], { attributes, label: 'choices', half: false })
    return this.#writer.node('Reshape', [scores, shape], ['examples', 'choices'])
  }

  mark(name: string, x: Value): Value {
    const value = this.#writer.cast(x, false)
    value.name = this.#writer.names.reserve(name)
    this.#marks.set(name, value)
    return value
  }

  /** Records an inner value, except in float16: runners fetch inner values as float32. */
  inner(name: string, x: Value): Value {
    if (!x.half) this.#inner.set([...this.#writer.names.path, name].join('/'), x)
    return x
  }

  /** Names the outputs: the tensor itself is renamed, unless it is another output or mark as well. */
  #nameOutputs(outputs: readonly (readonly [string, Value])[]): Value[] {
    const asked = new Set(outputs.map(([name]) => name))
    const taken = new Set<Value>()
    return outputs.map(([name, given]) => {
      const value = this.#writer.cast(given, false, `${name}/Cast`)
      const alias = taken.has(value) || (value.name !== name && asked.has(value.name))
      const output = alias ? this.#writer.node('Identity', [value], value.dims, { label: `${name}/Identity` }) : value
      output.name = name
      taken.add(output)
      return output
    })
  }

  /** Names of the dimensions in the file: `batch` is always the first axis of the inputs. */
  #label(dims: readonly Dim[]): (number | string)[] {
    const names: Readonly<Record<string, string>> = this.choices ? { batch: 'rows', examples: 'batch' } : {}
    return dims.map((dim) => (typeof dim === 'number' ? dim : (names[dim] ?? dim)))
  }

  /** Finishes the graph; nothing can be added after it. */
  finish(outputs: readonly (readonly [string, Value])[]): OnnxGraph {
    const named = this.#nameOutputs(outputs)
    const { weights, node, initializer } = this.#writer.finish()
    const graph = create(onnx.GraphProtoSchema, {
      name: 'albertkit',
      node,
      input: Object.values(this.inputs).map(({ name, dims }: Value) =>
        valueInfo(name, DataType.INT64, this.#label(dims)),
      ),
      output: named.map(({ name, dims }) => valueInfo(name, DataType.FLOAT, this.#label(dims))),
      initializer,
    })
    return {
      graph,
      weights,
      opset: this.#opset,
      outputs: named.map(({ name }) => name),
      marks: Object.fromEntries([...this.#marks].map(([name, value]) => [name, value.name])),
      dynamic: Object.fromEntries(this.#products),
      inner: Object.fromEntries([...this.#inner].map(([name, value]) => [name, value.name])),
    }
  }
}

import type { LayerNorm, Parameter } from '../../model/albert.js'
import type { Activation } from '../../model/config.js'
import type { ForwardInputs, Ops } from '../../model/ops.js'
import { create, onnx, type MessageInitShape } from '../../proto/onnx.js'
import { NodeNames, type Dim } from '../names.js'
import { writtenWeight, type WrittenWeight } from '../written.js'

/** A tensor of the graph. Its name may still change, until the graph is finished. */
export interface Value {
  name: string
  readonly dims: readonly Dim[]
}

type Attribute = MessageInitShape<typeof onnx.AttributeProtoSchema>
const { AttributeProto_AttributeType: AttributeType, TensorProto_DataType: DataType } = onnx

const int = (name: string, value: number): Attribute => ({ name, i: BigInt(value), type: AttributeType.INT })
const ints = (name: string, values: readonly number[]): Attribute => ({
  name,
  ints: values.map(BigInt),
  type: AttributeType.INTS,
})
const float = (name: string, value: number): Attribute => ({ name, f: value, type: AttributeType.FLOAT })

interface Node {
  readonly name: string
  readonly op: string
  readonly inputs: readonly Value[]
  readonly output: Value
  readonly attributes: readonly Attribute[]
}

/** A finished graph; the weights' bytes are not in it. */
export interface OnnxGraph {
  /** Nodes, inputs, outputs and the small constants. */
  readonly graph: onnx.GraphProto
  /** Initializers that the file must hold besides, in the order of their first use. */
  readonly weights: readonly WrittenWeight[]
  readonly outputs: readonly string[]
  readonly marks: Readonly<Record<string, string>>
  /** Values of the inner operations by their paths. */
  readonly inner: Readonly<Record<string, string>>
}

/** Constants of the tanh form, in the shape in which onnxruntime recognises it (FastGelu). */
const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI)

const last = (dims: readonly Dim[]): number => Number(dims[dims.length - 1])

const typed = (
  name: string,
  elemType: number,
  dims: readonly (number | string)[],
): MessageInitShape<typeof onnx.ValueInfoProtoSchema> => ({
  name,
  type: {
    value: {
      case: 'tensorType',
      value: {
        elemType,
        shape: {
          dim: dims.map((d) => ({
            value: typeof d === 'number' ? { case: 'dimValue', value: BigInt(d) } : { case: 'dimParam', value: d },
          })),
        },
      },
    },
  },
})

/**
 * `Ops` that write ONNX nodes (opset 17). The shape of the graph is the one that onnxruntime runs fastest while every
 * other runtime can still read it: separate MatMul and Add, LayerNormalization, a GELU that its optimizer recognises,
 * no shapes of inner values (they make it choose slower kernels), and parameters in the byte order of the source: where
 * that is `[out, in]`, one Transpose stands between, which runtimes fold when they load the model.
 */
export class OnnxGraphOps implements Ops<Value> {
  readonly #names = new NodeNames()
  readonly #nodes: Node[] = []
  readonly #constants = new Map<string, onnx.TensorProto>()
  readonly #constantValues = new Map<string, Value>()
  readonly #parameters = new Map<Parameter, Value>()
  readonly #transposed = new Map<Parameter, Value>()
  readonly #marks = new Map<string, Value>()
  readonly #inner = new Map<string, Value>()
  readonly #lengths = new Map<Value, Value>()
  /** What `splitHeads` left untransposed, `[B, S, N, D]`, and the scope that the transposition belongs to. */
  readonly #splitIn = new Map<Value, readonly string[]>()

  readonly inputs: ForwardInputs<Value>

  /** @param choices whether the inputs are `[batch, choices, sequence]` */
  constructor(readonly choices = false) {
    const dims: readonly Dim[] = choices ? ['examples', 'choices', 'sequence'] : ['batch', 'sequence']
    const input = (name: string): Value => ({ name: this.#names.reserve(name), dims })
    this.inputs = {
      input_ids: input('input_ids'),
      attention_mask: input('attention_mask'),
      token_type_ids: input('token_type_ids'),
    }
  }

  #node(
    op: string,
    inputs: readonly Value[],
    dims: readonly Dim[],
    attributes: readonly Attribute[] = [],
    label = op,
  ): Value {
    const name = this.#names.fresh(label)
    const output: Value = { name, dims }
    this.#nodes.push({ name, op, inputs, output, attributes })
    return output
  }

  /** A small constant, stored once however often it is used. */
  #constant(name: string, dataType: number, dims: readonly number[], data: Float32Array | BigInt64Array): Value {
    const known = this.#constantValues.get(name)
    if (known !== undefined) return known
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    this.#constants.set(name, create(onnx.TensorProtoSchema, { name, dataType, dims: dims.map(BigInt), rawData }))
    const value: Value = { name: this.#names.reserve(name), dims }
    this.#constantValues.set(name, value)
    return value
  }

  #scalar(value: number): Value {
    return this.#constant(`constants/float_${value}`, DataType.FLOAT, [], Float32Array.of(value))
  }

  #integers(values: readonly number[]): Value {
    const data = BigInt64Array.from(values, BigInt)
    return this.#constant(`constants/int_${values.join('_')}`, DataType.INT64, [values.length], data)
  }

  #scalarInteger(value: number): Value {
    return this.#constant(`constants/int_${value}_scalar`, DataType.INT64, [], BigInt64Array.of(BigInt(value)))
  }

  /** The parameter with its bytes as the source has them. */
  #stored(parameter: Parameter): Value {
    const known = this.#parameters.get(parameter)
    if (known !== undefined) return known
    const value: Value = { name: this.#names.reserve(parameter.slot), dims: parameter.storedShape }
    this.#parameters.set(parameter, value)
    return value
  }

  #storedTransposed(parameter: Parameter): Value {
    const known = this.#transposed.get(parameter)
    if (known !== undefined) return known
    const stored = this.#stored(parameter)
    // Of a grouped kernel the last axis comes first as well.
    const perm = stored.dims.length === 3 ? [2, 0, 1] : [1, 0]
    const dims = perm.map((axis) => stored.dims[axis] ?? 1)
    const value = this.#names.within([parameter.slot], () =>
      this.#node('Transpose', [stored], dims, [ints('perm', perm)]),
    )
    this.#transposed.set(parameter, value)
    return value
  }

  #meant(parameter: Parameter): Value {
    return parameter.layout === 'as_is' ? this.#stored(parameter) : this.#storedTransposed(parameter)
  }

  #meantTransposed(parameter: Parameter): Value {
    return parameter.layout === 'transposed' ? this.#stored(parameter) : this.#storedTransposed(parameter)
  }

  #product(x: Value, matrix: Value, bias: Parameter | null): Value {
    const dims = [...x.dims.slice(0, -1), last(matrix.dims)]
    const product = this.#node('MatMul', [x, matrix], dims)
    return bias === null ? product : this.#node('Add', [product, this.#meant(bias)], dims)
  }

  #multiply(a: Value, b: Value): Value {
    return this.#node('Mul', [a, b], a.dims)
  }

  scope(name: string, body: () => Value): Value {
    return this.#names.scope(name, body)
  }

  gather(table: Parameter, ids: Value): Value {
    const rows = this.#meant(table)
    return this.#node('Gather', [rows, ids], [...ids.dims, last(rows.dims)])
  }

  positions(table: Parameter, ids: Value): Value {
    // Never Gather(Range): onnxruntime 1.30 turns it into a Slice with scalar starts, which it then refuses.
    let length = this.#lengths.get(ids)
    if (length === undefined) {
      length = this.#node('Shape', [ids], [1], [int('start', 1), int('end', 2)], 'sequence_length')
      this.#lengths.set(ids, length)
    }
    const zero = this.#integers([0])
    const rows = this.#meant(table)
    return this.#node('Slice', [rows, zero, length, zero], ['sequence', last(rows.dims)])
  }

  linear(x: Value, kernel: Parameter, bias: Parameter | null): Value {
    return this.#product(x, this.#meant(kernel), bias)
  }

  groupedLinear(x: Value, kernel: Parameter, bias: Parameter | null): Value {
    const [groups = 1, inner = 1, outer = 1] = kernel.shape
    const [batch = 'batch', sequence = 'sequence'] = x.dims
    const split = this.#node('Reshape', [x, this.#integers([0, 0, inner, groups])], [batch, sequence, inner, groups])
    const grouped = this.#node('Transpose', [split], [batch, groups, sequence, inner], [ints('perm', [0, 3, 1, 2])])
    const products = this.#node('MatMul', [grouped, this.#meant(kernel)], [batch, groups, sequence, outer])
    const back = this.#node('Transpose', [products], [batch, sequence, groups, outer], [ints('perm', [0, 2, 1, 3])])
    const dims = [batch, sequence, groups * outer]
    const merged = this.#node('Reshape', [back, this.#integers([0, 0, groups * outer])], dims)
    return bias === null ? merged : this.#node('Add', [merged, this.#meant(bias)], dims)
  }

  linearTransposed(x: Value, weight: Parameter, bias: Parameter | null): Value {
    return this.#product(x, this.#meantTransposed(weight), bias)
  }

  add(a: Value, b: Value): Value {
    return this.#node('Add', [a, b], a.dims)
  }

  layerNorm(x: Value, { gamma, beta }: LayerNorm, epsilon: number): Value {
    const attributes = [int('axis', -1), float('epsilon', epsilon)]
    return this.#node('LayerNormalization', [x, this.#meant(gamma), this.#meant(beta)], x.dims, attributes, 'LayerNorm')
  }

  activation(x: Value, kind: Activation): Value {
    switch (kind) {
      case 'linear':
        return x
      case 'relu':
        return this.#node('Relu', [x], x.dims)
      case 'tanh':
        return this.#node('Tanh', [x], x.dims)
      case 'swish':
        return this.#names.scope('swish', () => this.#multiply(x, this.#node('Sigmoid', [x], x.dims)))
      case 'gelu_tanh':
        return this.#names.scope('gelu', () => this.#geluTanh(x))
      case 'gelu_erf':
        return this.#names.scope('gelu', () => this.#geluErf(x))
    }
  }

  /** `x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`; with `x·x·x` for `Pow` onnxruntime does not recognise it. */
  #geluTanh(x: Value): Value {
    const cube = this.#multiply(this.#node('Pow', [x, this.#scalar(3)], x.dims), this.#scalar(0.044715))
    const inner = this.#multiply(this.#node('Add', [x, cube], x.dims), this.#scalar(SQRT_2_OVER_PI))
    const gate = this.#node('Add', [this.#node('Tanh', [inner], x.dims), this.#scalar(1)], x.dims)
    return this.#multiply(this.#multiply(x, this.#scalar(0.5)), gate)
  }

  /** `x · (1 + erf(x/√2)) · ½`, in the order in which onnxruntime recognises it (Gelu). */
  #geluErf(x: Value): Value {
    const inner = this.#node('Div', [x, this.#scalar(Math.SQRT2)], x.dims)
    const gate = this.#node('Add', [this.#node('Erf', [inner], x.dims), this.#scalar(1)], x.dims)
    return this.#multiply(this.#multiply(x, gate), this.#scalar(0.5))
  }

  attentionBias(mask: Value, penalty: number): Value {
    const present = this.#node('Cast', [mask], mask.dims, [int('to', DataType.FLOAT)])
    const absent = this.#node('Sub', [this.#scalar(1), present], mask.dims)
    const bias = this.#multiply(absent, this.#scalar(penalty))
    return this.#node('Unsqueeze', [bias, this.#integers([1, 2])], ['batch', 1, 1, 'sequence'])
  }

  splitHeads(x: Value, heads: number): Value {
    const size = last(x.dims) / heads
    const split = this.#node('Reshape', [x, this.#integers([0, 0, heads, size])], ['batch', 'sequence', heads, size])
    // The key wants another transposition than query and value, so that is left to whoever knows which one this is.
    this.#splitIn.set(split, this.#names.path)
    return split
  }

  #transposeHeads(x: Value, perm: readonly number[]): Value {
    const scope = this.#splitIn.get(x)
    if (scope === undefined) throw new RangeError('not the result of splitHeads')
    const dims = perm.map((axis) => x.dims[axis] ?? 1)
    return this.#names.within(scope, () => this.#node('Transpose', [x], dims, [ints('perm', perm)]))
  }

  mergeHeads(x: Value): Value {
    const [, heads, , size] = x.dims
    const hidden = Number(heads) * Number(size)
    const back = this.#node(
      'Transpose',
      [x],
      ['batch', 'sequence', Number(heads), Number(size)],
      [ints('perm', [0, 2, 1, 3])],
    )
    return this.#node('Reshape', [back, this.#integers([0, 0, hidden])], ['batch', 'sequence', hidden])
  }

  scores(query: Value, key: Value, headSize: number): Value {
    const q = this.#transposeHeads(query, [0, 2, 1, 3])
    const k = this.#transposeHeads(key, [0, 2, 3, 1])
    const products = this.#node('MatMul', [q, k], [...q.dims.slice(0, 3), 'sequence'])
    return this.#node('Div', [products, this.#scalar(Math.sqrt(headSize))], products.dims)
  }

  softmax(x: Value): Value {
    return this.#node('Softmax', [x], x.dims, [int('axis', -1)])
  }

  context(probabilities: Value, value: Value): Value {
    const v = this.#transposeHeads(value, [0, 2, 1, 3])
    return this.#node('MatMul', [probabilities, v], v.dims)
  }

  firstToken(x: Value): Value {
    const zero = this.#scalarInteger(0)
    return this.#node('Gather', [x, zero], ['batch', last(x.dims)], [int('axis', 1)], 'first_token')
  }

  pick(x: Value, index: number): Value {
    return this.#node('Gather', [x, this.#scalarInteger(index)], x.dims.slice(0, -1), [int('axis', -1)], 'pick')
  }

  choicesToRows(ids: Value): Value {
    const length = this.#node('Shape', [ids], [1], [int('start', 2), int('end', 3)], 'sequence_length')
    const shape = this.#node('Concat', [this.#integers([-1]), length], [2], [int('axis', 0)])
    return this.#node('Reshape', [ids, shape], ['batch', 'sequence'], [], `${ids.name}_rows`)
  }

  rowsToChoices(scores: Value, ids: Value): Value {
    const shape = this.#node('Shape', [ids], [2], [int('start', 0), int('end', 2)], 'choices')
    return this.#node('Reshape', [scores, shape], ['examples', 'choices'])
  }

  mark(name: string, x: Value): Value {
    x.name = this.#names.reserve(name)
    this.#marks.set(name, x)
    return x
  }

  inner(name: string, x: Value): Value {
    this.#inner.set([...this.#names.path, name].join('/'), x)
    return x
  }

  /** Gives outputs their names: the tensor itself is renamed, unless it must keep a name that is asked for as well. */
  #nameOutputs(outputs: readonly (readonly [string, Value])[]): Value[] {
    const asked = new Set(outputs.map(([name]) => name))
    const taken = new Set<Value>()
    return outputs.map(([name, value]) => {
      const alias = taken.has(value) || (value.name !== name && asked.has(value.name))
      const output = alias ? this.#node('Identity', [value], value.dims, [], `${name}/Identity`) : value
      output.name = name
      taken.add(output)
      return output
    })
  }

  /** Dimensions by the names that a user of the file meets: `batch` is always the first axis of the inputs. */
  #label(dims: readonly Dim[]): (number | string)[] {
    const names: Readonly<Record<string, string>> = this.choices ? { batch: 'rows', examples: 'batch' } : {}
    return dims.map((dim) => (typeof dim === 'number' ? dim : (names[dim] ?? dim)))
  }

  /** Finishes the graph; nothing can be added after it. */
  finish(outputs: readonly (readonly [string, Value])[]): OnnxGraph {
    const named = this.#nameOutputs(outputs)
    const graph = create(onnx.GraphProtoSchema, {
      name: 'albertkit',
      node: this.#nodes.map(({ name, op, inputs, output, attributes }) => ({
        name,
        opType: op,
        input: inputs.map((value) => value.name),
        output: [output.name],
        attribute: [...attributes],
      })),
      input: Object.values(this.inputs).map(({ name, dims }: Value) => typed(name, DataType.INT64, this.#label(dims))),
      output: named.map(({ name, dims }) => typed(name, DataType.FLOAT, this.#label(dims))),
      initializer: [...this.#constants.values()],
    })
    return {
      graph,
      weights: [...this.#parameters.keys()].map((parameter) => writtenWeight(parameter, 'stored')),
      outputs: named.map(({ name }) => name),
      marks: Object.fromEntries([...this.#marks].map(([name, value]) => [name, value.name])),
      inner: Object.fromEntries([...this.#inner].map(([name, value]) => [name, value.name])),
    }
  }
}

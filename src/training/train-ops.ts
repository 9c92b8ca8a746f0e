import type { Dim } from '../export/node-names.js'
import { DataType, float, int, last, NodeWriter, text, type Value } from '../export/onnx/nodes.js'
import type { LayerNorm, Parameter } from '../model/albert.js'
import type { Activation } from '../model/config.js'
import type { ForwardInputs, Ops } from '../model/ops.js'
import { activate } from './activation.js'
import { GraphArithmetic } from './arithmetic.js'
import {
  DROPOUT_LEVELS,
  dropoutKind,
  NO_DROPOUT,
  thresholdOf,
  type DropoutRates,
  type DropoutSite,
} from './dropout-sites.js'
import { serialise, type GraphInput, type GraphWriter } from './graph-writer.js'
import { Tape } from './tape.js'

export type { Value } from '../export/onnx/nodes.js'

export interface TrainOpsOptions {
  /** True if the inputs are `[batch, choices, sequence]`. */
  readonly choices?: boolean
  /** True for a parameter whose gradient is asked for; all by default. */
  readonly isTrainable?: (parameter: Parameter) => boolean
  readonly dropout?: DropoutRates
  /** True if the head normalises the pooled output: its dropout then comes after that LayerNorm. */
  readonly normedHead?: boolean
}

/** Rows of a lookup and their gradients before they are summed by row. */
export interface LookupGradient {
  readonly table: Parameter
  /** `[ids, width]` */
  readonly rows: Value
}

/**
 * `Ops` that write the nodes of a forward pass and record how its gradients are computed: `tape.run` writes the
 * backward pass. Weights are inputs of the graph in their stored order, named after their slots, and so are their
 * gradients. Operator set 17, no operators of training builds. Gradients of lookups use ScatterElements: ScatterND with
 * reduction `add` loses updates in onnxruntime's CPU provider with four threads.
 */
export class TrainOps implements Ops<Value> {
  readonly #nodes = new NodeWriter()
  readonly writer: GraphWriter = this.#nodes
  readonly tape = new Tape(this.writer)
  readonly math = new GraphArithmetic(this.writer)
  readonly inputs: ForwardInputs<Value>
  readonly choices: boolean
  readonly sites: DropoutSite[] = []
  readonly lookups: LookupGradient[] = []
  readonly marks = new Map<string, Value>()
  /** Inner values by their paths, in the order of the forward pass. */
  readonly inners = new Map<string, Value>()
  readonly #parameters = new Map<Parameter, Value>()
  readonly #isTrainable: (parameter: Parameter) => boolean
  readonly #dropout: DropoutRates
  readonly #normedHead: boolean

  constructor(options: TrainOpsOptions = {}) {
    const { choices = false, isTrainable = () => true, dropout = NO_DROPOUT, normedHead = false } = options
    this.choices = choices
    this.#isTrainable = isTrainable
    this.#dropout = dropout
    this.#normedHead = normedHead
    const dims: readonly Dim[] = choices ? ['examples', 'choices', 'sequence'] : ['batch', 'sequence']
    const input = (name: string): Value => ({ name: this.writer.names.reserve(name), dims, half: false })
    this.inputs = {
      input_ids: input('input_ids'),
      attention_mask: input('attention_mask'),
      token_type_ids: input('token_type_ids'),
    }
    this.math.ids = this.inputs.input_ids
  }

  /**
   * Serialises the graph as an ONNX model, whose inputs are ids, mask, segments, `more` and the parameters.
   * @param outputs float32 values, under the names that they have
   */
  toModel(name: string, outputs: readonly Value[], more: readonly GraphInput[] = []): Uint8Array {
    const ids = Object.values(this.inputs).map((value: Value) => ({ value, type: 'int64' as const }))
    const weights = [...this.#parameters.values()].map((value) => ({ value, type: 'float32' as const }))
    return serialise(this.#nodes, name, { inputs: [...ids, ...more, ...weights], outputs })
  }

  /** Parameters of the graph and their values, in the order of first use. */
  get parameters(): ReadonlyMap<Parameter, Value> {
    return this.#parameters
  }

  #parameter(parameter: Parameter): Value {
    const known = this.#parameters.get(parameter)
    if (known !== undefined) return known
    const { value } = this.#nodes.stored(parameter, 1)
    this.#parameters.set(parameter, value)
    if (this.#isTrainable(parameter)) this.tape.track(value)
    return value
  }

  scope(name: string, body: () => Value): Value {
    return this.writer.names.scope(name, body)
  }

  gather(table: Parameter, ids: Value): Value {
    const { writer } = this
    const stored = this.#parameter(table)
    const width = last(stored.dims)
    const rows = writer.node('Gather', [stored, ids], [...ids.dims, width])
    return this.tape.record(rows, [stored], (g) => {
      const updates = this.math.rows(g)
      this.lookups.push({ table, rows: updates })
      this.tape.give(stored, () => {
        const list = this.math.vector(`ids ${ids.name}`, () =>
          writer.node('Reshape', [ids, writer.integers([-1, 1])], ['batch', 1]),
        )
        const index = writer.node('Expand', [list, writer.integers([1, width])], updates.dims)
        const shape = writer.integers(stored.dims.map(Number))
        const zeros = writer.node('ConstantOfShape', [shape], stored.dims)
        const attributes = [int('axis', 0), text('reduction', 'add')]
        return writer.node('ScatterElements', [zeros, index, updates], stored.dims, { attributes })
      })
    })
  }

  positions(table: Parameter): Value {
    const { writer } = this
    const stored = this.#parameter(table)
    const zero = writer.integers([0])
    const rows = writer.node('Slice', [stored, zero, this.math.size(1), zero], ['sequence', ...stored.dims.slice(1)])
    return this.tape.record(rows, [stored], (g) => {
      this.tape.give(stored, () => {
        const missing = writer.node('Sub', [writer.integers([Number(stored.dims[0])]), this.math.size(1)], [1])
        return writer.node('Pad', [g, this.math.concat([writer.integers([0, 0]), missing, zero], 4)], stored.dims)
      })
    })
  }

  /** @param isStoredOutIn true if the stored weight is `[out, in]` */
  #dense(x: Value, weight: Parameter, bias: Parameter | null, isStoredOutIn: boolean): Value {
    const { writer, tape } = this
    const w = this.#parameter(weight)
    const b = bias === null ? null : this.#parameter(bias)
    const width = Number(w.dims[isStoredOutIn ? 0 : 1])
    const input = this.math.rows(x)
    const gemm = (operands: readonly Value[], dims: readonly Dim[], transA: boolean, transB: boolean): Value =>
      writer.node('Gemm', operands, dims, {
        attributes: [...(transA ? [int('transA', 1)] : []), ...(transB ? [int('transB', 1)] : [])],
      })
    const operands = [input, w, ...(b === null ? [] : [b])]
    const product = this.math.unflatten(gemm(operands, [input.dims[0]!, width], false, isStoredOutIn), x.dims)
    return tape.record(product, [x, w, ...(b === null ? [] : [b])], (g) => {
      const rows = this.math.rows(g)
      tape.accumulate(w, (sum) => {
        const [left, right] = isStoredOutIn ? [rows, input] : [input, rows]
        // The sum over the uses of a shared weight is formed by the product itself.
        return gemm([left, right, ...(sum === null ? [] : [sum])], w.dims, true, false)
      })
      if (b !== null) tape.give(b, () => this.math.sum(rows, [0]))
      tape.give(x, () => this.math.unflatten(gemm([rows, w], input.dims, false, !isStoredOutIn), x.dims))
    })
  }

  linear(x: Value, kernel: Parameter, bias: Parameter | null): Value {
    return this.#dense(x, kernel, bias, kernel.layout === 'transposed')
  }

  linearTransposed(x: Value, weight: Parameter, bias: Parameter | null): Value {
    return this.#dense(x, weight, bias, weight.layout !== 'transposed')
  }

  groupedLinear(x: Value, kernel: Parameter, bias: Parameter | null): Value {
    const { writer, tape } = this
    const [groups = 1, inner = 1, outer = 1] = kernel.shape
    const stored = this.#parameter(kernel)
    const isLast = kernel.layout === 'grouped'
    const w = isLast ? this.math.transpose(stored, [2, 0, 1]) : stored
    const b = bias === null ? null : this.#parameter(bias)
    const rows = this.math.rows(x)
    const [count = 'batch'] = rows.dims
    const split = writer.node('Reshape', [rows, writer.integers([-1, inner, groups])], [count, inner, groups])
    const grouped = this.math.transpose(split, [2, 0, 1])
    const products = this.math.transpose(this.math.matmul(grouped, w), [1, 0, 2])
    const flat = writer.node('Reshape', [products, writer.integers([-1, groups * outer])], [count, groups * outer])
    const summed = b === null ? flat : writer.node('Add', [flat, b], flat.dims)
    const result = this.math.unflatten(summed, x.dims)
    return tape.record(result, [x, stored, ...(b === null ? [] : [b])], (g) => {
      const gradient = this.math.rows(g)
      if (b !== null) tape.give(b, () => this.math.sum(gradient, [0]))
      const shape = writer.integers([-1, groups, outer])
      const parts = this.math.transpose(writer.node('Reshape', [gradient, shape], [count, groups, outer]), [1, 0, 2])
      tape.give(stored, () => {
        const dw = this.math.matmul(this.math.transpose(grouped, [0, 2, 1]), parts)
        return isLast ? this.math.transpose(dw, [1, 2, 0]) : dw
      })
      tape.give(x, () => {
        const back = this.math.transpose(this.math.matmul(parts, this.math.transpose(w, [0, 2, 1])), [1, 2, 0])
        const whole = writer.integers([-1, inner * groups])
        return this.math.unflatten(writer.node('Reshape', [back, whole], [count, inner * groups]), x.dims)
      })
    })
  }

  add(a: Value, b: Value): Value {
    return this.tape.record(this.writer.node('Add', [a, b], a.dims), [a, b], (g) => {
      this.tape.give(a, () => g)
      const extra = a.dims.length - b.dims.length
      const axes = Array.from({ length: extra }, (_, axis) => axis)
      this.tape.give(b, () => (extra === 0 ? g : this.math.sum(g, axes)))
    })
  }

  layerNorm(x: Value, norm: LayerNorm, epsilon: number): Value {
    const { writer, tape } = this
    const [gamma, beta] = [this.#parameter(norm.gamma), this.#parameter(norm.beta)]
    const moment = [...x.dims.slice(0, -1), 1]
    const [y, mean, inverse] = writer.nodes(
      'LayerNormalization',
      [x, gamma, beta],
      [
        ['y', x.dims],
        ['mean', moment],
        ['inverse_deviation', moment],
      ],
      [int('axis', -1), float('epsilon', epsilon)],
    ) as [Value, Value, Value]
    const axes = x.dims.slice(0, -1).map((_, axis) => axis)
    tape.record(y, [x, gamma, beta], (g) => {
      tape.give(beta, () => this.math.sum(g, axes))
      const centred = writer.node('Sub', [x, mean], x.dims)
      const normed = this.math.multiply(centred, inverse)
      tape.give(gamma, () => this.math.sum(this.math.multiply(g, normed), axes))
      tape.give(x, () => this.math.normGradient(this.math.multiply(g, gamma), normed, inverse))
    })
    return this.#normedHead && writer.names.path.at(-1) === 'classifier' ? this.#drop(y, 'classifier') : y
  }

  activation(x: Value, kind: Activation): Value {
    const { value, derivative } = activate(this.writer, x, kind)
    if (derivative === null) return value
    return this.tape.record(value, [x], (g) => {
      this.tape.give(x, () => this.math.multiply(g, derivative()))
    })
  }

  attentionBias(mask: Value, penalty: number): Value {
    const { writer } = this
    const present = writer.node('Cast', [mask], mask.dims, { attributes: [int('to', DataType.FLOAT)] })
    const absent = writer.node('Sub', [writer.scalar(1), present], mask.dims)
    const bias = this.math.multiply(absent, writer.scalar(penalty))
    return writer.node('Unsqueeze', [bias, writer.integers([1, 2])], ['batch', 1, 1, 'sequence'])
  }

  splitHeads(x: Value, heads: number): Value {
    const { writer } = this
    const size = last(x.dims) / heads
    const shape = writer.integers([0, 0, heads, size])
    const split = writer.node('Reshape', [x, shape], [...x.dims.slice(0, 2), heads, size])
    const result = this.math.transpose(split, [0, 2, 1, 3])
    return this.tape.record(result, [x], (g) => {
      this.tape.give(x, () => this.#merged(g))
    })
  }

  /** `[B, N, S, D]` → `[B, S, N·D]`. */
  #merged(x: Value): Value {
    const [, heads, , size] = x.dims
    const hidden = Number(heads) * Number(size)
    const back = this.math.transpose(x, [0, 2, 1, 3])
    const shape = this.writer.integers([0, 0, hidden])
    return this.writer.node('Reshape', [back, shape], [...back.dims.slice(0, 2), hidden])
  }

  mergeHeads(x: Value): Value {
    const { writer } = this
    const [, heads, , size] = x.dims
    const merged = this.#merged(x)
    return this.tape.record(merged, [x], (g) => {
      this.tape.give(x, () => {
        const shape = writer.integers([0, 0, Number(heads), Number(size)])
        const split = writer.node('Reshape', [g, shape], [...g.dims.slice(0, 2), heads!, size!])
        return this.math.transpose(split, [0, 2, 1, 3])
      })
    })
  }

  scores(query: Value, key: Value, headSize: number): Value {
    const scale = this.writer.scalar(1 / Math.sqrt(headSize))
    const products = this.math.matmul(query, this.math.transpose(key, [0, 1, 3, 2]))
    return this.tape.record(this.math.multiply(products, scale), [query, key], (g) => {
      const scaled = this.math.multiply(g, scale)
      this.tape.give(query, () => this.math.matmul(scaled, key))
      this.tape.give(key, () => this.math.matmul(this.math.transpose(scaled, [0, 1, 3, 2]), query))
    })
  }

  softmax(x: Value): Value {
    const y = this.writer.node('Softmax', [x], x.dims, { attributes: [int('axis', -1)] })
    return this.tape.record(y, [x], (g) => {
      this.tape.give(x, () => {
        const weighted = this.math.multiply(g, y)
        const sum = this.math.sum(weighted, [x.dims.length - 1], true)
        return this.writer.node('Sub', [weighted, this.math.multiply(y, sum)], x.dims)
      })
    })
  }

  context(probabilities: Value, value: Value): Value {
    return this.tape.record(this.math.matmul(probabilities, value), [probabilities, value], (g) => {
      this.tape.give(probabilities, () => this.math.matmul(g, this.math.transpose(value, [0, 1, 3, 2])))
      this.tape.give(value, () => this.math.matmul(this.math.transpose(probabilities, [0, 1, 3, 2]), g))
    })
  }

  firstToken(x: Value): Value {
    const { writer } = this
    const options = { attributes: [int('axis', 1)], label: 'first_token' }
    const first = writer.node('Gather', [x, writer.scalarInteger(0)], [x.dims[0]!, last(x.dims)], options)
    return this.tape.record(first, [x], (g) => {
      this.tape.give(x, () => {
        const row = writer.node('Unsqueeze', [g, writer.integers([1])], [x.dims[0]!, 1, last(x.dims)])
        const after = this.math.vector('tokens after the first', () => {
          const others = writer.node('Sub', [this.math.size(1), writer.integers([1])], [1])
          return this.math.concat([writer.integers([0, 0, 0, 0]), others, writer.integers([0])], 6)
        })
        return writer.node('Pad', [row, after], x.dims)
      })
    })
  }

  pick(x: Value, index: number): Value {
    const { writer } = this
    const width = last(x.dims)
    const options = { attributes: [int('axis', -1)], label: 'pick' }
    const picked = writer.node('Gather', [x, writer.scalarInteger(index)], x.dims.slice(0, -1), options)
    return this.tape.record(picked, [x], (g) => {
      this.tape.give(x, () => {
        const column = writer.node('Unsqueeze', [g, writer.integers([-1])], [...g.dims, 1])
        const others = x.dims.slice(1).map(() => 0)
        const pads = writer.integers([...others, index, ...others, width - 1 - index])
        return writer.node('Pad', [column, pads], x.dims)
      })
    })
  }

  choicesToRows(ids: Value): Value {
    const { writer } = this
    const attributes = [int('start', 2), int('end', 3)]
    const length = writer.node('Shape', [ids], [1], { attributes, label: 'sequence_length' })
    const shape = this.math.concat([writer.integers([-1]), length], 2)
    const rows = writer.node('Reshape', [ids, shape], ['batch', 'sequence'], { label: `${ids.name}_rows` })
    if (ids === this.inputs.input_ids) this.math.ids = rows
    return rows
  }

  rowsToChoices(scores: Value, ids: Value): Value {
    const { writer } = this
    const attributes = [int('start', 0), int('end', 2)]
    const shape = writer.node('Shape', [ids], [2], { attributes, label: 'choices' })
    const result = writer.node('Reshape', [scores, shape], ['examples', 'choices'])
    return this.tape.record(result, [scores], (g) => {
      this.tape.give(scores, () => writer.node('Reshape', [g, writer.integers([-1, 1])], scores.dims))
    })
  }

  mark(name: string, x: Value): Value {
    this.marks.set(name, x)
    return x
  }

  inner(name: string, x: Value): Value {
    const { names } = this.writer
    this.inners.set(names.of(name), x)
    const kind = dropoutKind(names.path, name)
    return kind === null || (kind === 'classifier' && this.#normedHead) ? x : this.#drop(x, kind)
  }

  /** `x` with dropout: multiplied by a mask that is an input of the graph, and by 1 / (1 − rate). */
  #drop(x: Value, kind: keyof DropoutRates): Value {
    const threshold = thresholdOf(this.#dropout[kind])
    if (threshold === 0) return x
    const { writer } = this
    const input = writer.names.reserve(`dropout/${this.sites.length}`)
    this.sites.push({ input, dims: x.dims, threshold })
    const bits: Value = { name: input, dims: x.dims, half: false }
    const kept = writer.node('Cast', [bits], x.dims, { attributes: [int('to', DataType.FLOAT)], label: 'dropout/Cast' })
    const mask = this.math.multiply(kept, writer.scalar(DROPOUT_LEVELS / (DROPOUT_LEVELS - threshold)))
    return this.tape.record(this.math.multiply(x, mask), [x], (g) => {
      this.tape.give(x, () => this.math.multiply(g, mask))
    })
  }
}

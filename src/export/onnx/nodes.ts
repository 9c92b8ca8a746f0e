import type { Layout, Parameter } from '../../model/albert.js'
import { create, onnx, type MessageInitShape } from '../../proto/onnx.js'
import type { ElementOrder } from '../../base/artefact-layout.js'
import { BLOCK_BYTES, blocksOf, inputsLast } from '../weights/blocks.js'
import { FLOAT32, WORDS, type Encoding, type Encodings, type IntegerEncoding } from '../weights/encoding.js'
import { inStoredOrder } from '../weights/weight-stream.js'
import { nodeName, NodeNames, type Dim } from '../node-names.js'
import { writtenWeight, type WrittenWeight } from '../weights/artefact.js'

/** Builder of graph nodes: names, constants, and weights in any encoding. */

/** A tensor of the graph. Its name may still change, until the graph is finished. */
export interface Value {
  name: string
  readonly dims: readonly Dim[]
  /** True if it is float16 at run time; else float32 or an integer type. */
  readonly half: boolean
}

export type Attribute = MessageInitShape<typeof onnx.AttributeProtoSchema>
const { AttributeProto_AttributeType: AttributeType } = onnx
export const DataType = onnx.TensorProto_DataType

export const int = (name: string, value: number): Attribute => ({ name, i: BigInt(value), type: AttributeType.INT })
export const ints = (name: string, values: readonly number[]): Attribute => ({
  name,
  ints: values.map(BigInt),
  type: AttributeType.INTS,
})
export const float = (name: string, value: number): Attribute => ({ name, f: value, type: AttributeType.FLOAT })
export const text = (name: string, value: string): Attribute => ({
  name,
  s: new TextEncoder().encode(value),
  type: AttributeType.STRING,
})

export type ValueInfo = MessageInitShape<typeof onnx.ValueInfoProtoSchema>

/** Description of an input or output of the graph. */
export const valueInfo = (name: string, elemType: number, dims: readonly (number | string)[]): ValueInfo => ({
  name,
  type: {
    value: {
      case: 'tensorType',
      value: {
        elemType,
        shape: {
          dim: dims.map((dim) => ({
            value:
              typeof dim === 'number' ? { case: 'dimValue', value: BigInt(dim) } : { case: 'dimParam', value: dim },
          })),
        },
      },
    },
  },
})

interface Node {
  readonly name: string
  readonly op: string
  readonly domain: string
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly attributes: readonly Attribute[]
}

export const last = (dims: readonly Dim[]): number => Number(dims[dims.length - 1])

/** Suffix of the names of the scales of blocks. */
const BLOCK_SCALES = '/block_scale'

/** Layout of a weight in the file. */
export const fileLayout = ({ layout }: Parameter, as: ElementOrder): Layout =>
  as === 'stored' ? layout : as === 'logical' ? 'as_is' : 'transposed'

/** Axis of the scales of an int8 matrix in the file. */
function channelsIn(parameter: Parameter, as: ElementOrder, { channels }: IntegerEncoding): 'rows' | 'columns' {
  if (inStoredOrder(parameter, as)) return channels
  return channels === 'rows' ? 'columns' : 'rows'
}

/** Dimensions of a weight in the file. */
export function fileDims({ slot, shape, encoding }: WrittenWeight): readonly number[] {
  if (encoding.kind !== 'blocks') return shape
  const perRow = blocksOf(encoding.inputs)
  // Lookups take rows of bytes, products take blocks.
  return slot === WORDS ? [encoding.rows, perRow * BLOCK_BYTES] : [encoding.rows, perRow, BLOCK_BYTES]
}

/** An int8 matrix as operand of a product: its integers, and a scale for each column. */
export interface Quantised {
  readonly integers: Value
  readonly scales: Value
}

/** A matrix in blocks as operand of a product. */
export interface Blocks {
  readonly blocks: Value
  readonly scales: Value
  readonly rows: number
  readonly inputs: number
}

/** A weight as it is stored. */
interface StoredWeight {
  readonly value: Value
  readonly encoding: Encoding
  readonly as: ElementOrder
  /** Layout in the file. */
  readonly layout: Layout
  /** Axis of the scales of an int8 matrix in the file; null for other weights. */
  readonly channels: 'rows' | 'columns' | null
}

/** Domain of the operators of onnxruntime. */
export const MICROSOFT = 'com.microsoft'

export interface NodeOptions {
  /** Domain of the operator; ONNX's own by default. */
  readonly domain?: string
  readonly attributes?: readonly Attribute[]
  /** Last part of the node's name; the operator's, by default. */
  readonly label?: string
  /** True if the result is float16; by default if an input is. */
  readonly half?: boolean
}

/** Bits of the float16 nearest to `value`. */
function halfBits(value: number): number {
  if (value === 0) return 0
  const sign = value < 0 ? 0x8000 : 0
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(value))))
  const fraction = Math.round((Math.abs(value) / 2 ** exponent) * 1024)
  return sign | (fraction + (exponent + 14) * 1024)
}

export class NodeWriter {
  readonly names = new NodeNames()
  readonly #nodes: Node[] = []
  readonly #constants = new Map<string, onnx.TensorProto>()
  readonly #constantValues = new Map<string, Value>()
  readonly #parameters = new Map<Parameter, StoredWeight>()
  /** Values derived from stored weights, by weight and name of the derivation. */
  readonly #derived = new Map<Parameter, Map<string, Value>>()
  readonly #casts = new Map<Value, Value>()

  /** @param half true if matrix products are computed in float16 */
  constructor(
    readonly encodings: Encodings = FLOAT32,
    readonly half = false,
  ) {}

  node(op: string, inputs: readonly Value[], dims: readonly Dim[], options: NodeOptions = {}): Value {
    const { attributes = [], domain = '', label = op, half = inputs.some((value) => value.half) } = options
    const name = this.names.fresh(label)
    const output: Value = { name, dims, half }
    this.#nodes.push({ name, op, domain, inputs, outputs: [output], attributes })
    return output
  }

  /** Adds a node with several outputs, whose names end in those of `results`. */
  nodes(
    op: string,
    inputs: readonly Value[],
    results: readonly (readonly [string, readonly Dim[]])[],
    attributes: readonly Attribute[] = [],
  ): Value[] {
    const name = this.names.fresh(op)
    const outputs = results.map(([suffix, dims]): Value => ({
      name: this.names.reserve(`${name}/${suffix}`),
      dims,
      half: false,
    }))
    this.#nodes.push({ name, op, domain: '', inputs, outputs, attributes })
    return outputs
  }

  #constant(name: string, dataType: onnx.TensorProto_DataType, dims: readonly number[], data: ArrayBufferView): Value {
    const known = this.#constantValues.get(name)
    if (known !== undefined) return known
    const rawData = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
    this.#constants.set(name, create(onnx.TensorProtoSchema, { name, dataType, dims: dims.map(BigInt), rawData }))
    const value: Value = { name: this.names.reserve(name), dims, half: dataType === DataType.FLOAT16 }
    this.#constantValues.set(name, value)
    return value
  }

  /** Scalar constant in the element type of the other operand; equal ones are stored once. */
  scalar(value: number, half = false): Value {
    return half
      ? this.#constant(nodeName(`constants/half_${value}`), DataType.FLOAT16, [], Uint16Array.of(halfBits(value)))
      : this.#constant(nodeName(`constants/float_${value}`), DataType.FLOAT, [], Float32Array.of(value))
  }

  integers(values: readonly number[]): Value {
    const data = BigInt64Array.from(values, BigInt)
    return this.#constant(`constants/int_${values.join('_')}`, DataType.INT64, [values.length], data)
  }

  scalarInteger(value: number): Value {
    return this.#constant(`constants/int_${value}_scalar`, DataType.INT64, [], BigInt64Array.of(BigInt(value)))
  }

  cast(x: Value, half: boolean, label = 'Cast'): Value {
    if (x.half === half) return x
    const known = this.#casts.get(x)
    if (known !== undefined) return known
    const to = half ? DataType.FLOAT16 : DataType.FLOAT
    const value = this.node('Cast', [x], x.dims, { attributes: [int('to', to)], label, half })
    this.#casts.set(x, value)
    return value
  }

  /** The weight as it is stored. @param axis channel axis; see `Encodings` */
  stored(parameter: Parameter, axis: 0 | 1): StoredWeight {
    const known = this.#parameters.get(parameter)
    if (known !== undefined) return known
    const encoding = this.encodings.of(parameter, axis)
    const name = this.names.reserve(parameter.slot)
    const as = this.#orderOf(parameter, axis)
    const layout = fileLayout(parameter, as)
    const dims = fileDims(writtenWeight(parameter, as, encoding))
    const channels = encoding.kind === 'int8' ? channelsIn(parameter, as, encoding) : null
    const made = { value: { name, dims, half: encoding.kind === 'f16' }, encoding, as, layout, channels }
    this.#parameters.set(parameter, made)
    return made
  }

  /** Weights with one name but for their layer have one order, whichever of them the gate excludes. */
  #orderOf({ shape }: Parameter, axis: 0 | 1): ElementOrder {
    return this.encodings.blocks === true && shape.length === 2 ? inputsLast(axis) : 'stored'
  }

  /** A matrix in blocks, for the product with inputs of its rows; null if the weight is stored otherwise. */
  blocks(parameter: Parameter, axis: 0 | 1): Blocks | null {
    const { value, encoding } = this.stored(parameter, axis)
    if (encoding.kind !== 'blocks') return null
    const { rows, inputs } = encoding
    const perRow = blocksOf(inputs)
    const scales = this.derive(parameter, 'scales', () =>
      this.#constant(`${parameter.slot}${BLOCK_SCALES}`, DataType.FLOAT, [rows, perRow], encoding.scales),
    )
    return { blocks: value, scales, rows, inputs }
  }

  /** The same blocks with an axis of their own, as products take them. */
  cutBlocks(parameter: Parameter, { blocks, rows, inputs }: Blocks): Value {
    const dims = [rows, blocksOf(inputs), BLOCK_BYTES]
    if (blocks.dims.length === dims.length) return blocks
    return this.derive(parameter, 'blocks', () => this.node('Reshape', [blocks, this.integers(dims)], dims))
  }

  /** Creates a value derived from a weight once, under the weight's own name. */
  derive(parameter: Parameter, what: string, make: () => Value): Value {
    let known = this.#derived.get(parameter)
    if (known === undefined) this.#derived.set(parameter, (known = new Map<string, Value>()))
    let value = known.get(what)
    if (value === undefined) known.set(what, (value = this.names.within([parameter.slot], make)))
    return value
  }

  /** Scales of an int8 weight; for a grouped kernel one per group, along its last stored axis. */
  scales(parameter: Parameter): Value {
    return this.derive(parameter, 'scales', () => {
      const { encoding, channels } = this.stored(parameter, 1)
      if (encoding.kind !== 'int8') throw new RangeError(`${parameter.slot} has no scales`)
      const dims = [encoding.scales.length]
      const name = `${parameter.slot}/${channels === 'rows' ? 'row_scale' : 'scale'}`
      return this.#constant(name, DataType.FLOAT, dims, encoding.scales)
    })
  }

  /** True if products with this weight are computed in integers. */
  isDynamic(parameter: Parameter, axis: 0 | 1): boolean {
    const { encoding, layout, channels } = this.stored(parameter, axis)
    if (encoding.kind !== 'int8' || !encoding.dynamic) return false
    // The scales must lie along the columns of the product.
    const columnsOfLogical = layout === 'transposed' ? 'rows' : 'columns'
    return (axis === 1) === (channels === columnsOfLogical)
  }

  /** The weight as floats, in stored order; runtimes fold these nodes once, when they load the model. */
  #numbers(parameter: Parameter, axis: 0 | 1): Value {
    const { value, encoding, channels } = this.stored(parameter, axis)
    if (encoding.kind === 'f16' && !this.half) return this.derive(parameter, 'numbers', () => this.cast(value, false))
    if (encoding.kind !== 'int8') return value
    return this.derive(parameter, 'numbers', () => {
      const attributes = [int('to', DataType.FLOAT)]
      const whole = this.node('Cast', [value], value.dims, { attributes })
      const scales = this.scales(parameter)
      const along =
        channels === 'columns' ? scales : this.node('Unsqueeze', [scales, this.integers([-1])], [...scales.dims, 1])
      return this.node('Mul', [whole, along], value.dims)
    })
  }

  /**
   * The logical matrix, or its transpose, as floats.
   * @param axis output axis of the product: 1 for `x·kernel`, 0 for `x·weightᵀ`
   */
  matrix(parameter: Parameter, axis: 0 | 1): Value {
    const numbers = this.#numbers(parameter, axis)
    return this.#turned(this.stored(parameter, axis), axis) ? this.#transposed(parameter, 'matrix', numbers) : numbers
  }

  /** The same matrix as integers and scales. */
  quantised(parameter: Parameter, axis: 0 | 1): Quantised {
    const stored = this.stored(parameter, axis)
    const { value } = stored
    const integers = this.#turned(stored, axis) ? this.#transposed(parameter, 'integers', value) : value
    return { integers, scales: this.scales(parameter) }
  }

  #turned({ layout }: StoredWeight, axis: 0 | 1): boolean {
    return (axis === 1) === (layout !== 'as_is')
  }

  #transposed(parameter: Parameter, what: string, x: Value): Value {
    return this.derive(parameter, `${what} transposed`, () => {
      // The last axis of a grouped kernel moves to the front as well.
      const perm = x.dims.length === 3 ? [2, 0, 1] : [1, 0]
      const dims = perm.map((axis) => x.dims[axis] ?? 1)
      return this.node('Transpose', [x], dims, { attributes: [ints('perm', perm)] })
    })
  }

  /** A vector as float32, or in the element type of products if `half`. */
  vector(parameter: Parameter, half: boolean): Value {
    const { value } = this.stored(parameter, 1)
    return value.half === half ? value : this.derive(parameter, 'cast', () => this.cast(value, half))
  }

  /** Rows of a table that `pick` selects, as float32. */
  rows(table: Parameter, pick: (rows: Value) => Value): Value {
    const { value, encoding, channels } = this.stored(table, 0)
    // float16 is widened before the lookup, once when the model is loaded: not every GPU supports float16.
    if (encoding.kind !== 'int8') return pick(this.#numbers(table, 0))
    const integers = pick(value)
    const numbers = this.node('Cast', [integers], integers.dims, { attributes: [int('to', DataType.FLOAT)] })
    if (channels === 'columns') return this.node('Mul', [numbers, this.scales(table)], numbers.dims)
    const scales = this.names.scope('scale', () => pick(this.scales(table)))
    const along = this.node('Unsqueeze', [scales, this.integers([-1])], [...numbers.dims.slice(0, -1), 1])
    return this.node('Mul', [numbers, along], numbers.dims)
  }

  /** Returns nodes and constants of the file, and the weights to be written, in the order of first use. */
  finish(): Pick<onnx.GraphProto, 'initializer'> & {
    readonly node: MessageInitShape<typeof onnx.NodeProtoSchema>[]
    readonly weights: readonly WrittenWeight[]
  } {
    return {
      node: this.#nodes.map(({ name, op, domain, inputs, outputs, attributes }) => ({
        name,
        opType: op,
        domain,
        input: inputs.map((value) => value.name),
        output: outputs.map((value) => value.name),
        attribute: [...attributes],
      })),
      initializer: [...this.#constants.values()],
      weights: [...this.#parameters].map(([parameter, { encoding, as }]) => writtenWeight(parameter, as, encoding)),
    }
  }
}

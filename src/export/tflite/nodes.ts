import type { Parameter } from '../../model/albert.js'
import { tflite } from '../../proto/tflite.js'
import { nodeName, NodeNames } from '../node-names.js'
import { writtenWeight, type WrittenWeight } from '../weights/artefact.js'
import { FLOAT32, type Encoding, type Encodings } from '../weights/encoding.js'

/** Builder of the operators of a TensorFlow Lite file: names, constants, and weights in any encoding. */

const { BuiltinOperator: Op, BuiltinOptions: Options, TensorType: Type } = tflite
export { Op, Options, Type }

/** Length of an axis that is given at run time. */
export const DYNAMIC = -1

/** A tensor of the graph. Its name may still change, until the graph is finished. */
export interface Value {
  name: string
  /** Dimensions; `DYNAMIC` for one that is given at run time. */
  readonly dims: readonly number[]
  readonly type: tflite.TensorType
}

/** A small constant. */
export interface Constant {
  readonly value: Value
  /** Elements, little-endian. */
  readonly bytes: Uint8Array
}

/** A weight and the tensor that it is. */
export interface PlacedWeight {
  readonly value: Value
  readonly weight: WrittenWeight
}

/** An operator; an input that is left out is null. */
export interface Node {
  readonly op: tflite.BuiltinOperator
  readonly version: number
  readonly inputs: readonly (Value | null)[]
  readonly output: Value
  readonly options: NodeOptions | null
}

/** Options of an operator: the member of the union, and its table. */
export type NodeOptions = readonly [tflite.BuiltinOptions, NonNullable<tflite.OperatorT['builtinOptions']>]

/** Order of a weight's elements in a file: as the forward pass has it, or `[out, in]` if that is `[in, out]`. */
export type WeightOrder = 'logical' | 'transposed'

const TYPES: Readonly<Record<Encoding['kind'], tflite.TensorType | null>> = {
  f32: Type.FLOAT32,
  f16: Type.FLOAT16,
  int8: Type.INT8,
  int4: Type.INT4,
  blocks: null,
  affine: null,
}

export const last = (dims: readonly number[]): number => dims[dims.length - 1] ?? 1

export class NodeWriter {
  readonly names = new NodeNames()
  readonly #nodes: Node[] = []
  readonly #constants = new Map<string, Constant>()
  readonly #weights = new Map<string, PlacedWeight>()
  readonly #floats = new Map<Value, Value>()

  constructor(readonly encodings: Encodings = FLOAT32) {}

  /** Adds an operator with one output. @param label last part of its name */
  node(
    op: tflite.BuiltinOperator,
    inputs: readonly (Value | null)[],
    { dims, type = Type.FLOAT32 }: { readonly dims: readonly number[]; readonly type?: tflite.TensorType },
    {
      label = Op[op],
      options = null,
      version = 1,
    }: Partial<Pick<Node, 'options' | 'version'>> & { label?: string } = {},
  ): Value {
    const output: Value = { name: this.names.fresh(label), dims, type }
    this.#nodes.push({ op, version, inputs, output, options })
    return output
  }

  #constant(name: string, type: tflite.TensorType, dims: readonly number[], data: Int32Array | Float32Array): Value {
    const known = this.#constants.get(name)
    if (known !== undefined) return known.value
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const value: Value = { name: this.names.reserve(name), dims, type }
    this.#constants.set(name, { value, bytes })
    return value
  }

  /** Scalar constant; equal ones are stored once. */
  float(value: number): Value {
    return this.#constant(nodeName(`constants/float_${value}`), Type.FLOAT32, [], Float32Array.of(value))
  }

  integers(values: readonly number[]): Value {
    const name = nodeName(`constants/int_${values.join('_')}`)
    return this.#constant(name, Type.INT32, [values.length], Int32Array.from(values))
  }

  /**
   * The weight as it is stored, once, in the order of its first use.
   * @param axis channel axis; see `Encodings`
   */
  stored(parameter: Parameter, order: WeightOrder, axis: 0 | 1): PlacedWeight {
    const known = this.#weights.get(parameter.slot)
    if (known !== undefined) return known
    const name = this.names.reserve(parameter.slot)
    const encoding = this.encodings.of(parameter, axis)
    const type = TYPES[encoding.kind]
    if (type === null) throw new RangeError(`TensorFlow Lite has no ${encoding.kind}`)
    const weight = writtenWeight(parameter, order, encoding)
    const placed = { value: { name, dims: weight.shape, type }, weight }
    this.#weights.set(name, placed)
    return placed
  }

  /** The same tensor as float32. */
  asFloat(value: Value): Value {
    if (value.type === Type.FLOAT32) return value
    const known = this.#floats.get(value)
    if (known !== undefined) return known
    const label = `${value.name}/DEQUANTIZE`
    const options = [Options.DequantizeOptions, new tflite.DequantizeOptionsT()] as const
    const made = this.names.within([], () =>
      this.node(Op.DEQUANTIZE, [value], { dims: value.dims }, { label, options, version: 3 }),
    )
    this.#floats.set(value, made)
    return made
  }

  /** A vector of weights as float32. */
  vector(parameter: Parameter): Value {
    return this.asFloat(this.stored(parameter, 'logical', 1).value)
  }

  /** Returns operators, constants and weights in the order of first use. */
  finish(): {
    readonly nodes: readonly Node[]
    readonly constants: readonly Constant[]
    readonly weights: readonly PlacedWeight[]
  } {
    return { nodes: this.#nodes, constants: [...this.#constants.values()], weights: [...this.#weights.values()] }
  }
}

import type { Parameter } from '../../model/albert.js'
import { create, tensorflow, type MessageInitShape } from '../../proto/tensorflow.js'
import { FLOAT32, type Encodings } from '../weights/encoding.js'
import { nodeName, NodeNames, type Dim } from '../node-names.js'
import { writtenWeight, type WrittenWeight } from '../weights/artefact.js'

/** Builder of graph nodes: names, constants, weights, and the attributes that TensorFlow requires. */

export type Attribute = MessageInitShape<typeof tensorflow.AttrValueSchema>
const { DataType } = tensorflow

/** A node of the graph; its name may still change, until the graph is finished. */
export interface Node {
  name: string
  readonly op: string
  readonly inputs: readonly Node[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

/** A small constant; its values go into the weights file as well, the only place from which tfjs reads them. */
export interface Constant {
  readonly name: string
  readonly dtype: 'int32' | 'float32'
  readonly shape: readonly number[]
  /** Elements, little-endian. */
  readonly bytes: Uint8Array
}

export const FLOAT: Attribute = { value: { case: 'type', value: DataType.DT_FLOAT } }
export const INT32: Attribute = { value: { case: 'type', value: DataType.DT_INT32 } }
export const bool = (value: boolean): Attribute => ({ value: { case: 'b', value } })
export const int = (value: number): Attribute => ({ value: { case: 'i', value: BigInt(value) } })
export const float = (value: number): Attribute => ({ value: { case: 'f', value } })
export const strings = (values: readonly string[]): Attribute => ({
  value: { case: 'list', value: { s: values.map((text) => new TextEncoder().encode(text)) } },
})
const shapeOf = (dims: readonly number[]): MessageInitShape<typeof tensorflow.TensorShapeProtoSchema> => ({
  dim: dims.map((size) => ({ size: BigInt(size) })),
})

/** Last dimension, which must be static. */
export const last = (dims: readonly Dim[]): number => Number(dims[dims.length - 1])

/** Ignored bounds and removed axes of a slice; bit n is axis n. */
interface SliceMasks {
  readonly begin?: number
  readonly end?: number
  readonly shrink?: number
}

export class NodeWriter {
  readonly names = new NodeNames()
  readonly #nodes: Node[] = []
  readonly #constants = new Map<string, { readonly constant: Constant; readonly node: Node }>()
  readonly #parameters = new Map<Parameter, Node>()
  readonly #transposed = new Map<Parameter, Node>()

  /** @param encodings encodings of the weights; tfjs computes with all of them as float32 */
  constructor(readonly encodings: Encodings = FLOAT32) {}

  #add(node: Node): Node {
    this.#nodes.push(node)
    return node
  }

  /** Adds a node with one output. @param label last part of its name */
  node(op: string, inputs: readonly Node[], attributes: Node['attributes'] = { T: FLOAT }, label = op): Node {
    return this.#add({ name: this.names.fresh(label), op, inputs, attributes })
  }

  /** Adds an integer input whose axes are all dynamic. */
  input(name: string, rank: number): Node {
    const shape: Attribute = { value: { case: 'shape', value: shapeOf(Array<number>(rank).fill(-1)) } }
    return this.#add({
      name: this.names.reserve(name),
      op: 'Placeholder',
      inputs: [],
      attributes: { dtype: INT32, shape },
    })
  }

  /** Adds a Const node; large ones have dtype and shape but no content, which is in the weights file. */
  #const(name: string, dtype: Attribute, shape: readonly number[], content: Uint8Array): Node {
    const type = dtype === INT32 ? DataType.DT_INT32 : DataType.DT_FLOAT
    const tensor = { dtype: type, tensorShape: shapeOf(shape), tensorContent: content }
    const value: Attribute = { value: { case: 'tensor', value: tensor } }
    return this.#add({ name: this.names.reserve(name), op: 'Const', inputs: [], attributes: { dtype, value } })
  }

  /** Adds a small constant; equal ones are stored once. */
  #constant(name: string, data: Int32Array | Float32Array, shape: readonly number[]): Node {
    const known = this.#constants.get(name)
    if (known !== undefined) return known.node
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const integral = data instanceof Int32Array
    const constant: Constant = { name, dtype: integral ? 'int32' : 'float32', shape, bytes }
    const node = this.#const(name, integral ? INT32 : FLOAT, shape, bytes)
    this.#constants.set(name, { constant, node })
    return node
  }

  float(value: number): Node {
    return this.#constant(nodeName(`constants/float_${value}`), Float32Array.of(value), [])
  }

  integer(value: number): Node {
    return this.#constant(`constants/int_${value}`, Int32Array.of(value), [])
  }

  integers(values: readonly number[]): Node {
    return this.#constant(`constants/ints_${values.join('_')}`, Int32Array.from(values), [values.length])
  }

  parameter(parameter: Parameter): Node {
    const known = this.#parameters.get(parameter)
    if (known !== undefined) return known
    const node = this.#const(parameter.slot, FLOAT, parameter.shape, new Uint8Array(0))
    this.#parameters.set(parameter, node)
    return node
  }

  parameterTransposed(parameter: Parameter): Node {
    const known = this.#transposed.get(parameter)
    if (known !== undefined) return known
    const node = this.names.within([parameter.slot], () => this.transpose(this.parameter(parameter), [1, 0]))
    this.#transposed.set(parameter, node)
    return node
  }

  /** Adds a StridedSlice between the bounds `begin` and `end`, with stride 1. */
  slice(
    x: Node,
    [begin, end]: readonly [readonly number[], readonly number[]],
    type: Attribute,
    masks: SliceMasks,
    label?: string,
  ): Node {
    const attributes = {
      T: type,
      Index: INT32,
      begin_mask: int(masks.begin ?? 0),
      end_mask: int(masks.end ?? 0),
      ellipsis_mask: int(0),
      new_axis_mask: int(0),
      shrink_axis_mask: int(masks.shrink ?? 0),
    }
    const bounds = [begin, end, begin.map(() => 1)].map((values) => this.integers(values))
    return this.node('StridedSlice', [x, ...bounds], attributes, label)
  }

  shape(x: Node, label: string): Node {
    return this.node('Shape', [x], { T: INT32, out_type: INT32 }, label)
  }

  /** Packs scalars into a vector. */
  pack(parts: readonly Node[], label: string): Node {
    return this.node('Pack', parts, { N: int(parts.length), T: INT32, axis: int(0) }, label)
  }

  reshape(x: Node, shape: Node, type = FLOAT, label?: string): Node {
    return this.node('Reshape', [x, shape], { T: type, Tshape: INT32 }, label)
  }

  transpose(x: Node, perm: readonly number[]): Node {
    return this.node('Transpose', [x, this.integers(perm)], { T: FLOAT, Tperm: INT32 })
  }

  /** Mean over the last axis, which is kept with length 1. */
  mean(x: Node): Node {
    return this.node('Mean', [x, this.integers([-1])], { T: FLOAT, Tidx: INT32, keep_dims: bool(true) })
  }

  multiply(a: Node, b: Node): Node {
    return this.node('Mul', [a, b])
  }

  add(a: Node, b: Node): Node {
    return this.node('AddV2', [a, b])
  }

  batchProduct(a: Node, b: Node, isTransposed = false): Node {
    return this.node(
      'BatchMatMulV2',
      [a, b],
      { T: FLOAT, adj_x: bool(false), adj_y: bool(isTransposed) },
      'BatchMatMul',
    )
  }

  /** Returns the GraphDef, and the contents of its weights file in the order of first use. */
  finish(): {
    readonly graph: tensorflow.GraphDef
    readonly constants: readonly Constant[]
    readonly weights: readonly WrittenWeight[]
  } {
    const graph = create(tensorflow.GraphDefSchema, {
      node: this.#nodes.map(({ name, op, inputs, attributes }) => ({
        name,
        op,
        input: inputs.map((node) => node.name),
        attr: attributes,
      })),
      // The version of TensorFlow 2.15; every operation used here is much older.
      versions: { producer: 1645, minConsumer: 12 },
    })
    return {
      graph,
      constants: [...this.#constants.values()].map(({ constant }) => constant),
      weights: [...this.#parameters.keys()].map((parameter) =>
        writtenWeight(parameter, 'logical', this.encodings.of(parameter, 1)),
      ),
    }
  }
}

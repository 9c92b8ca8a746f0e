import type { Dim, NodeNames } from '../export/node-names.js'
import { DataType, valueInfo, type NodeWriter, type Value } from '../export/onnx/nodes.js'
import { create, onnx, toBinary } from '../proto/onnx.js'

/** Operator set of training graphs. */
const OPSET = 17n
/** Version of the file format that was released with it. */
const IR_VERSION = 8n

/** An attribute of a node: fields of onnx.proto's AttributeProto. */
export interface GraphAttribute {
  readonly name?: string | undefined
}

/** What writes the nodes of a training graph. */
export interface GraphWriter {
  readonly names: NodeNames
  /**
   * Adds a node of the ONNX operator `op` with one output.
   * @param dims dimensions of the output
   * @param options `label`: last part of the node's name, the operator's by default
   */
  node(
    op: string,
    inputs: readonly Value[],
    dims: readonly Dim[],
    options?: { readonly attributes?: readonly GraphAttribute[]; readonly label?: string },
  ): Value
  /** Adds a node with several outputs, whose names end in those of `results`. */
  nodes(
    op: string,
    inputs: readonly Value[],
    results: readonly (readonly [string, readonly Dim[]])[],
    attributes?: readonly GraphAttribute[],
  ): Value[]
  /** A float32 scalar; equal ones are stored once. */
  scalar(value: number): Value
  /** A vector of int64. */
  integers(values: readonly number[]): Value
  /** An int64 scalar. */
  scalarInteger(value: number): Value
}

const ELEMENT_TYPES = { float32: DataType.FLOAT, int64: DataType.INT64, uint8: DataType.UINT8 } as const

/** An input of a training graph. */
export interface GraphInput {
  readonly value: { readonly name: string; readonly dims: readonly (number | string)[] }
  readonly type: keyof typeof ELEMENT_TYPES
}

/** Serialises the nodes written so far as an ONNX model. */
export function serialise(
  writer: NodeWriter,
  name: string,
  { inputs, outputs }: { readonly inputs: readonly GraphInput[]; readonly outputs: readonly Value[] },
): Uint8Array {
  const { node, initializer } = writer.finish()
  const graph = create(onnx.GraphProtoSchema, {
    name,
    node,
    initializer,
    input: inputs.map(({ value, type }) => valueInfo(value.name, ELEMENT_TYPES[type], value.dims)),
    output: outputs.map((value) => valueInfo(value.name, DataType.FLOAT, value.dims)),
  })
  const opsetImport = [{ domain: '', version: OPSET }]
  const model = { irVersion: IR_VERSION, producerName: 'albertkit', opsetImport, graph }
  return toBinary(onnx.ModelProtoSchema, create(onnx.ModelProtoSchema, model))
}

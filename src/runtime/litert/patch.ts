import { concatBytes } from '../../base/bytes.js'
import { Builder, ByteBuffer, tflite } from '../../proto/tflite.js'

/**
 * Changes to a TensorFlow Lite file in memory, for values and lengths that the file itself does not offer. Tables are
 * changed in place; longer lists are put at the end of the file, so that nothing else moves.
 */

/** The first graph of a file, and the first signature. */
function partsOf(bytes: Uint8Array) {
  const file = new ByteBuffer(bytes)
  const model = tflite.Model.getRootAsModel(file)
  return { file, graph: model.subgraphs(0)!, signature: model.signatureDefs(0)! }
}

/** Position of the offset in field `slot` of a table. */
const fieldOf = (file: ByteBuffer, table: { readonly bb_pos: number }, slot: number): number =>
  table.bb_pos + file.__offset(table.bb_pos, 4 + 2 * slot)

const GRAPH_OUTPUTS = 2
const SIGNATURE_OUTPUTS = 1

/** The lists of outputs as a separate flat buffer: a signature, and a graph that has nothing else. */
function listsOf(outputs: readonly (readonly [name: string, tensor: number])[]): Uint8Array {
  const builder = new Builder(1024)
  const signature = new tflite.SignatureDefT(
    [],
    outputs.map(([name, tensor]) => new tflite.TensorMapT(name, tensor)),
  )
  const graph = new tflite.SubGraphT(
    [],
    [],
    outputs.map(([, tensor]) => tensor),
  )
  builder.finish(new tflite.ModelT(0, [], [graph], null, [], [], [signature]).pack(builder))
  return builder.asUint8Array().slice()
}

/** A copy of the file with further tensors among its outputs, under their own names. */
export function withOutputs(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  if (names.length === 0) return bytes
  const { graph, signature } = partsOf(bytes)
  const outputs = Array.from({ length: signature.outputsLength() }, (_, i): [string, number] => {
    const port = signature.outputs(i)!
    return [port.name()!, port.tensorIndex()]
  })
  const wanted = new Set(names)
  for (let i = 0; i < graph.tensorsLength(); i++) {
    const name = graph.tensors(i)!.name()!
    if (wanted.has(name) && outputs.every(([known]) => known !== name)) outputs.push([name, i])
  }
  const start = Math.ceil(bytes.length / 16) * 16
  const lists = listsOf(outputs)
  const whole = concatBytes([bytes, new Uint8Array(start - bytes.length), lists])
  const [from, to] = [partsOf(lists), partsOf(whole)]
  const move = (target: number, source: number): void => {
    to.file.writeUint32(target, start + from.file.__indirect(source) - target)
  }
  move(fieldOf(to.file, to.graph, GRAPH_OUTPUTS), fieldOf(from.file, from.graph, GRAPH_OUTPUTS))
  move(fieldOf(to.file, to.signature, SIGNATURE_OUTPUTS), fieldOf(from.file, from.signature, SIGNATURE_OUTPUTS))
  return whole
}

/** Gives every axis that is open the length `length`, in place. */
export function closeShapes(bytes: Uint8Array, length: number): void {
  const { file, graph } = partsOf(bytes)
  for (let i = 0; i < graph.tensorsLength(); i++) {
    const tensor = graph.tensors(i)!
    for (let axis = 0; axis < tensor.shapeSignatureLength(); axis++) {
      if (tensor.shapeSignature(axis)! >= 0) continue
      file.writeInt32(file.__vector(fieldOf(file, tensor, 0)) + 4 * axis, length)
      file.writeInt32(file.__vector(fieldOf(file, tensor, 7)) + 4 * axis, length)
    }
  }
}

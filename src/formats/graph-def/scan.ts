import { elementCount, type GraphNode, type SourceGraph } from '../core/source.js'
import { scanTensor, type StoredTensor } from '../tf-proto/tensor.js'
import { WireReader, type Field } from '../tf-proto/wire.js'
import type { FilePort } from '../core/file-port.js'
import { RangedFile } from '../core/file.js'

/** GraphDef, read in place: nodes, and constants without their values (graph.proto, node_def.proto). */

const NODE = 1
const NODE_DEF = { name: 1, op: 2, input: 3, attr: 5 } as const
const ATTR_TENSOR = 8
/** Nodes of a graph: that of a model has thousands, one that trains it up to 60,000. */
const MAX_NODES = 200_000
/** Inputs of a node: that which starts all variables of a training graph has some thousand. */
const MAX_INPUTS = 100_000
/** Attributes of a node: an operation has some ten. */
const MAX_ATTRIBUTES = 1000

/** A constant with more values is not a hyperparameter. */
const MAX_NUMBERS = 16

export class ScannedNode implements GraphNode {
  constructor(
    readonly name: string,
    readonly op: string,
    readonly inputs: readonly string[],
    /** Value of a Const; null for other nodes. */
    readonly tensor: StoredTensor | null,
  ) {}

  numbers(): readonly number[] | null {
    if (this.tensor === null) return null
    const { dtype, shape, byteLength } = this.tensor
    const count = elementCount(shape)
    if (count > MAX_NUMBERS || !(dtype === 'F32' || dtype === 'F64' || dtype === 'I32' || dtype === 'I64')) return null
    const view = new DataView(new ArrayBuffer(byteLength))
    this.tensor.read(0, new Uint8Array(view.buffer))
    const width = byteLength / count
    return Array.from({ length: count }, (_, i) => {
      if (dtype === 'F32') return view.getFloat32(i * width, true)
      if (dtype === 'F64') return view.getFloat64(i * width, true)
      return dtype === 'I32' ? view.getInt32(i * width, true) : Number(view.getBigInt64(i * width, true))
    })
  }
}

function readNode(wire: WireReader, field: Field): ScannedNode {
  let name = ''
  let op = ''
  const inputs: string[] = []
  const attributes: Field[] = []
  for (const part of wire.inside(field)) {
    if (part.number === NODE_DEF.name) name = wire.text(part)
    else if (part.number === NODE_DEF.op) op = wire.text(part)
    else if (part.number === NODE_DEF.input) inputs.push(wire.text(part))
    else if (part.number === NODE_DEF.attr) attributes.push(part)
    if (inputs.length > MAX_INPUTS || attributes.length > MAX_ATTRIBUTES)
      throw wire.fail('a node has more inputs or attributes than any operation', part.start, 'limit-exceeded')
  }
  return new ScannedNode(name, op, inputs, op === 'Const' ? readConst(wire, attributes) : null)
}

function readConst(wire: WireReader, attributes: readonly Field[]): StoredTensor | null {
  for (const attribute of attributes) {
    const { key, value } = wire.entry(attribute)
    if (key !== 'value' || value === null) continue
    for (const part of wire.inside(value)) if (part.number === ATTR_TENSOR) return scanTensor(wire, part)
  }
  return null
}

/**
 * Nodes of the GraphDef in `[start, end)`.
 * @throws AlbertkitError `malformed` with the byte offset if it cannot be parsed
 */
export function* graphNodes(wire: WireReader, start: number, end: number): Generator<ScannedNode> {
  let count = 0
  for (const field of wire.fields(start, end)) {
    if (field.number !== NODE) continue
    if (++count > MAX_NODES) throw wire.fail('more nodes than a model has', field.start, 'limit-exceeded')
    yield readNode(wire, field)
  }
}

/** Range of bytes of a GraphDef within a file. */
export interface GraphPlace {
  readonly start: number
  readonly end: number
}

/** Graph in a range of a file (the whole file if null), which is opened each time that the nodes are read. */
export const graphIn = (files: FilePort, path: string, place: GraphPlace | null): SourceGraph => ({
  file: path,
  *nodes() {
    const file = new RangedFile(files, path)
    try {
      const { start, end } = place ?? { start: 0, end: file.size }
      yield* graphNodes(new WireReader(file, 'TensorFlow graph'), start, end)
    } finally {
      file.close()
    }
  },
})

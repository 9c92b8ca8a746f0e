import { scanTensor, type StoredTensor } from '../tf-proto/tensor.js'
import type { Field, WireReader } from '../tf-proto/wire.js'

/** GraphDef where it lies: its nodes by name and kind, and constants without their values (graph.proto, node_def.proto). */

const NODE = 1
const NODE_DEF = { name: 1, op: 2, input: 3, attr: 5 } as const
const ATTR_TENSOR = 8
/** A graph of a model has thousands of nodes. */
const MAX_NODES = 2_000_000

export interface GraphNode {
  readonly name: string
  readonly op: string
  readonly inputs: readonly string[]
  /** Of a Const: its value. */
  readonly tensor: StoredTensor | null
}

function readNode(wire: WireReader, field: Field): GraphNode {
  let name = ''
  let op = ''
  const inputs: string[] = []
  const attributes: Field[] = []
  for (const part of wire.inside(field)) {
    if (part.number === NODE_DEF.name) name = wire.text(part)
    else if (part.number === NODE_DEF.op) op = wire.text(part)
    else if (part.number === NODE_DEF.input) inputs.push(wire.text(part))
    else if (part.number === NODE_DEF.attr) attributes.push(part)
  }
  return { name, op, inputs, tensor: op === 'Const' ? readConst(wire, attributes) : null }
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
 * The nodes of the GraphDef in `[start, end)`.
 * @throws AlbertkitError `malformed` with the byte where it cannot be parsed
 */
export function* graphNodes(wire: WireReader, start: number, end: number): Generator<GraphNode> {
  let count = 0
  for (const field of wire.fields(start, end)) {
    if (field.number !== NODE) continue
    if (++count > MAX_NODES) throw wire.fail('more nodes than a model has', field.start)
    yield readNode(wire, field)
  }
}

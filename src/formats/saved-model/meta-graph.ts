import { NameBudget } from '../core/limits.js'
import type { GraphPlace } from '../graph-def/scan.js'
import type { Field, WireReader } from '../tf-proto/wire.js'

/** Contents of a MetaGraphDef except its graph (tensorflow/core/protobuf/{meta_graph,saved_object_graph}.proto). */

const META_GRAPH = { info: 1, graph: 2, collection: 4, signature: 5, objects: 7 } as const
const INFO = { tag: 4, version: 5 } as const
const OBJECT_NODES = 1
const OBJECT_VARIABLE = 7
const VARIABLE_NAME = 6

export interface MetaGraph {
  readonly tags: readonly string[]
  /** Version of TensorFlow that wrote it; null if absent. */
  readonly version: string | null
  readonly signatures: readonly string[]
  readonly graph: GraphPlace | null
  /** Names of variables by the index of their object (TF2). */
  readonly variables: ReadonlyMap<number, string>
}

/** Tags and signatures: models have some ten. */
const MAX_LISTED = 1000

function variablesOf(wire: WireReader, objects: Field): Map<number, string> {
  const names = new Map<number, string>()
  const budget = new NameBudget((what, code) => wire.fail(what, objects.start, code))
  let node = 0
  for (const field of wire.inside(objects)) {
    if (field.number !== OBJECT_NODES) continue
    for (const part of wire.inside(field)) {
      if (part.number !== OBJECT_VARIABLE) continue
      for (const inner of wire.inside(part)) {
        if (inner.number !== VARIABLE_NAME) continue
        budget.add(inner.end - inner.start)
        names.set(node, wire.text(inner))
      }
    }
    node++
  }
  return names
}

/** Reads the MetaGraphDef in `[start, end)`. @throws AlbertkitError `malformed` with the byte offset */
export function readMetaGraph(wire: WireReader, start: number, end: number): MetaGraph {
  const tags: string[] = []
  const signatures: string[] = []
  let version: string | null = null
  let graph: GraphPlace | null = null
  let variables = new Map<number, string>()
  for (const field of wire.fields(start, end)) {
    if (field.number === META_GRAPH.info) {
      for (const part of wire.inside(field)) {
        if (part.number === INFO.tag) tags.push(wire.text(part))
        else if (part.number === INFO.version) version = wire.text(part)
      }
    } else if (field.number === META_GRAPH.graph) graph = { start: field.start, end: field.end }
    else if (field.number === META_GRAPH.signature) signatures.push(wire.entry(field).key)
    else if (field.number === META_GRAPH.objects) variables = variablesOf(wire, field)
    if (tags.length + signatures.length > MAX_LISTED)
      throw wire.fail(`more than ${MAX_LISTED} tags and signatures`, field.start, 'limit-exceeded')
  }
  return { tags, version, signatures: signatures.filter((name) => !name.startsWith('__')), graph, variables }
}

import { malformed } from '../../base/errors.js'
import { MAX_NAME_BYTES } from '../core/limits.js'
import type { TensorInfo, TensorSource } from '../core/source.js'
import { MemoryBytes, WireReader, type Field } from '../tf-proto/wire.js'
import type { GraphObject } from './graph-object.js'
import { Holders, nameWithin } from './same-names.js'
import type { BundleSource } from './source.js'

/**
 * Object-based checkpoints (TF2, tf.train.Checkpoint, Keras): keys are paths of attributes, and the tensor
 * `_CHECKPOINTABLE_OBJECT_GRAPH` maps them to variables (trackable_object_graph.proto).
 */

const GRAPH = '_CHECKPOINTABLE_OBJECT_GRAPH'
const VALUE = '/.ATTRIBUTES/VARIABLE_VALUE'
const SLOT = '/.OPTIMIZER_SLOT/'

const NODES = 1
const NODE = { child: 1, attribute: 2 } as const
const CHILD = { node: 1, name: 2 } as const
const ATTRIBUTE = { fullName: 2, checkpointKey: 3 } as const

/** A variable in an object graph. */
interface ObjectName {
  readonly key: string
  readonly fullName: string
  /** Path of attributes that leads to it without passing an optimizer; null if only an optimizer refers to it. */
  readonly path: string | null
}

/** Objects of a checkpoint: Keras makes some ten for each layer, and BERT-large has 24. */
const MAX_OBJECTS = 100_000
/** References from object to object, and attributes. */
const MAX_REFERENCES = 500_000
/**
 * Characters of all paths that lead to objects, written out: a chain of 4,000 objects with names of 8 kB has paths of
 * 64 GB. Honest ones have some 100 each.
 */
const MAX_PATHS = 16 * 1024 * 1024

/** Reads one object. @param count is called for each of its references and attributes */
function readObject(wire: WireReader, field: Field, count: (at: number) => void): GraphObject {
  const object: GraphObject = { children: [], attributes: [] }
  for (const part of wire.inside(field)) {
    count(part.start)
    let node = 0
    let [name, key, fullName] = ['', '', '']
    if (part.number === NODE.child) {
      for (const inner of wire.inside(part)) {
        if (inner.number === CHILD.node) node = inner.value
        else if (inner.number === CHILD.name) name = wire.text(inner, MAX_NAME_BYTES)
      }
      object.children.push({ node, name })
    } else if (part.number === NODE.attribute) {
      for (const inner of wire.inside(part)) {
        if (inner.number === ATTRIBUTE.fullName) fullName = wire.text(inner, MAX_NAME_BYTES)
        else if (inner.number === ATTRIBUTE.checkpointKey) key = wire.text(inner, MAX_NAME_BYTES)
      }
      object.attributes.push({ key, fullName })
    }
  }
  return object
}

/** Shortest path of attributes to each object that does not pass an optimizer, by the object's index. */
function pathsOf(objects: readonly GraphObject[], wire: WireReader): Map<number, string> {
  const paths = new Map<number, string>([[0, '']])
  let characters = 0
  // The Map grows while it is iterated: breadth-first search.
  for (const [node, path] of paths) {
    for (const child of objects[node]?.children ?? []) {
      if (paths.has(child.node) || OPTIMIZER.test(child.name)) continue
      const length = path.length + 1 + child.name.length
      characters += length
      if (length > MAX_NAME_BYTES || characters > MAX_PATHS)
        throw wire.fail('the paths to its objects are longer than any model has', 0, 'limit-exceeded')
      paths.set(child.node, path === '' ? child.name : `${path}/${child.name}`)
    }
  }
  return paths
}

function readGraph(
  file: string,
  bytes: Uint8Array,
  namesOfNodes: ReadonlyMap<number, string>,
  tensors: ReadonlyMap<string, TensorInfo>,
): ObjectName[] {
  const wire = new WireReader(new MemoryBytes(file, bytes), 'object graph')
  const objects: GraphObject[] = []
  let references = 0
  const count = (at: number): void => {
    if (++references > MAX_REFERENCES) throw wire.fail(`more than ${MAX_REFERENCES} references`, at, 'limit-exceeded')
  }
  for (const field of wire.fields(0, bytes.length))
    if (field.number === NODES && objects.push(readObject(wire, field, count)) > MAX_OBJECTS)
      throw wire.fail(`more than ${MAX_OBJECTS} objects`, field.start, 'limit-exceeded')
  const paths = pathsOf(objects, wire)
  const graph = new Holders(objects)
  return objects.flatMap(({ attributes }, node) =>
    attributes.map(({ key, fullName }) => ({
      key,
      fullName: nameWithin(
        graph,
        node,
        fullName !== '' ? fullName : (namesOfNodes.get(node) ?? ''),
        tensors.get(key)?.shape.at(-1) ?? 0,
      ),
      path: paths.get(node) ?? null,
    })),
  )
}

/** Path of attributes from a key: without the suffix, and with TensorFlow's escapes in attribute names undone. */
const pathOf = (key: string): string =>
  key
    .slice(0, key.endsWith(VALUE) ? -VALUE.length : undefined)
    .replace(/\.(\.|S)/g, (_, c: string) => (c === 'S' ? '/' : '.'))

/** Attribute that holds an optimizer. Its slots and counters are recognised by their paths, not by their own names. */
const OPTIMIZER = /^_?optimizer$/
const isOptimizers = (key: string): boolean =>
  key.includes(SLOT) || key.split('/').some((segment) => OPTIMIZER.test(segment))

/**
 * Names of tensors by key. If most variables have a unique full name with a scope (`bert/pooler/dense/kernel`), full
 * names are used; otherwise (all variables are called `kernel` and `bias`) the paths are. A weight that an optimizer
 * refers to as well may be stored under the optimizer's key: it is named by its path in the model.
 */
function chooseNames(keys: readonly string[], told: ReadonlyMap<string, ObjectName>): Map<string, string> {
  const isWeight = (key: string): boolean =>
    key.endsWith(VALUE) && !key.includes(SLOT) && (!isOptimizers(key) || typeof told.get(key)?.path === 'string')
  const weights = keys.filter(isWeight)
  const times = new Map<string, number>()
  for (const key of weights) {
    const name = told.get(key)?.fullName ?? ''
    times.set(name, (times.get(name) ?? 0) + 1)
  }
  const own = (key: string): string | null => {
    const name = told.get(key)?.fullName ?? ''
    return name !== '' && times.get(name) === 1 ? name : null
  }
  const scoped = weights.filter((key) => own(key)?.includes('/') === true).length
  const names = new Map<string, string>()
  const taken = new Set<string>()
  for (const key of keys) {
    const weight = isWeight(key)
    const full = scoped * 2 > weights.length && weight ? own(key) : null
    const path = (weight && isOptimizers(key) ? told.get(key)?.path : null) ?? pathOf(key)
    const name = [full, path, key].find((n) => n !== null && !taken.has(n)) ?? key
    taken.add(name)
    names.set(key, name)
  }
  return names
}

class NamedSource implements TensorSource {
  readonly format: string
  readonly files: readonly string[]
  readonly notes: readonly string[]
  readonly missingFiles: readonly string[]
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #keys = new Map<string, string>()

  constructor(
    readonly inner: BundleSource,
    names: ReadonlyMap<string, string>,
    note: string,
  ) {
    this.format = inner.format
    this.files = inner.files
    this.notes = [...inner.notes, note]
    this.missingFiles = inner.missingFiles
    const tensors = new Map<string, TensorInfo>()
    for (const info of inner.tensors.values()) {
      const name = names.get(info.name) ?? info.name
      tensors.set(name, { ...info, name })
      this.#keys.set(name, info.name)
    }
    this.tensors = tensors
  }

  #key(name: string): string {
    const key = this.#keys.get(name)
    if (key === undefined) throw new RangeError(`no tensor named ${name}`)
    return key
  }

  read(name: string, offset: number, target: Uint8Array): void {
    this.inner.read(this.#key(name), offset, target)
  }

  verifyChecksum(name: string): void {
    this.inner.verifyChecksum(this.#key(name))
  }

  close(): void {
    this.inner.close()
  }
}

/**
 * Names the variables of an object-based checkpoint; any other checkpoint is returned unchanged.
 * @param namesOfNodes names of variables by the index of their object, e.g. from the graph of a SavedModel
 * @throws AlbertkitError `malformed` if the object graph cannot be parsed; the checkpoint is closed then
 */
export function nameObjects(source: BundleSource, namesOfNodes: ReadonlyMap<number, string> = new Map()): TensorSource {
  try {
    return named(source, namesOfNodes)
  } catch (error) {
    source.close()
    throw error
  }
}

function named(source: BundleSource, namesOfNodes: ReadonlyMap<number, string>): TensorSource {
  const info = source.tensors.get(GRAPH)
  const keys = [...source.tensors.keys()].filter((key) => key !== GRAPH)
  if (!keys.some((key) => key.endsWith(VALUE))) return source
  const told = new Map<string, ObjectName>()
  let note = 'keys are paths of objects, and the object graph that names them is absent'
  if (info?.dtype === 'STRING' && (source.missingFiles.length === 0 || info.file !== source.files[0])) {
    const [bytes] = source.strings(GRAPH)
    if (bytes === undefined)
      throw malformed('the object graph is empty', { code: 'header-invalid', file: info.file, tensor: GRAPH })
    for (const one of readGraph(info.file, bytes, namesOfNodes, source.tensors)) told.set(one.key, one)
    note = 'a checkpoint of objects: variables have the names that its object graph gives them'
  }
  return new NamedSource(source, chooseNames(keys, told), note)
}

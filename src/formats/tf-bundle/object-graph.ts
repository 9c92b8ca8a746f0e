import { malformed } from '../../errors.js'
import type { TensorInfo, TensorSource } from '../source.js'
import { MemoryBytes, WireReader, type Field } from '../tf-proto/wire.js'
import type { BundleSource } from './source.js'

/**
 * Checkpoints of objects (TF2, tf.train.Checkpoint, Keras): keys are paths of attributes, and the tensor
 * `_CHECKPOINTABLE_OBJECT_GRAPH` says which variable lies there (trackable_object_graph.proto).
 */

const GRAPH = '_CHECKPOINTABLE_OBJECT_GRAPH'
const VALUE = '/.ATTRIBUTES/VARIABLE_VALUE'
const SLOT = '/.OPTIMIZER_SLOT/'

const NODES = 1
const ATTRIBUTES = 2
const ATTRIBUTE = { fullName: 2, checkpointKey: 3 } as const

/** A variable that an object graph tells of. */
interface Told {
  readonly node: number
  readonly key: string
  readonly fullName: string
}

function readAttribute(wire: WireReader, field: Field, node: number): Told {
  let key = ''
  let fullName = ''
  for (const part of wire.inside(field)) {
    if (part.number === ATTRIBUTE.fullName) fullName = wire.text(part)
    else if (part.number === ATTRIBUTE.checkpointKey) key = wire.text(part)
  }
  return { node, key, fullName }
}

function readGraph(file: string, bytes: Uint8Array): Told[] {
  const wire = new WireReader(new MemoryBytes(file, bytes), 'object graph')
  const told: Told[] = []
  let node = 0
  for (const field of wire.fields(0, bytes.length)) {
    if (field.number !== NODES) continue
    for (const part of wire.inside(field)) if (part.number === ATTRIBUTES) told.push(readAttribute(wire, part, node))
    node++
  }
  return told
}

/** A key as a path: without the suffix, and with what TensorFlow escapes in the names of attributes. */
const pathOf = (key: string): string =>
  key
    .slice(0, key.endsWith(VALUE) ? -VALUE.length : undefined)
    .replace(/\.(\.|S)/g, (_, c: string) => (c === 'S' ? '/' : '.'))

/** Slots and counters of an optimizer: their own names tell nothing of whose they are, their paths do. */
const isOptimizers = (key: string): boolean => key.includes(SLOT) || /(^|\/)optimizer\//.test(key)

/**
 * Names by key. Where most variables have a full name of their own with a scope (`bert/pooler/dense/kernel`), full names
 * count; else, in models whose variables are all called `kernel` and `bias`, the path does.
 */
function chooseNames(keys: readonly string[], fullNames: ReadonlyMap<string, string>): Map<string, string> {
  const weights = keys.filter((key) => key.endsWith(VALUE) && !isOptimizers(key))
  const times = new Map<string, number>()
  for (const key of weights) {
    const name = fullNames.get(key) ?? ''
    times.set(name, (times.get(name) ?? 0) + 1)
  }
  const own = (key: string): string | null => {
    const name = fullNames.get(key) ?? ''
    return name !== '' && times.get(name) === 1 ? name : null
  }
  const scoped = weights.filter((key) => own(key)?.includes('/') === true).length
  const names = new Map<string, string>()
  const taken = new Set<string>()
  for (const key of keys) {
    const full = scoped * 2 > weights.length && weights.includes(key) ? own(key) : null
    const name = [full, pathOf(key), key].find((n) => n !== null && !taken.has(n)) ?? key
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
 * Gives the variables of a checkpoint of objects their names; any other checkpoint is given back as it is.
 * @param namesOfNodes names by the number of the object, from what belongs to the checkpoint (a SavedModel's graph)
 * @throws AlbertkitError `malformed` where the object graph cannot be parsed
 */
export function nameObjects(source: BundleSource, namesOfNodes: ReadonlyMap<number, string> = new Map()): TensorSource {
  const info = source.tensors.get(GRAPH)
  const keys = [...source.tensors.keys()].filter((key) => key !== GRAPH)
  if (!keys.some((key) => key.endsWith(VALUE))) return source
  const fullNames = new Map<string, string>()
  let note = 'keys are paths of objects, and the object graph that names them is absent'
  if (info?.dtype === 'STRING' && (source.missingFiles.length === 0 || info.file !== source.files[0])) {
    const [bytes] = source.strings(GRAPH)
    if (bytes === undefined) throw malformed('the object graph is empty', { file: info.file, tensor: GRAPH })
    const told = readGraph(info.file, bytes).filter(({ key }) => source.tensors.has(key))
    for (const { node, key, fullName } of told)
      fullNames.set(key, fullName !== '' ? fullName : (namesOfNodes.get(node) ?? ''))
    note = 'a checkpoint of objects: variables have the names that its object graph gives them'
  }
  return new NamedSource(source, chooseNames(keys, fullNames), note)
}

import { malformed } from '../../base/errors.js'
import { confined } from '../core/confined.js'
import type { FilePort } from '../core/file-port.js'
import { RangedFile, withFile } from '../core/file.js'
import { limitError, MAX_SHARDS, NameBudget } from '../core/limits.js'
import { dirname, join } from '../core/paths.js'
import { OnnxReader, type Initializer } from './reader.js'
import type { TensorInfo, TensorSource } from '../core/source.js'
import type { Field } from '../tf-proto/wire.js'

/**
 * Initializers of an ONNX file as tensors, by ranged reads: only offsets and lengths are kept in memory. Field numbers
 * are those of onnx.proto.
 */

const MODEL_GRAPH = 7
const MODEL_METADATA = 14
const GRAPH_NODE = 1
const GRAPH_INITIALIZER = 5
const GRAPH_OUTPUT = 12
const NODE_OUTPUT = 2
const VALUE_INFO_NAME = 1

/** Values that a graph computes: BERT-large has some 3,000. */
const MAX_VALUES = 100_000
/** Properties of a model: albertkit writes some ten. */
const MAX_METADATA = 1000

function addMetadata(reader: OnnxReader, field: Field, metadata: Map<string, string>): void {
  if (metadata.size >= MAX_METADATA)
    throw reader.fail(`more than ${MAX_METADATA} properties`, field.start, 'limit-exceeded')
  metadata.set(...reader.property(field))
}

class OnnxWeights implements TensorSource {
  readonly format = 'onnx'
  readonly notes: readonly string[] = []
  readonly files: readonly string[]
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly metadata = new Map<string, string>()
  readonly #file: RangedFile
  /** External-data files by name. */
  readonly #data = new Map<string, RangedFile>()
  readonly #placed: ReadonlyMap<string, Initializer>

  constructor(
    readonly port: FilePort,
    path: string,
  ) {
    this.#file = new RangedFile(port, path)
    try {
      this.#placed = this.#scan()
    } catch (error) {
      this.close()
      throw error
    }
    this.files = [path, ...[...this.#data.values()].map((file) => file.path)]
    this.tensors = this.#placed
  }

  #scan(): Map<string, Initializer> {
    const reader = new OnnxReader(this.#file)
    const found = new Map<string, Initializer>()
    const names = new NameBudget(limitError(this.#file.path))
    let graphs = 0
    for (const field of reader.fields(0, this.#file.size)) {
      if (field.number === MODEL_METADATA) addMetadata(reader, field, this.metadata)
      if (field.number !== MODEL_GRAPH) continue
      graphs++
      for (const inner of reader.inside(field)) {
        if (inner.number !== GRAPH_INITIALIZER) continue
        const placed = reader.initializer(inner.start, inner.end)
        names.add(placed.name.length)
        this.#openData(placed)
        found.set(placed.name, placed)
      }
    }
    if (graphs === 0) throw reader.fail('it has no graph', 0)
    return found
  }

  #openData({ location, name, offset, byteLength }: Initializer): void {
    if (location === null) return
    let file = this.#data.get(location)
    if (file === undefined) {
      if (this.#data.size >= MAX_SHARDS)
        throw limitError(this.#file.path)(`the weights lie in more than ${MAX_SHARDS} files`, 'limit-exceeded')
      const folder = dirname(this.#file.path)
      file = new RangedFile(confined(this.port, [folder]), join(folder, location))
      this.#data.set(location, file)
    }
    if (offset + byteLength > file.size)
      throw malformed(`the tensor ends at byte ${offset + byteLength}, but the file has ${file.size}`, {
        code: 'file-truncated',
        file: file.path,
        tensor: name,
        offset,
      })
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const placed = this.#placed.get(name)
    if (placed === undefined) throw new RangeError(`no initializer named ${name}`)
    if (offset < 0 || offset + target.length > placed.byteLength)
      throw new RangeError(`${name}: range outside the tensor`)
    const file = placed.location === null ? this.#file : this.#data.get(placed.location)
    file?.read(placed.offset + offset, target)
  }

  verifyChecksum(): void {
    return
  }

  close(): void {
    this.#file.close()
    for (const file of this.#data.values()) file.close()
  }
}

/**
 * Opens the initializers of an ONNX file.
 * @throws AlbertkitError `malformed` if it cannot be parsed
 */
export const openOnnxWeights = (files: FilePort, path: string): TensorSource => new OnnxWeights(files, path)

/** Names in a graph. */
export interface OnnxGraphNames {
  /** Outputs of nodes: every computed value. */
  readonly values: readonly string[]
  /** Outputs of the graph. */
  readonly outputs: readonly string[]
  /** metadata_props of the model. */
  readonly metadata: ReadonlyMap<string, string>
}

/**
 * Reads the names of a graph's values, without its weights.
 * @throws AlbertkitError `malformed` if the file cannot be parsed
 */
export const onnxGraphNames = (files: FilePort, path: string): OnnxGraphNames =>
  withFile(files, path, (file) => {
    const reader = new OnnxReader(file)
    const found = { values: [] as string[], outputs: [] as string[], metadata: new Map<string, string>() }
    let listed = 0
    const add = (list: string[], field: Field, number: number): void => {
      for (const inner of reader.inside(field)) {
        if (inner.number !== number) continue
        if (++listed > MAX_VALUES) throw reader.fail(`more than ${MAX_VALUES} values`, inner.start, 'limit-exceeded')
        list.push(reader.text(inner))
      }
    }
    for (const field of reader.fields(0, file.size)) {
      if (field.number === MODEL_METADATA) addMetadata(reader, field, found.metadata)
      else if (field.number === MODEL_GRAPH)
        for (const inner of reader.inside(field)) {
          if (inner.number === GRAPH_NODE) add(found.values, inner, NODE_OUTPUT)
          else if (inner.number === GRAPH_OUTPUT) add(found.outputs, inner, VALUE_INFO_NAME)
        }
    }
    return found
  })

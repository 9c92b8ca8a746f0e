import { malformed } from '../../base/errors.js'
import type { FilePort } from '../core/file-port.js'
import { RangedFile, withFile } from '../core/file.js'
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

class OnnxWeights implements TensorSource {
  readonly format = 'onnx'
  readonly notes: readonly string[] = []
  readonly files: readonly string[]
  readonly tensors: ReadonlyMap<string, TensorInfo>
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
    let graphs = 0
    for (const field of reader.fields(0, this.#file.size)) {
      if (field.number !== MODEL_GRAPH) continue
      graphs++
      for (const inner of reader.inside(field)) {
        if (inner.number !== GRAPH_INITIALIZER) continue
        const placed = reader.initializer(inner.start, inner.end)
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
      file = new RangedFile(this.port, join(dirname(this.#file.path), location))
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
    const names = (field: Field, number: number): string[] =>
      [...reader.inside(field)].filter((f) => f.number === number).map((f) => reader.text(f))
    const top = [...reader.fields(0, file.size)]
    const graphs = top.filter((f) => f.number === MODEL_GRAPH)
    const entries = top.filter((f) => f.number === MODEL_METADATA)
    const fields = graphs.flatMap((graph) => [...reader.inside(graph)])
    return {
      values: fields.filter((f) => f.number === GRAPH_NODE).flatMap((f) => names(f, NODE_OUTPUT)),
      outputs: fields.filter((f) => f.number === GRAPH_OUTPUT).flatMap((f) => names(f, VALUE_INFO_NAME)),
      metadata: new Map(entries.map((f) => reader.property(f))),
    }
  })

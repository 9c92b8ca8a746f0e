import { malformed, unsupported } from '../../base/errors.js'
import type { FilePort } from '../core/file-port.js'
import { RangedFile } from '../core/file.js'
import { limitError, NameBudget } from '../core/limits.js'
import { DTYPE_BYTES, isFloat, type SourceGraph, type TensorInfo, type TensorSource } from '../core/source.js'
import type { StoredTensor } from '../tf-proto/tensor.js'
import { WireReader } from '../tf-proto/wire.js'
import { inWholeElements } from '../core/byte-order.js'
import { graphIn, graphNodes, type GraphPlace } from './scan.js'

interface Entry extends TensorInfo {
  readonly stored: StoredTensor
}

/** Operations that hold a variable; freezing replaces them by constants. */
const VARIABLE = /^(VarHandleOp|Variable|VariableV2)$/

/**
 * A frozen graph: the weights are constants. The graph does not say which constants were variables: those of float type
 * with at least one axis are taken, the rest (shapes, axes, factors) is only counted.
 */
class GraphSource implements TensorSource {
  readonly format = 'graph-def'
  readonly files: readonly string[]
  readonly notes: readonly string[]
  readonly tensors: ReadonlyMap<string, Entry>
  readonly graph: SourceGraph
  readonly #file: RangedFile

  constructor(files: FilePort, path: string, place?: GraphPlace) {
    this.#file = new RangedFile(files, path)
    this.files = [path]
    this.graph = graphIn(files, path, place ?? null)
    const tensors = new Map<string, Entry>()
    const names = new NameBudget(limitError(path))
    let others = 0
    let nodes = 0
    let variables = 0
    try {
      const { start, end } = place ?? { start: 0, end: this.#file.size }
      if (this.#file.size === 0) throw malformed('the file is empty', { code: 'file-truncated', file: path, offset: 0 })
      for (const { name, op, tensor } of graphNodes(new WireReader(this.#file, 'TensorFlow graph'), start, end)) {
        nodes++
        if (VARIABLE.test(op)) variables++
        if (tensor === null) continue
        const { dtype, shape, byteLength } = tensor
        if (!isFloat(dtype) || shape.length === 0 || name.includes('/Initializer/')) others++
        else {
          names.add(name.length)
          tensors.set(name, { name, dtype, shape, byteLength, file: path, stored: tensor })
        }
      }
      if (nodes === 0)
        throw malformed('the file is not a TensorFlow graph: it has no nodes', {
          code: 'not-a-model',
          file: path,
          offset: 0,
        })
      if (tensors.size <= variables)
        throw unsupported(
          variables > 0 ? `the graph has ${variables} variables, but not their values` : 'the graph holds no weights',
          {
            code: variables > 0 ? 'tensor-missing' : 'not-a-model',
            file: path,
            hint: 'its variables are in a checkpoint: give that, or a graph that was frozen',
          },
        )
    } catch (error) {
      this.#file.close()
      throw error
    }
    this.tensors = tensors
    this.notes = [
      `a graph of ${nodes} nodes: ${tensors.size} constants may be weights, ` +
        `${others} others (scalars, shapes) are left out`,
    ]
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const entry = this.tensors.get(name)
    if (entry === undefined) throw new RangeError(`no constant named ${name}`)
    if (offset < 0 || offset + target.length > entry.byteLength)
      throw new RangeError(`${name}: range outside the tensor`)
    const width = DTYPE_BYTES[entry.dtype]
    inWholeElements(width, offset, target, (at, bytes) => {
      entry.stored.read(at / width, bytes)
    })
  }

  verifyChecksum(): void {
    return
  }

  close(): void {
    this.#file.close()
  }
}

/**
 * Opens the weights of a frozen graph (`.pb`), or of a GraphDef within a file.
 * @throws AlbertkitError `malformed` with the byte offset if it cannot be parsed; `unsupported` if it has no weights
 */
export const openGraphDef = (files: FilePort, path: string, place?: GraphPlace): TensorSource =>
  new GraphSource(files, path, place)

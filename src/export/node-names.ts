import { ScopePath } from '../model/reference/scope-path.js'

/**
 * A dimension: its size, or its name if the size is known only at run time. `batch` counts rows; for a multiple-choice
 * head, which takes several rows per example, these are `examples` × `choices`.
 */
export type Dim = number | 'batch' | 'sequence' | 'examples' | 'choices'

/** Node names that TensorFlow accepts (core/graph/tensor_id, `IsValidNodeName`); ONNX accepts any. */
const VALID = /^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$/

/** Converts `text` to a name that every target accepts: `float_-3.4e+38` becomes `float_-3.4e38`. */
export const nodeName = (text: string): string =>
  text
    .replaceAll('+', '')
    .replace(/[^A-Za-z0-9_.\\/>-]/g, '_')
    .replace(/^[^A-Za-z0-9.]/, 'n$&')

/** Unique names of nodes: readable paths like `encoder/layer_3/attention/query/MatMul`. */
export class NodeNames extends ScopePath {
  readonly #taken = new Set<string>()

  /** Name of a new node: `base` inside the open scope; `base_1`, `base_2` … if that is taken. */
  fresh(base: string): string {
    const full = nodeName(this.of(base))
    let name = full
    for (let n = 1; this.#taken.has(name); n++) name = `${full}_${n}`
    this.#taken.add(name)
    return name
  }

  /**
   * Reserves exactly `name`.
   * @throws RangeError if it is taken (slots and output names never collide with paths) or TensorFlow refuses it
   */
  reserve(name: string): string {
    if (!VALID.test(name)) throw new RangeError(`no node may be called ${name}`)
    if (this.#taken.has(name)) throw new RangeError(`two nodes would be called ${name}`)
    this.#taken.add(name)
    return name
  }
}

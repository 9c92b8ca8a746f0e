import { ScopePath } from '../model/reference/scope-path.js'

/**
 * A dimension: its size, or the name of one that is known when the model runs. `batch` counts rows; where a
 * multiple-choice head takes several rows an example, those are `examples` of `choices`.
 */
export type Dim = number | 'batch' | 'sequence' | 'examples' | 'choices'

/** Names that TensorFlow takes for a node (core/graph/tensor_id, `IsValidNodeName`); ONNX takes any. */
const VALID = /^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$/

/** `text` as a name that every target takes: `float_-3.4e+38` is `float_-3.4e38`. */
export const nodeName = (text: string): string =>
  text
    .replaceAll('+', '')
    .replace(/[^A-Za-z0-9_.\\/>-]/g, '_')
    .replace(/^[^A-Za-z0-9.]/, 'n$&')

/** Names of nodes: readable paths (`encoder/layer_3/attention/query/MatMul`), each given out once. */
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
   * Takes exactly `name`.
   * @throws RangeError if it is taken, since slots and output names never collide with paths, or if TensorFlow refuses it
   */
  reserve(name: string): string {
    if (!VALID.test(name)) throw new RangeError(`no node may be called ${name}`)
    if (this.#taken.has(name)) throw new RangeError(`two nodes would be called ${name}`)
    this.#taken.add(name)
    return name
  }
}

/**
 * A dimension: its size, or the name of one that is known when the model runs. `batch` counts rows; where a
 * multiple-choice head takes several rows an example, those are `examples` of `choices`.
 */
export type Dim = number | 'batch' | 'sequence' | 'examples' | 'choices'

/** Names of nodes: readable paths (`encoder/layer_3/attention/query/MatMul`), each given out once. */
export class NodeNames {
  readonly #taken = new Set<string>()
  #path: readonly string[] = []

  /** Runs `body` with `name/` before every name that it asks for. */
  scope<T>(name: string, body: () => T): T {
    const outer = this.#path
    this.#path = [...outer, name]
    try {
      return body()
    } finally {
      this.#path = outer
    }
  }

  /** The scope that is open now, for `within`. */
  get path(): readonly string[] {
    return this.#path
  }

  /** Runs `body` inside the scope `path`, wherever the call stands: a node belongs to who wanted it, not to who made it. */
  within<T>(path: readonly string[], body: () => T): T {
    const outer = this.#path
    this.#path = path
    try {
      return body()
    } finally {
      this.#path = outer
    }
  }

  /** `base` inside the open scope; `base_1`, `base_2` … where that is taken. */
  fresh(base: string): string {
    const full = [...this.#path, base].join('/')
    let name = full
    for (let n = 1; this.#taken.has(name); n++) name = `${full}_${n}`
    this.#taken.add(name)
    return name
  }

  /**
   * Takes exactly `name`.
   * @throws RangeError where it is taken: slots and output names never collide with paths.
   */
  reserve(name: string): string {
    if (this.#taken.has(name)) throw new RangeError(`two nodes would be called ${name}`)
    this.#taken.add(name)
    return name
  }
}

/** The scopes that are open while a forward pass runs, for implementations of `Ops` that name nodes or inner values. */
export class ScopePath {
  #path: readonly string[] = []

  /** The scope that is open now, for `within`. */
  get path(): readonly string[] {
    return this.#path
  }

  /** Runs `body` inside the scope `name` of the open one. */
  scope<T>(name: string, body: () => T): T {
    return this.within([...this.#path, name], body)
  }

  /** Runs `body` inside the scope `path` instead of the open one: a node belongs to the scope that uses it. */
  within<T>(path: readonly string[], body: () => T): T {
    const outer = this.#path
    this.#path = path
    try {
      return body()
    } finally {
      this.#path = outer
    }
  }

  /** Full name of the inner value `name` of the open scope. */
  of(name: string): string {
    return [...this.#path, name].join('/')
  }
}

/** The scopes that are open while a forward pass runs, for implementations of `Ops` that name inner values. */
export class ScopePath {
  #path: readonly string[] = []

  /** Runs `body` inside the scope `name`. */
  scope<T>(name: string, body: () => T): T {
    const outer = this.#path
    this.#path = [...outer, name]
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

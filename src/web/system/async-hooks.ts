/** `node:async_hooks` in a browser: a worker does one thing after another, so that a store belongs to what runs. */
export class AsyncLocalStorage<T> {
  #store: T | undefined

  getStore = (): T | undefined => this.#store

  run<R>(store: T, body: () => R): R {
    const before = this.#store
    const restore = (): void => {
      this.#store = before
    }
    this.#store = store
    let result: R
    try {
      result = body()
    } catch (error) {
      restore()
      throw error
    }
    if (result instanceof Promise) return result.finally(restore) as R
    restore()
    return result
  }
}

/** `value`, closed by `using` too. */
export const disposable = <T extends { close(): void }>(value: T): T & Disposable =>
  Object.assign(value, {
    [Symbol.dispose]: () => {
      value.close()
    },
  })

/** `value`, closed by `await using` too. */
export const asyncDisposable = <T extends { close(): Promise<void> }>(value: T): T & AsyncDisposable =>
  Object.assign(value, { [Symbol.asyncDispose]: () => value.close() })

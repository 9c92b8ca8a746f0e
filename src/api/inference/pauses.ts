/** Marks a pause in which no value arrived. */
export const PAUSE = Symbol('pause')

/**
 * Yields `values`, and `PAUSE` once if no value arrives for `patience` milliseconds after one. A consumer that stops at
 * a pause does not wait for a value that may never arrive.
 */
export async function* withPauses<T>(values: AsyncIterable<T>, patience: number): AsyncGenerator<T | typeof PAUSE> {
  const iterator = values[Symbol.asyncIterator]()
  let wake: (pause: typeof PAUSE) => void = () => undefined
  // One timer for all values: starting one for each line would cost more than reading it.
  const timer = setTimeout(() => {
    wake(PAUSE)
  }, patience)
  const asked = { waiting: false }
  try {
    for (let first = true; ; first = false) {
      const pending: Promise<IteratorResult<T, unknown>> = iterator.next()
      asked.waiting = true
      timer.refresh()
      const paused = new Promise<typeof PAUSE>((resolve) => (wake = resolve))
      if (!first && (await Promise.race([pending, paused])) === PAUSE) yield PAUSE
      const next = await pending
      asked.waiting = false
      if (next.done === true) return
      yield next.value
    }
  } finally {
    clearTimeout(timer)
    const ended = iterator.return?.()
    if (!asked.waiting) await ended
  }
}

/**
 * Yields `values` until `gone` is settled, without waiting for a value that may never arrive, such as the next line of
 * a terminal.
 */
export async function* until<T>(values: AsyncIterable<T>, gone: Promise<unknown> | undefined): AsyncGenerator<T> {
  if (gone === undefined) {
    yield* values
    return
  }
  const iterator = values[Symbol.asyncIterator]()
  const reader = { gone: false }
  let wake: (nothing: null) => void = () => undefined
  // Registered once: a race with a long-lived promise for each value would keep every value in memory.
  void gone.then(() => {
    reader.gone = true
    wake(null)
  })
  let waiting = false
  try {
    while (!reader.gone) {
      waiting = true
      const next = await new Promise<IteratorResult<T, unknown> | null>((resolve, reject) => {
        wake = resolve
        iterator.next().then(resolve, reject)
      })
      if (next === null) return
      waiting = false
      if (next.done === true) return
      yield next.value
    }
  } finally {
    const last = iterator.return?.()
    if (waiting) last?.catch(() => undefined)
    else await last
  }
}

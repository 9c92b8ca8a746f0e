/** Stands for a while in which nothing came. */
export const PAUSE = Symbol('pause')

/**
 * What `values` gives, and `PAUSE` once wherever nothing comes for `patience` milliseconds after a value. Whoever stops
 * listening then is not held up by what never comes.
 */
export async function* withPauses<T>(values: AsyncIterable<T>, patience: number): AsyncGenerator<T | typeof PAUSE> {
  const iterator = values[Symbol.asyncIterator]()
  let wake: (pause: typeof PAUSE) => void = () => undefined
  // One timer for all of them: starting one for each line would cost more than reading it.
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
 * What `values` gives, until `gone` is settled: whoever waits for a value then is not held up by one that never comes,
 * such as the next line of a terminal.
 */
export async function* until<T>(values: AsyncIterable<T>, gone: Promise<unknown> | undefined): AsyncGenerator<T> {
  if (gone === undefined) {
    yield* values
    return
  }
  const iterator = values[Symbol.asyncIterator]()
  const reader = { gone: false }
  let wake: (nothing: null) => void = () => undefined
  // Once for all of them: a race with a promise that lasts would remember every value.
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

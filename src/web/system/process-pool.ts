import { readWindow, type Readable, type TextPool } from '../../api/inference/window.js'

/** `api/inference/process-pool.ts` in a browser: windows run in albertkit's worker, one after the other. */
export function openPool(model: Readable): TextPool {
  let last: Promise<unknown> = Promise.resolve()
  return {
    width: 1,
    threads: 0,
    read(inputs, reading) {
      const rows = last.then(() => readWindow(model, inputs, reading))
      last = rows.catch(() => undefined)
      return rows
    },
    close: async () => {
      await last
    },
  }
}

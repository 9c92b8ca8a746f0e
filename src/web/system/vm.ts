/** Told the time that code may take before it runs, in milliseconds, and null once it has returned. */
type Announce = (milliseconds: number | null) => void

let announce: Announce = () => undefined

/** Tells `next` of code that may not return: what hears it ends the worker in time. */
export function announceDeadlines(next: Announce): void {
  announce = next
}

/** `node:vm` in a browser, which cannot end code that runs: whoever waits for this worker does. */
export class Script {
  readonly #run: () => unknown

  constructor(_code: string) {
    this.#run = () => (globalThis as unknown as Record<symbol, () => unknown>)[Symbol.for('albertkit.contained')]?.()
  }

  runInThisContext({ timeout }: { readonly timeout: number }): unknown {
    announce(timeout)
    try {
      return this.#run()
    } finally {
      announce(null)
    }
  }
}

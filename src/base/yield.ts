/** Lets Node handle signals, messages and progress between reads and writes, synchronous because that is faster. */
export const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Time that synchronous work may take before it yields: short beside the second in which a signal must take effect. */
const TURN_MS = 40

/** Yields of long work that is done in small pieces, of which most are too short to yield after each. */
export class Turns {
  #began = performance.now()

  /** Yields if the last time was a while ago; to be called after each piece. */
  async next(): Promise<void> {
    if (performance.now() - this.#began < TURN_MS) return
    await yieldToEventLoop()
    this.#began = performance.now()
  }
}

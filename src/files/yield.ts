/** Lets Node handle signals, messages and progress between writes, which are synchronous because that is faster. */
export const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

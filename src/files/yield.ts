/** Lets signals, messages of workers and progress be handled; writing itself is synchronous, because that is faster. */
export const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

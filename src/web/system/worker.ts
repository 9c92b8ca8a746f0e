/** `base/worker.ts` in a browser: albertkit runs in one worker of its own. */

export const THREADED = false
export const onWorkerEnd = (): void => undefined

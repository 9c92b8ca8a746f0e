/** `api/runner-thread/process-runner` in a browser, which has no processes. */
export const HAS_PROCESSES = false

export const openInProcess = (): Promise<never> => Promise.reject(new TypeError('there are no processes'))

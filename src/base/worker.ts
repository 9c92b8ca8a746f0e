import type { Worker } from 'node:worker_threads'

/** False if the code runs as TypeScript, as in tests: worker threads need JavaScript. */
export const THREADED = !import.meta.url.endsWith('.ts')

/** Calls `ended` with the reason once a thread fails or ends, whether or not it was told to. */
export function onWorkerEnd(worker: Worker, ended: (reason: string, cause?: unknown) => void): void {
  worker.on('error', (error: unknown) => {
    ended(error instanceof Error ? error.message : String(error), error)
  })
  worker.on('exit', (code) => {
    ended(`exit code ${code}`)
  })
}

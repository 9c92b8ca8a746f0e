import { failureOf, type Failure } from '../../base/error-transfer.js'
import { WindowPool } from './pool.js'
import type { WindowRows } from './window.js'
import type { WindowTask, WorkerPlan } from './window-worker.js'

/** Process in which the threads of a `ProcessPool` run: it can be ended while a native runtime computes. */

/** First message. */
export interface PoolPlan {
  readonly plan: WorkerPlan
  readonly threads: number
}

export interface PoolRequest extends WindowTask {
  readonly id: number
}

export type PoolAnswer = { readonly id: number } & ({ readonly rows: WindowRows } | { readonly failure: Failure })

// Ctrl-C reaches the whole group: the process that started this one decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
// Nobody is left to use the results. `process.exit` would wait for the threads.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))

process.once('message', ({ plan, threads }: PoolPlan) => {
  // This thread stays free, so that it sees a disconnection.
  const pool = new WindowPool(null, plan, threads)
  const answer = (message: PoolAnswer): void => void process.send?.(message)
  process.on('message', ({ id, inputs, reading }: PoolRequest) => {
    pool.read(inputs, reading).then(
      (rows) => {
        answer({ id, rows })
      },
      (error: unknown) => {
        answer({ id, failure: failureOf(error) })
      },
    )
  })
})

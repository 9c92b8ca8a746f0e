import { answerRequests } from '../../base/asked-process.js'
import { WindowPool } from './pool.js'
import type { WindowTask, WorkerPlan } from './window-worker.js'

/** Process in which the threads of a `ProcessPool` run: it can be ended while a native runtime computes. */

/** First message; the others are requests. */
export interface PoolPlan {
  readonly plan: WorkerPlan
  readonly threads: number
}

process.once('message', ({ plan, threads }: PoolPlan) => {
  // This thread stays free, so that it sees a disconnection.
  const pool = new WindowPool(null, plan, threads)
  answerRequests(({ inputs, reading }: WindowTask) => pool.read(inputs, reading))
})

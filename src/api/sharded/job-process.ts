import { failureOf, type Failure } from '../../base/error-transfer.js'
import type { QueueJob } from '../../sharding/queue/jobs.js'
import { Models } from './models.js'
import { runJob, type JobLimits } from './run-job.js'

/** Process in which a worker of a queue runs its jobs. */

export interface JobRequest {
  readonly id: number
  readonly job: QueueJob
  readonly limits: JobLimits
}
export type JobAnswer = { readonly id: number } & ({ readonly done: string } | { readonly failure: Failure })

const models = new Models()
// Ctrl-C reaches the whole group: the worker decides what becomes of a job.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
// A worker that was killed cannot use the result, and another one runs the job.
process.on('disconnect', () => process.exit())

process.on('message', ({ id, job, limits }: JobRequest) => {
  const answer = (message: JobAnswer): void => void process.send?.(message)
  runJob(job, models, limits).then(
    (done) => {
      answer({ id, done })
    },
    (error: unknown) => {
      answer({ id, failure: failureOf(error) })
    },
  )
})

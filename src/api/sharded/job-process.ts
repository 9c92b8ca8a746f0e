import { answerRequests } from '../../base/asked-process.js'
import type { QueueJob } from '../../sharding/queue/jobs.js'
import { Models } from './models.js'
import { runJob, type JobLimits } from './run-job.js'

/** Process in which a worker of a queue runs its jobs. The jobs of one that is killed are run by another. */

export interface JobRequest {
  readonly job: QueueJob
  readonly limits: JobLimits
}

const models = new Models()
answerRequests(({ job, limits }: JobRequest) => runJob(job, models, limits))

import { AskedProcess } from '../../base/asked-process.js'
import { processFile } from '../../base/child-process.js'
import { environment, type AlbertkitError } from '../../base/errors.js'
import type { QueueJob } from '../../sharding/queue/jobs.js'
import type { JobRequest } from './job-process.js'
import { Models } from './models.js'
import { runJob, type JobLimits } from './run-job.js'

const PROCESS = processFile(new URL('./job-process.js', import.meta.url))

const failed = (how: string): AlbertkitError =>
  environment(`the process of the job ${how}`, {
    code: 'process-failed',
    hint: 'its model or text may need more memory than there is, or a runtime crashes on it',
  })

/**
 * Runs the jobs of a worker in a process of their own, which keeps the last model open. A job that crashes the process,
 * or takes too long, fails; the next one gets a new process. Jobs of an interrupted worker are neither done nor failed:
 * another worker gets them.
 */
export class JobHost {
  #process: AskedProcess<JobRequest, string> | null = null
  readonly #models = new Models()

  /** @param timeout seconds that a job may take */
  constructor(
    readonly limits: JobLimits,
    readonly timeout?: number,
    readonly file = PROCESS,
  ) {}

  run(job: QueueJob): Promise<string> {
    if (this.file === null) return runJob(job, this.#models, this.limits)
    // One that is about to end gets no job.
    if (this.#process?.isOver !== false) this.#process = new AskedProcess(this.file, failed)
    const process = this.#process
    const done = process.ask({ job, limits: this.limits })
    const { timeout } = this
    if (timeout === undefined) return done
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(failed(`took longer than ${timeout} seconds`))
        process.kill()
      }, 1000 * timeout)
    })
    return Promise.race([done, late]).finally(() => {
      clearTimeout(timer)
    })
  }

  async close(): Promise<void> {
    this.#process?.close()
    await this.#models.close()
  }
}

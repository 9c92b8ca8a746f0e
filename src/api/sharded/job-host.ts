import { errorOf } from '../../base/error-transfer.js'
import { environment, type AlbertkitError } from '../../base/errors.js'
import { processFile, startProcess } from '../../base/child-process.js'
import { onInterrupt } from '../../base/interrupt.js'
import type { QueueJob } from '../../sharding/queue/jobs.js'
import type { JobAnswer, JobRequest } from './job-process.js'
import { Models } from './models.js'
import { runJob, type JobLimits } from './run-job.js'

const PROCESS = processFile(new URL('./job-process.js', import.meta.url))

interface Running {
  readonly resolve: (done: string) => void
  readonly reject: (error: Error) => void
}

interface JobProcess extends ReturnType<typeof startProcess> {
  readonly running: Map<number, Running>
}

const failed = (how: string): AlbertkitError =>
  environment(`the process of the job ${how}`, {
    code: 'process-failed',
    hint: 'its model or text may need more memory than there is, or a runtime crashes on it',
  })

/**
 * Runs the jobs of a worker in a process of their own, which keeps the last model open. A job that crashes the process,
 * or takes too long, fails; the next one gets a new process.
 */
export class JobHost {
  #process: JobProcess | null = null
  readonly #models = new Models()
  readonly #forget: () => void
  #next = 0
  #interrupted = false

  /** @param timeout seconds that a job may take */
  constructor(
    readonly limits: JobLimits,
    readonly timeout?: number,
    readonly file = PROCESS,
  ) {
    // Jobs of an interrupted worker are neither done nor failed: another worker gets them.
    this.#forget = onInterrupt(() => {
      this.#interrupted = true
    })
  }

  run(job: QueueJob): Promise<string> {
    if (this.file === null) return runJob(job, this.#models, this.limits)
    const { child, running } = (this.#process ??= this.#start(this.file))
    const id = this.#next++
    let timer: NodeJS.Timeout | undefined
    return new Promise<string>((resolve, reject) => {
      running.set(id, { resolve, reject })
      if (this.timeout !== undefined)
        timer = setTimeout(() => {
          reject(failed(`took longer than ${this.timeout} seconds`))
          // The next job must not go to a process that is about to end.
          this.#process = null
          child.kill('SIGKILL')
        }, 1000 * this.timeout)
      child.send({ id, job, limits: this.limits } satisfies JobRequest, (error) => {
        if (error !== null) reject(error)
      })
    }).finally(() => {
      clearTimeout(timer)
      running.delete(id)
    })
  }

  #start(file: string): JobProcess {
    const started: JobProcess = { ...startProcess(file), running: new Map() }
    const { child, forget, running } = started
    child.on('message', (answer: JobAnswer) => {
      if ('done' in answer) running.get(answer.id)?.resolve(answer.done)
      else running.get(answer.id)?.reject(errorOf(answer.failure))
    })
    const end = (how: string): void => {
      if (this.#process === started) this.#process = null
      forget()
      if (this.#interrupted) return
      for (const { reject } of running.values()) reject(failed(how))
    }
    child.once('error', (error) => {
      end(`could not be used: ${error.message}`)
    })
    child.once('exit', (code, signal) => {
      end(signal === null ? `ended with exit code ${String(code)}` : `crashed (${signal})`)
    })
    return started
  }

  async close(): Promise<void> {
    this.#forget()
    this.#process?.forget()
    this.#process?.child.kill('SIGKILL')
    this.#process = null
    await this.#models.close()
  }
}

import type { Job } from 'bullmq'
import { AlbertkitError } from '../../base/errors.js'
import { onInterrupt } from '../../base/interrupt.js'
import { parseJob, type QueueJob } from './jobs.js'
import { connect } from './redis.js'

export interface WorkOptions {
  readonly redis: string
  readonly queue: string
  /** Jobs at a time in this process. */
  readonly concurrency: number
  /** Stop when the queue holds nothing more to do. */
  readonly untilEmpty: boolean
  /** How long a worker may be silent before its job is given to another, in seconds. */
  readonly lockSeconds: number
  readonly onEvent?: (line: string) => void
}

export interface WorkReport {
  readonly queue: string
  readonly done: number
  readonly failed: number
}

/** A killed worker's job is handed out again this often. */
const MAX_STALLED = 20
/** How often an idle worker asks whether anything is left. */
const IDLE_MS = 1000

/** Errors that trying again cannot mend. */
const FINAL: ReadonlySet<string> = new Set(['usage', 'malformed', 'unsupported', 'check'])

/**
 * Takes jobs from the queue and runs them, until it is told to stop or, with `untilEmpty`, until nothing is left. The
 * job of a worker that dies goes to another when its lock has run out: jobs run at least once, and running one again
 * writes the same bytes.
 * @throws AlbertkitError `environment` where Redis or the packages are absent
 */
export async function work(
  run: (job: QueueJob) => Promise<string>,
  { redis, queue: name, concurrency, untilEmpty, lockSeconds, onEvent }: WorkOptions,
): Promise<WorkReport> {
  const connection = await connect(redis)
  const { Queue, UnrecoverableError, Worker } = connection.bullmq
  let done = 0
  let failed = 0
  const processor = async (job: Job): Promise<string> => {
    try {
      return await run(parseJob(job.data, job.id ?? ''))
    } catch (error) {
      if (error instanceof AlbertkitError && FINAL.has(error.kind)) throw new UnrecoverableError(error.message)
      throw error
    }
  }
  // A connection that BullMQ was given is left open by it.
  const own = connection.redis.duplicate()
  const worker = new Worker(name, processor, {
    connection: own,
    concurrency,
    lockDuration: lockSeconds * 1000,
    stalledInterval: Math.max(1000, (lockSeconds * 1000) / 2),
    maxStalledCount: MAX_STALLED,
  })
  worker.on('completed', (job, result: unknown) => {
    done += 1
    onEvent?.(`${job.id ?? ''} done: ${String(result)}`)
  })
  worker.on('failed', (job, error) => {
    failed += 1
    onEvent?.(`${job?.id ?? ''} failed: ${error.message}`)
  })
  worker.on('error', (error) => onEvent?.(`waiting: ${error.message}`))
  const queue = new Queue(name, { connection: connection.redis })
  queue.on('error', () => undefined)
  // A job that is under way is left to the others: its shard has not appeared, and its lock runs out.
  const forget = onInterrupt(() => worker.close(true))
  try {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
      if (!untilEmpty) continue
      const counts = await queue.getJobCounts('wait', 'active', 'delayed', 'waiting-children')
      if (Object.values(counts).every((count) => count === 0)) return { queue: name, done, failed }
    }
  } finally {
    forget()
    await worker.close()
    own.disconnect()
    await queue.close()
    await connection.close()
  }
}

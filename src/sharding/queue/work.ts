import type { Job } from 'bullmq'
import { AlbertkitError } from '../../base/errors.js'
import { onInterrupt } from '../../base/interrupt.js'
import { parseJob, type QueueJob } from './jobs.js'
import type { RedisAddress } from './address.js'
import { connect } from './redis.js'

export interface WorkOptions {
  readonly redis: RedisAddress
  readonly queue: string
  /** Number of concurrent jobs in this process. */
  readonly concurrency: number
  /** True to stop when the queue is empty. */
  readonly untilEmpty: boolean
  /** Seconds without a sign of life after which a worker's job is given to another worker. */
  readonly lockSeconds: number
  readonly onEvent?: (line: string) => void
}

export interface WorkReport {
  readonly queue: string
  readonly done: number
  readonly failed: number
}

/** Number of times that the job of a killed worker is given to another worker. */
const MAX_STALLED = 20
/** Interval at which a worker checks whether the queue is empty. */
const IDLE_MS = 1000

/** Kinds of errors that another attempt cannot fix. */
const FINAL: ReadonlySet<string> = new Set(['usage', 'malformed', 'unsupported', 'check'])
/** The same of single codes. */
const FINAL_CODES: ReadonlySet<string> = new Set(['output-exists', 'output-is-input'])
/** Attempts at a job, however many it asks for: one that always fails must not be taken for ever. */
const MAX_ATTEMPTS = 100

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * Takes jobs from the queue and runs them until interrupted or, with `untilEmpty`, until the queue is empty. The job of
 * a worker that dies goes to another worker when its lock expires: jobs run at least once, and running one again writes
 * the same bytes.
 * @throws AlbertkitError `environment` if Redis or the packages are absent
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
      const isFinal = error instanceof AlbertkitError && (FINAL.has(error.kind) || FINAL_CODES.has(error.code))
      if (isFinal || job.attemptsMade >= MAX_ATTEMPTS) throw new UnrecoverableError(messageOf(error))
      throw error instanceof Error ? error : new Error(messageOf(error))
    }
  }
  // BullMQ does not close a connection that it was given.
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
  // A running job is left to other workers: its shard is not written yet, and its lock expires.
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

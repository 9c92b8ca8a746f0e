import type { Job } from 'bullmq'
import type { RedisAddress } from './address.js'
import { connect } from './redis.js'
import { mergeJobSchema } from './jobs.js'

export interface FlowStatus {
  readonly id: string
  readonly command: string
  readonly input: string
  readonly output: string
  /** BullMQ's state of the merge job: waiting-children, active, completed, failed … */
  readonly state: string
  readonly shards: number
  readonly done: number
  /** Message of the error if it failed, else null. */
  readonly reason: string | null
}

export interface QueueStatus {
  readonly queue: string
  /** Number of jobs by BullMQ state. */
  readonly counts: Readonly<Record<string, number>>
  readonly flows: readonly FlowStatus[]
}

const STATES = ['wait', 'active', 'delayed', 'waiting-children', 'completed', 'failed'] as const
const MAX_FLOWS = 100

async function flowStatus(job: Job): Promise<FlowStatus | null> {
  const parsed = mergeJobSchema.safeParse(job.data)
  if (!parsed.success) return null
  const { task, places, output } = parsed.data
  const { processed = 0, unprocessed = 0, failed = 0, ignored = 0 } = await job.getDependenciesCount()
  return {
    id: job.id ?? '',
    command: task.command,
    input: places.input,
    output,
    state: await job.getState(),
    shards: processed + unprocessed + failed + ignored,
    done: processed,
    reason: job.failedReason || null,
  }
}

/**
 * Reports the jobs of the queue by state, and the progress of each flow, newest first.
 * @throws AlbertkitError `environment` if Redis or the packages are absent
 */
export async function status(redis: RedisAddress, name: string): Promise<QueueStatus> {
  const connection = await connect(redis)
  const queue = new connection.bullmq.Queue(name, { connection: connection.redis })
  try {
    const counts = await queue.getJobCounts(...STATES)
    const jobs = await queue.getJobs([...STATES], 0, -1)
    const merges = jobs.filter((job) => job.name === 'merge').sort((a, b) => b.timestamp - a.timestamp)
    const flows = await Promise.all(merges.slice(0, MAX_FLOWS).map(flowStatus))
    return { queue: name, counts, flows: flows.filter((flow) => flow !== null) }
  } finally {
    await queue.close()
    await connection.close()
  }
}

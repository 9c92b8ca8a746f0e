import type { Shard } from '../line-index.js'
import { flowId, type MergeJob } from './jobs.js'
import type { RedisAddress } from './address.js'
import { connect } from './redis.js'

export interface SubmitOptions {
  readonly redis: RedisAddress
  readonly queue: string
  /** Number of attempts at a shard before the flow fails. */
  readonly attempts: number
  /** Called before a request is added, if it is not in the queue already; may refuse by throwing. */
  readonly allow?: () => void
}

export interface SubmitReport {
  readonly queue: string
  readonly id: string
  readonly shards: number
  readonly lines: number
  readonly directory: string
  readonly output: string
  /** True if the same request was in the queue already and was left unchanged. */
  readonly existed: boolean
}

/** Retention of finished jobs, for `status`; age in seconds. */
const KEEP = { age: 7 * 24 * 3600, count: 1000 }

/**
 * Adds a flow to the queue: a job for each shard, and one that merges them when all are done.
 * @throws AlbertkitError `environment` if Redis or the packages are absent
 */
export async function submit(
  merge: MergeJob,
  shards: readonly Shard[],
  { redis, queue: name, attempts, allow }: SubmitOptions,
): Promise<SubmitReport> {
  const connection = await connect(redis)
  const { FlowProducer, Queue } = connection.bullmq
  const queue = new Queue(name, { connection: connection.redis })
  const flows = new FlowProducer({ connection: connection.redis })
  try {
    const id = flowId(merge)
    const before = await queue.getJob(id)
    const state = await before?.getState()
    const existed = before !== undefined && state !== 'failed' && state !== 'completed'
    if (!existed) allow?.()
    // A finished request may be submitted again: its complete shards are not computed again.
    if (before !== undefined && !existed) await before.remove({ removeChildren: true })
    const options = {
      attempts,
      backoff: { type: 'exponential', delay: 1000 },
      removeOnComplete: KEEP,
      removeOnFail: KEEP,
    }
    if (!existed)
      await flows.add({
        name: 'merge',
        queueName: name,
        data: merge,
        opts: { ...options, jobId: id },
        children: shards.map((shard) => ({
          name: 'shard',
          queueName: name,
          data: { kind: 'shard', task: merge.task, shard, places: merge.places },
          opts: { ...options, jobId: `${id}-${shard.index + 1}`, failParentOnFailure: true },
        })),
      })
    return {
      queue: name,
      id,
      shards: shards.length,
      lines: merge.task.input.lines,
      directory: merge.places.directory,
      output: merge.output,
      existed,
    }
  } finally {
    await flows.close()
    await queue.close()
    await connection.close()
  }
}

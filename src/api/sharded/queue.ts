import { resolve } from 'node:path'
import { usage } from '../../base/errors.js'
import type { SubmitReport } from '../../sharding/queue/submit.js'
import { work, type WorkOptions, type WorkReport } from '../../sharding/queue/work.js'
import { VECTOR_FORMATS } from '../inference/embed.js'
import { indexInput, type TextJob } from '../inference/job.js'
import { JobHost } from './job-host.js'
import { Roots } from './roots.js'
import { fetchedPath } from '../open/fetched.js'
import { PREDICTION_FORMATS } from '../inference/predict.js'
import { openForShards } from './shards.js'
import { submitFlow, type SubmitJobOptions } from './submit-flow.js'
import { taskOf, type ShardCommand } from '../inference/shard-task.js'

/**
 * Submits a job: shards are written into `directory` and merged into `output` when all are done. Paths are made
 * absolute and must be valid on every worker.
 */
export async function submitJob(
  command: ShardCommand,
  asked: TextJob,
  { shards: count, ...options }: SubmitJobOptions & { readonly shards: number },
): Promise<SubmitReport> {
  const config = asked.config === undefined ? undefined : resolve(asked.config)
  const job = { ...asked, config, pooling: command === 'embed' ? asked.pooling : undefined }
  const formats: readonly string[] =
    command === 'embed' ? VECTOR_FORMATS : command === 'predict' ? PREDICTION_FORMATS : ['jsonl']
  if (!formats.includes(job.format))
    throw usage(`${command} does not write ${job.format}`, {
      code: 'option-invalid',
      hint: `formats: ${formats.join(', ')}`,
    })
  const model = await openForShards(command, job)
  try {
    const { vocabulary } = job
    const places = {
      // Workers take paths alone: what a name means is settled here.
      model: await fetchedPath(job.model),
      input: resolve(job.input),
      ...(vocabulary === undefined ? {} : { vocabulary: await fetchedPath(vocabulary) }),
    }
    return await submitFlow(taskOf(command, job, model, await indexInput(job, count)), places, options)
  } finally {
    await model.close()
  }
}

export interface QueueWorkOptions extends WorkOptions {
  /** Threads of a shard; default one for each core. */
  readonly threads?: number | undefined
  /** Folders that jobs may read and write; default any. */
  readonly roots?: readonly string[] | undefined
  /** Seconds that a job may take; default as long as it needs. */
  readonly timeout?: number | undefined
}

/**
 * Runs jobs of a queue until it is stopped or nothing is left. Jobs run in a process of their own: one that crashes
 * fails, and the worker goes on.
 * @throws AlbertkitError `usage` if a root does not exist; as `work`
 */
export async function workQueue({ threads, roots, timeout, ...options }: QueueWorkOptions): Promise<WorkReport> {
  // Said now, not by every job.
  new Roots(roots)
  const host = new JobHost({ threads, roots }, timeout)
  try {
    return await work((job) => host.run(job), options)
  } finally {
    await host.close()
  }
}

import { malformed } from '../../base/errors.js'
import { addSource, ownSources } from '../../base/sources.js'
import { disk, diskPath } from '../../files/disk.js'
import { isDirectory } from '../../formats/core/file-port.js'
import type { QueueJob, ShardJob } from '../../sharding/queue/jobs.js'
import { addModelSources } from '../open/model-sources.js'
import type { TextJob } from '../inference/job.js'
import { jobOptions } from './job-options.js'
import { mergeJob } from './merge-job.js'
import type { Models } from './models.js'
import { Roots } from './roots.js'
import { runTrialJob } from './run-trial-job.js'
import { computeShard } from './shards.js'

/** Limits that the worker sets, not the job. */
export interface JobLimits {
  readonly threads?: number | undefined
  readonly roots?: readonly string[] | undefined
}

/** The request of a shard's job, its paths resolved. @throws AlbertkitError `malformed` if one leaves the roots */
function requestOf({ task, places }: ShardJob, roots: Roots, threads: number | undefined): TextJob {
  const { model, input, vocabulary } = places
  return {
    ...jobOptions(task.options, (path) => roots.input(path)),
    model: roots.model(model),
    input: roots.input(input),
    ...(vocabulary === undefined ? {} : { vocabulary: roots.model(vocabulary) }),
    ...(threads === undefined ? {} : { threads }),
  }
}

async function runShardJob(job: ShardJob, models: Models, roots: Roots, threads?: number): Promise<string> {
  const { command } = job.task
  if (command === 'finetune') return runTrialJob(job, roots, threads)
  const request = requestOf(job, roots, threads)
  const directory = roots.output(job.places.directory)
  return models.use(command, request, async (model) => {
    // The model may have been opened for an earlier job.
    addSource(request.input)
    if (isDirectory(disk, diskPath(request.model))) addModelSources(disk, diskPath(request.model), [])
    if (model.sha256 !== job.task.model.sha256)
      throw malformed('the model on this machine differs from the one that the job was submitted with', {
        code: 'shard-mismatch',
        file: request.model,
        hint: 'submit the job again, or copy the right model to this machine',
      })
    const { skipped } = await computeShard(
      directory,
      { ...job.task, command },
      { job: request, shard: job.shard, model },
    )
    return skipped ? 'exists already' : `${job.shard.lines} lines`
  })
}

/**
 * Runs one job of a queue.
 * @returns what was done, for the log
 * @throws AlbertkitError `malformed` if the job leaves the roots of the worker; as `computeShard`, `mergeJob`
 */
export const runJob = (job: QueueJob, models: Models, { threads, roots: folders }: JobLimits): Promise<string> =>
  ownSources(async () => {
    const roots = new Roots(folders)
    if (job.kind === 'shard') return runShardJob(job, models, roots, threads)
    const directory = roots.output(job.places.directory)
    const merged = await mergeJob(directory, roots.output(job.output), job.replaces ?? [])
    if ('evaluation' in merged) return `${merged.evaluation.lines} lines scored`
    return 'trials' in merged ? `${merged.trials.length} trials ranked` : `${merged.output.lines} lines merged`
  })

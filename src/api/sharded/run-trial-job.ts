import { malformed } from '../../base/errors.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import { difference } from '../../sharding/manifest.js'
import type { ShardJob } from '../../sharding/queue/jobs.js'
import { computeTrial, planSweep } from '../sweep/sweep.js'
import { sweepJobOptions } from './job-options.js'
import type { Roots } from './roots.js'

/**
 * Trains the trial of a sweep that a job names.
 * @returns what was done, for the log
 * @throws AlbertkitError `malformed` if the job leaves the roots, or grid, model or data are not those it was submitted
 *   with; as `planSweep`, `trainModel`
 */
export async function runTrialJob({ task, shard, places }: ShardJob, roots: Roots, threads?: number): Promise<string> {
  const { model, input, train, dev, vocabulary, config } = places
  if (train === undefined || dev === undefined)
    throw malformed('the job of a sweep names no data', { code: 'record-invalid', field: 'train' })
  const directory = roots.output(places.directory)
  const plan = await planSweep(
    roots.model(model),
    { train: roots.input(train), dev: roots.input(dev) },
    {
      ...sweepJobOptions(task.options),
      ...omitUndefined({
        threads,
        vocabulary: vocabulary === undefined ? undefined : roots.model(vocabulary),
        config: config === undefined ? undefined : roots.input(config),
      }),
    },
    roots.input(input),
  )
  const what = difference(plan.task, task)
  const isSame = what === null && JSON.stringify(plan.shards[shard.index]) === JSON.stringify(shard)
  if (!isSame)
    throw malformed(`${what ?? 'the grid'} differs from what the sweep was submitted with`, {
      code: 'shard-mismatch',
      file: input,
      hint: 'submit the sweep again, or copy the right files to this machine',
    })
  const { skipped } = await computeTrial(plan, shard.index, directory)
  return skipped ? 'exists already' : `trial ${shard.index + 1} trained`
}

import { resolve } from 'node:path'
import { omitUndefined } from '../../base/omit-undefined.js'
import type { SubmitReport } from '../../sharding/queue/submit.js'
import type { TrainData } from '../finetune/options.js'
import { fetchedPath } from '../open/fetched.js'
import { planSweep, type SweepOptions } from '../sweep/sweep.js'
import { submitFlow, type SubmitJobOptions } from './submit-flow.js'

export interface SubmitSweepOptions extends SubmitJobOptions {
  /** JSON file with lists of settings. */
  readonly grid: string
}

const absolute = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(path))

/**
 * Submits a sweep, one job a trial: models are trained in `OUTPUT.shards`, and ranked in `output` when all are done.
 * Paths are made absolute and must be valid on every worker.
 * @throws AlbertkitError as `trainSweep`, `submitJob`
 */
export async function submitSweep(
  path: string,
  data: TrainData,
  asked: SweepOptions,
  { grid, ...options }: SubmitSweepOptions,
): Promise<SubmitReport> {
  const plan = await planSweep(path, data, asked, grid)
  const { vocabulary, config } = asked
  const places = {
    model: await fetchedPath(path),
    input: resolve(grid),
    ...omitUndefined({
      train: absolute(data.train),
      dev: absolute(data.dev),
      vocabulary: vocabulary === undefined ? undefined : await fetchedPath(vocabulary),
      config: absolute(config),
    }),
  }
  return submitFlow(plan, places, options)
}

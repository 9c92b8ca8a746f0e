import { createHash } from 'node:crypto'
import { diskPath, disk } from '../../files/disk.js'
import { usage } from '../../base/errors.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import { addSource, keepSources } from '../../base/sources.js'
import type { Shard } from '../../sharding/line-index.js'
import { shardName, type ShardTask } from '../../sharding/manifest.js'
import { readShards } from '../../sharding/merge.js'
import { runShard, type ShardReport } from '../../sharding/run-shard.js'
import { decisiveOptions, hashedData, hashedModel, type HashedInput } from '../finetune/fingerprint.js'
import type { TrainData, TrainOptions } from '../finetune/options.js'
import type { Settings } from '../finetune/settings.js'
import { checkOptions } from '../finetune/train-model.js'
import { trainTaskRow } from '../finetune/train-tasks.js'
import { openModel } from '../open/open.js'
import { readGrid, shardsOf } from './grid.js'
import { rankTrials } from './merge-sweep.js'
import type { MergedSweep } from './report.js'
import { runTrial } from './trial.js'

/** Options of a sweep: those of a run, without what makes no sense for several. */
export interface SweepOptions extends Omit<TrainOptions, 'output' | 'resume' | 'exports'> {
  /** Called before each trial, which is counted from 1. */
  readonly onTrial?: (trial: number, count: number, settings: Settings) => void
}

/** A sweep, and where its results go. */
export interface TrainSweepOptions extends SweepOptions {
  /** Directory of the shards and the trained models. */
  readonly output: string
  /** JSON file with lists of settings. */
  readonly grid: string
}

/** A sweep whose grid, model and data are read: one shard a trial. */
export interface SweepPlan {
  readonly model: string
  readonly data: TrainData
  readonly options: SweepOptions
  readonly inputs: readonly HashedInput[]
  /** Contents of the model that are left out. */
  readonly notes: readonly string[]
  readonly task: ShardTask
  readonly trials: readonly Settings[]
  readonly shards: readonly Shard[]
}

/**
 * Options of a task, which all its shards must share. The vocabulary is a path; the same bytes may have another one on
 * another machine.
 */
function taskOptions(options: SweepOptions, data: TrainData): Record<string, unknown> {
  const { vocabulary: _v, ...decisive } = decisiveOptions({ ...options, output: '' })
  const { task = 'classify', metric = trainTaskRow(task).metrics[0], ignore } = options
  return { ...decisive, ...omitUndefined({ metric, ignore }), data: hashedData(data).map(({ sha256 }) => sha256) }
}

/**
 * Reads the grid of a sweep, and what its trials share.
 * @param path model to start from
 * @param grid JSON file with lists of settings
 * @throws AlbertkitError `usage` without `dev`; `malformed` for a grid that is none; as `openModel`
 */
export async function planSweep(
  path: string,
  data: TrainData,
  options: SweepOptions,
  grid: string,
): Promise<SweepPlan> {
  if (data.dev === undefined)
    throw usage('a sweep needs `dev`: its trials are compared by their evaluations', { code: 'option-missing' })
  addSource(grid)
  const trials = readGrid(disk, diskPath(grid))
  for (const settings of trials) checkOptions({ ...options, ...settings })
  const { input, shards } = shardsOf(trials)
  const { task: _task, labels: _labels, ...reading } = options
  using opened = await openModel(path, reading)
  const hashes = hashedModel(opened)
  const sha256 = createHash('sha256')
    .update(JSON.stringify(hashes.map((file) => file.sha256)))
    .digest('hex')
  const task: ShardTask = { command: 'finetune', options: taskOptions(options, data), model: { sha256 }, input }
  return {
    model: path,
    data,
    options: omitUndefined(options),
    inputs: [...hashes, ...hashedData(data)],
    notes: opened.leftOut,
    task,
    trials,
    shards,
  }
}

/** Trains one trial of a sweep into `directory`, its shard and its model. */
export function computeTrial(plan: SweepPlan, index: number, directory: string): Promise<ShardReport> {
  const { model, data, inputs, notes, options, trials, task } = plan
  const shard = plan.shards[index]!
  const settings = trials[index]!
  const folder = shardName(shard).replace('shard', 'trial')
  return runShard(directory, task, shard, async (output) => {
    options.onTrial?.(index + 1, trials.length, settings)
    const result = await runTrial({
      number: index + 1,
      settings,
      folder,
      directory,
      model,
      data,
      inputs,
      notes,
      options,
    })
    output.write(`${JSON.stringify(result)}\n`)
  })
}

/**
 * Trains the trial `index` (from 0) of `count` of a sweep.
 * @throws AlbertkitError `usage` if the grid has another number of trials; as `planSweep`, `trainModel`
 */
export function trainTrial(
  path: string,
  data: TrainData,
  options: TrainSweepOptions,
  { index, count }: { readonly index: number; readonly count: number },
): Promise<ShardReport> {
  return keepSources(async () => {
    const { output, grid, ...own } = options
    const plan = await planSweep(path, data, own, grid)
    if (plan.trials.length !== count)
      throw usage(`the grid has ${plan.trials.length} trials, not ${count}`, {
        code: 'option-invalid',
        file: grid,
        hint: `a shard is a trial: the first is 1/${plan.trials.length}`,
      })
    return computeTrial(plan, index, output)
  })
}

/**
 * Trains all trials of a sweep, one after another, and ranks them. Those that are complete in `output` are not trained
 * again: a sweep that was interrupted goes on.
 * @throws AlbertkitError as `planSweep`, `trainModel`
 */
export function trainSweep(path: string, data: TrainData, options: TrainSweepOptions): Promise<MergedSweep> {
  return keepSources(async () => {
    const { output, grid, ...own } = options
    const plan = await planSweep(path, data, own, grid)
    for (const index of plan.trials.keys()) await computeTrial(plan, index, output)
    return rankTrials(readShards(output))
  })
}

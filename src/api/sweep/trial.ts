import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { JOURNAL, TEMPORARY } from '../../base/temporary-folder.js'
import type { Diagnosis } from '../../training/diagnosis.js'
import { decisiveOptions, type HashedInput } from '../finetune/fingerprint.js'
import { UNFINISHED_METRICS } from '../finetune/metrics-file.js'
import type { TrainData, TrainOptions } from '../finetune/options.js'
import type { TrainReport } from '../finetune/report.js'
import type { Settings } from '../finetune/settings.js'
import { STATE_FILE } from '../finetune/state.js'
import { trainModel } from '../finetune/train-model.js'
import { TRAINING_FILE } from '../finetune/write-output.js'
import type { TrialResult } from './report.js'

/** A run with the settings of one trial. */
export interface Trial {
  /** From 1. */
  readonly number: number
  readonly settings: Settings
  /** Folder in `directory`. */
  readonly folder: string
  readonly directory: string
  readonly model: string
  readonly data: TrainData
  /** Files of model and data by their SHA-256. */
  readonly inputs: readonly HashedInput[]
  /** Contents of the model that are left out. */
  readonly notes: readonly string[]
  /** Options of all trials. */
  readonly options: Omit<TrainOptions, 'output'>
}

/** What `training.json` says about a run. */
interface Training {
  readonly inputs: readonly HashedInput[]
  readonly options: Readonly<Record<string, unknown>>
  readonly steps: TrialResult['steps']
  readonly metrics: TrainReport['metrics']
  readonly diagnoses: readonly Diagnosis[]
}

const codes = (diagnoses: readonly Diagnosis[]): TrialResult['diagnoses'] => diagnoses.map(({ code }) => code)

/** The record of a finished run; null if there is none that can be read. */
function readTraining(output: string): Training | null {
  try {
    return JSON.parse(readFileSync(join(output, TRAINING_FILE), 'utf8')) as Training
  } catch {
    return null
  }
}

/** True if the folder holds nothing but what a run that was killed leaves. */
const isUnfinished = (output: string): boolean =>
  readdirSync(output).every((name) => [STATE_FILE, UNFINISHED_METRICS, JOURNAL].includes(name) || TEMPORARY.test(name))

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/**
 * Trains with the settings of a trial, in its folder. A run of the same inputs and options that is there is not done
 * again, one that was interrupted is continued.
 * @throws AlbertkitError as `trainModel`
 */
export async function runTrial(trial: Trial): Promise<TrialResult> {
  const { number, settings, folder, directory, inputs, notes, data } = trial
  const output = join(directory, folder)
  const { tensorboard } = trial.options
  const options: TrainOptions = {
    ...trial.options,
    ...settings,
    ...(tensorboard === undefined ? {} : { tensorboard: join(tensorboard, folder) }),
    output,
  }
  const common = { trial: number, settings }
  const before = readTraining(output)
  if (before === null || !same(before.inputs, inputs) || !same(before.options, decisiveOptions(options))) {
    const begun = existsSync(output) && isUnfinished(output)
    const resume = begun && existsSync(join(output, STATE_FILE))
    const force = begun || options.force === true
    const { bestStep, totalSteps, steps, diagnoses } = await trainModel(trial.model, data, {
      ...options,
      resume,
      force,
    })
    if (bestStep === null)
      return {
        ...common,
        metrics: null,
        steps: { total: totalSteps, taken: steps.length, best: null },
        diagnoses: codes(diagnoses),
        folder: null,
        notes,
      }
  }
  const { metrics, steps, diagnoses } = readTraining(output)!
  return { ...common, metrics, steps, diagnoses: codes(diagnoses), folder, notes }
}

import { join } from 'node:path'
import { albertkitVersion } from '../../base/version.js'
import { OutputDirectory } from '../../files/output-directory.js'
import { writeText } from '../../files/output-file.js'
import { float32Text } from '../../text/data/numbers.js'
import type { OpenedModel } from '../open/open.js'
import type { MetricsFile } from './metrics-file.js'
import { decisiveOptions, hashedInputs } from './fingerprint.js'
import type { TrainOptions } from './options.js'
import type { PreparedModel } from './prepared-model.js'
import type { TrainReport } from './report.js'
import type { TrainSetup } from './train-setup.js'
import { trainTaskRow } from './train-tasks.js'
import { writeTrained } from './write-checkpoint.js'

/** Record of a training run next to the model: inputs, options, seed, figures; without times and output paths. */
export const TRAINING_FILE = 'training.json'

interface Finished {
  readonly opened: OpenedModel
  readonly setup: TrainSetup
  readonly prepared: PreparedModel
  readonly options: TrainOptions
}

type Figures = Omit<TrainReport, 'files'>

/** `eval_results.txt` as run_classifier writes it: float32 numbers, keys in alphabetical order. */
function evalResults({ metrics, bestStep }: Figures): string | null {
  if (metrics === null) return null
  const rows = Object.entries(metrics).map(([name, value]) => `eval_${name} = ${float32Text(value)}`)
  const { loss } = metrics
  const more = loss === undefined ? [] : [`loss = ${float32Text(loss)}`]
  return `${[...rows, `global_step = ${bestStep ?? 0}`, ...more].sort().join('\n')}\n`
}

/** @param direction which values of the metric are better */
function trainingJson({ opened, options, setup }: Finished, report: Figures, direction: string): string {
  const { task, optimizer, seed, labels, variables, totalSteps, evaluations, bestStep, metrics, diagnoses } = report
  const data = { train: setup.train.file, dev: setup.dev?.file }
  const manifest = {
    albertkit: albertkitVersion(),
    inputs: hashedInputs(opened, data),
    task,
    optimizer,
    seed,
    options: decisiveOptions(options),
    labels,
    variables,
    steps: { total: totalSteps, taken: report.steps.length, best: bestStep },
    metric: { name: options.metric ?? trainTaskRow(task).metrics[0], better: direction },
    metrics,
    evaluations,
    diagnoses,
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** Writes a trained model and its records into the output directory. @returns notes for the user */
export async function writeOutput(
  finished: Finished,
  report: Figures,
  direction: string,
  metrics: MetricsFile,
): Promise<string[]> {
  const { opened, prepared, setup, options } = finished
  const { task, problemType } = trainTaskRow(setup.task)
  const directory = new OutputDirectory(options.output, { force: true })
  try {
    const notes = await writeTrained(
      {
        opened,
        prepared,
        task,
        problemType: problemType ?? undefined,
        labels: setup.labels.length === 0 ? null : setup.labels,
        vocabulary: options.vocabulary,
      },
      directory.staging,
    )
    const results = evalResults(report)
    if (results !== null) writeText(join(directory.staging, 'eval_results.txt'), results)
    writeText(join(directory.staging, TRAINING_FILE), trainingJson(finished, report, direction))
    // Before the metrics go there too: an interrupted run needs them in their place.
    await directory.flush()
    metrics.moveTo(directory.staging)
    directory.commit()
    return notes
  } catch (error) {
    throw directory.named(error)
  } finally {
    directory.discard()
  }
}

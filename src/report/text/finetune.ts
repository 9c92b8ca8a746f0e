import { escapeAll } from '../../base/escape.js'
import type {
  BatchesReport,
  EvaluationPoint,
  StepProgress,
  StepReport,
  TrainEvents,
  TrainReport,
  VariablesReport,
} from '../../api/finetune/report.js'
import type { ExportGraphReport } from '../../api/finetune/export-graph.js'
import type { Diagnosis } from '../../training/diagnosis.js'
import { count } from '../format.js'
import { duration } from '../progress.js'
import { lossPlot } from './loss-plot.js'

/** A step in one line. */
export const stepLine = ({ step, loss, gradientNorm, learningRate }: StepReport): string =>
  `step ${step}: loss ${loss.toFixed(6)}, gradient norm ${gradientNorm.toFixed(6)}, ` +
  `learning rate ${learningRate.toPrecision(4)}`

/** The variables of a run in lines. */
export function variablesText({ trained, frozen, parameters, created }: VariablesReport): string[] {
  const kept = frozen === 0 ? '' : `, ${frozen} kept as they are`
  const from =
    created.length === 0
      ? 'all from the checkpoint'
      : `new, from random values: ${created.join(', ')}; all others from the checkpoint`
  return [`${trained} variables trained (${count(parameters)} parameters)${kept}; ${from}`]
}

export function batchesText(report: BatchesReport): string {
  const { model, family, task, optimizer, runner, variables, steps, output, files, notes } = escapeAll(report)
  return [
    `${model}: ${family}, ${task}, ${optimizer}, ${runner}`,
    ...variablesText(variables),
    ...steps.map(stepLine),
    ...notes.map((note) => `note: ${note}`),
    ...(output === null ? [] : [`wrote ${output}: ${files.map(({ path }) => path).join(', ')}`]),
  ].join('\n')
}

/** Text of `finetune --export-graph`. */
export function graphText(report: ExportGraphReport): string {
  const { task, classes, output, files, notes } = escapeAll(report)
  return [
    `training graph for ${task}, ${classes} classes`,
    ...notes.map((note) => `note: ${note}`),
    `wrote ${output}: ${files.map(({ path }) => path).join(', ')}`,
  ].join('\n')
}

/** Progress of a run: `step 120 of 375: loss 0.8123, accuracy 0.750, rate 4.1e-4, 260 examples/s, 0:31 left`. */
function progressLine(progress: StepProgress): string {
  const { step, totalSteps, loss, accuracy, learningRate, examplesPerSecond, secondsLeft } = progress
  const right = accuracy === null ? '' : `, accuracy ${accuracy.toFixed(3)}`
  return (
    `step ${step} of ${totalSteps}: loss ${loss.toFixed(4)}${right}, rate ${learningRate.toExponential(1)}, ` +
    `${count(Math.round(examplesPerSecond))} examples/s, ${duration(secondsLeft)} left`
  )
}

/** Metrics of an evaluation: `accuracy 0.850, loss 0.5447`. */
const metricsText = (metrics: EvaluationPoint['metrics']): string =>
  Object.entries(metrics)
    .map(([name, value]) => `${name} ${value.toFixed(name === 'loss' ? 4 : 3)}`)
    .join(', ')

const evaluationLine = ({ step, metrics, best }: EvaluationPoint): string =>
  `step ${step}: evaluation ${metricsText(metrics)}${best ? ', the best so far' : ''}`

const diagnosisLine = ({ message, hint }: Diagnosis): string => `diagnosis: ${message}; ${hint}`

/** Seconds between progress lines in a log, where none overwrites another. */
const LOG_SECONDS = 30

/** Callbacks that print the course of a run: a line that is overwritten, and lines that stay. */
export function trainTalk({
  talk,
  progress,
}: {
  readonly talk: (line: string) => void
  readonly progress: (line: string) => void
}): TrainEvents {
  let logged = performance.now()
  return {
    onStart: ({ variables, totalSteps, runner }) => {
      for (const line of variablesText(variables)) talk(line)
      talk(`${count(totalSteps)} steps with ${runner}`)
    },
    onStep: (step) => {
      if (process.stderr.isTTY) progress(progressLine(step))
      else if (performance.now() - logged > 1000 * LOG_SECONDS) {
        logged = performance.now()
        talk(progressLine(step))
      }
    },
    onEvaluation: (evaluation) => {
      talk(evaluationLine(evaluation))
    },
    onNote: (note) => {
      talk(note)
    },
    onDiagnosis: (diagnosis) => {
      talk(diagnosisLine(diagnosis))
    },
  }
}

export function trainText(raw: TrainReport): string {
  const report = escapeAll(raw)
  const { model, family, task, optimizer, runner, seed, labels, variables, train, dev, steps, totalSteps } = report
  const { bestStep, metrics, diagnoses, exported, output, files, notes } = report
  const unusable = (bad: number): string => (bad === 0 ? '' : ` (${count(bad)} lines could not be used)`)
  const last = steps.at(-1)
  return [
    `${model}: ${family}, ${task}, ${optimizer}, seed ${seed}, ${runner}`,
    ...variablesText(variables),
    `trained on ${count(train.examples)} examples${unusable(train.bad)}` +
      (dev === null ? '' : `, evaluated on ${count(dev.examples)}${unusable(dev.bad)}`) +
      (labels.length === 0 ? '' : `, ${labels.length} classes`),
    `${count(steps.length)} of ${count(totalSteps)} steps` +
      (last === undefined ? '' : `, loss ${last.loss.toFixed(4)}`),
    ...lossPlot(steps.map(({ loss }) => loss)),
    ...(metrics === null ? [] : [`best evaluation, step ${bestStep ?? 0}: ${metricsText(metrics)}`]),
    ...diagnoses.map(diagnosisLine),
    ...notes.map((note) => `note: ${note}`),
    ...(exported === null
      ? []
      : [`converted to ${exported.targets.join(', ')}: ${exported.ok ? exported.output : 'the check failed'}`]),
    ...(bestStep === null ? ['nothing was written'] : [`wrote ${output}: ${files.map(({ path }) => path).join(', ')}`]),
  ].join('\n')
}

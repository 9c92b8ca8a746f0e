import { count } from '../format.js'
import type { BatchesReport, StepReport, VariablesReport } from '../../api/finetune/report.js'

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
  const { model, family, task, optimizer, runner, variables, steps, output, files, notes } = report
  return [
    `${model}: ${family}, ${task}, ${optimizer}, ${runner}`,
    ...variablesText(variables),
    ...steps.map(stepLine),
    ...notes.map((note) => `note: ${note}`),
    ...(output === null ? [] : [`wrote ${output}: ${files.map(({ path }) => path).join(', ')}`]),
  ].join('\n')
}

import { escapeAll } from '../../base/escape.js'
import type { MergedSweep, TrialResult } from '../../api/sweep/report.js'
import type { Settings } from '../../api/finetune/settings.js'
import { table } from '../table.js'

/** Names of settings as the command line has them: `learning-rate`. */
const flagOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** What a trial is about to be trained with: `trial 2 of 6: learning-rate 0.0005, seed 1`. */
export const trialLine = (trial: number, count: number, settings: Settings): string =>
  `trial ${trial} of ${count}: ` +
  Object.entries(settings)
    .map(([name, value]) => `${flagOf(name)} ${String(value)}`)
    .join(', ')

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)]

const keys = (object: object | null): string[] => Object.keys(object ?? {})

/** Trials of a sweep, the best first: their settings, the metrics of the best evaluation, what was diagnosed. */
export function sweepText(raw: MergedSweep): string {
  const { metric, trials, best, shards } = escapeAll(raw)
  const settings = unique(trials.flatMap((trial) => keys(trial.settings)))
  const metrics = unique([metric.name, ...trials.flatMap((trial) => keys(trial.metrics))])
  const row = ({ trial, settings: own, metrics: values, steps, diagnoses }: TrialResult): string[] => [
    String(trial),
    ...settings.map((name) => String((own as Readonly<Record<string, string | number | boolean>>)[name] ?? '')),
    ...metrics.map((name) => (values as Readonly<Record<string, number>> | null)?.[name]?.toFixed(4) ?? 'NaN'),
    steps.best === null ? '' : `${steps.best}/${steps.total}`,
    diagnoses.join(' '),
  ]
  const head = ['trial', ...settings.map(flagOf), ...metrics, 'best step', 'diagnoses']
  const right = head.flatMap((_, i) => (i < head.length - 1 ? [i] : []))
  return [
    `${shards} trials, the ${metric.better} ${metric.name} first`,
    '',
    table(trials.map(row), { head, right }),
    '',
    ...unique(trials.flatMap(({ notes }) => notes)).map((note) => `note: ${note}`),
    best === null ? 'no trial ended with a finite loss' : `the best is trial ${best.trial}: ${best.folder ?? ''}`,
  ].join('\n')
}

import { usage } from '../../base/errors.js'
import type { EvaluationReport, OtherEvaluationReport } from './report.js'

/** Scores that an evaluation must reach, from 0 to 1. */
export interface EvaluationBudget {
  /** Accuracy; of several labels at once and of answers, the fraction of exact matches. */
  readonly minAccuracy?: number | undefined
  /** F1: of a classifier the mean over the classes, of several labels and of spans all together, of answers their mean. */
  readonly minF1?: number | undefined
}

type AnyEvaluation = EvaluationReport | OtherEvaluationReport

/** Accuracy of an evaluation, or its fraction of exact matches; null if it has neither. */
export function accuracyOf(report: AnyEvaluation): number | null {
  if ('accuracy' in report) return report.accuracy
  return 'exactMatch' in report ? report.exactMatch : null
}

/** F1 of an evaluation as a whole; null if it has none. */
export function f1Of(report: AnyEvaluation): number | null {
  if ('confusion' in report) return report.classes.reduce((sum, { f1 }) => sum + f1, 0) / report.classes.length
  if ('micro' in report) return report.micro.f1
  if ('spans' in report) return report.spans?.micro.f1 ?? null
  return 'f1' in report ? report.f1 : null
}

const ROWS = [
  { option: 'minAccuracy', name: 'accuracy', of: accuracyOf },
  { option: 'minF1', name: 'F1', of: f1Of },
] as const

/**
 * Sentences on the scores that an evaluation does not reach; empty if it reaches all.
 * @throws AlbertkitError `usage` if the evaluation has no such score
 */
export const missedScores = (report: AnyEvaluation, budget: EvaluationBudget): string[] =>
  ROWS.flatMap(({ option, name, of }) => {
    const least = budget[option]
    if (least === undefined) return []
    const found = of(report)
    if (found === null)
      throw usage(`\`${option}\` does not apply: this evaluation has no ${name}`, { code: 'option-conflict' })
    return found >= least ? [] : [`${name} is ${found.toFixed(4)}, below ${least}`]
  })

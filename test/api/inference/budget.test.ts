import { expect, it } from 'vitest'
import { missedScores } from '../../../src/api/inference/budget.js'
import type { OtherEvaluationReport } from '../../../src/api/inference/report.js'

const score = (f1: number) => ({ precision: f1, recall: f1, f1 })
const rest = { bad: 0, notes: [], runner: 'r' }
const REPORTS = {
  labels: { ...rest, lines: 4, exactMatch: 0.5, micro: score(0.7), macro: score(0.6), labels: [], classes: [] },
  tags: {
    ...rest,
    sentences: 1,
    words: 4,
    accuracy: 0.75,
    loss: 1,
    spans: { micro: score(0.4), macro: score(0.3), types: [] },
    truncatedWords: 0,
  },
  regression: { ...rest, lines: 4, pearson: 1, spearman: 1, mse: 0, mae: 0 },
} satisfies Record<string, OtherEvaluationReport>

it('a score that is reached is no miss, also if it is met exactly', () => {
  expect(missedScores(REPORTS.labels, { minAccuracy: 0.5, minF1: 0.7 })).toEqual([])
  expect(missedScores(REPORTS.tags, { minAccuracy: 0.75 })).toEqual([])
})

it('scores that are missed are named with both numbers', () => {
  expect(missedScores(REPORTS.labels, { minAccuracy: 0.6, minF1: 0.9 })).toEqual([
    'accuracy is 0.5000, below 0.6',
    'F1 is 0.7000, below 0.9',
  ])
  expect(missedScores(REPORTS.tags, { minF1: 0.5 })).toEqual(['F1 is 0.4000, below 0.5'])
})

it('a score that an evaluation does not have is a usage error', () => {
  expect(() => missedScores(REPORTS.regression, { minF1: 0.5 })).toThrow(
    expect.objectContaining({ kind: 'usage', code: 'option-conflict' }),
  )
})

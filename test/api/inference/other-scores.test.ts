import { describe, expect, it } from 'vitest'
import { evaluateLabels, givenClasses } from '../../../src/api/inference/evaluate-labels.js'
import { evaluateValues } from '../../../src/api/inference/evaluate-values.js'
import type { Prediction } from '../../../src/api/inference/predict.js'
import type { BadLine } from '../../../src/text/data/examples.js'
import { classReading } from '../../../src/model/problem-type.js'

/** Scores of models whose classes do not exclude each other, or that have none; the numbers are those of scikit-learn. */
async function* predictions(
  reading: Prediction['reading'],
  rows: readonly (readonly [given: string | null, ...values: number[]])[],
): AsyncGenerator<Prediction> {
  for (const [i, [given, ...values]] of rows.entries()) {
    const line = { line: i + 1, text: 'a', textB: null, given, label: '', reading }
    yield await Promise.resolve({ ...line, probabilities: values, logits: values })
  }
}

describe('a regression', () => {
  it('is scored by correlations and differences; a line without a number is bad', async () => {
    const bad: BadLine[] = []
    const rows = [
      ['0.7', 0.2],
      ['0.1', 0.15],
      ['good', 1],
      ['0.4', 0.9],
      ['0.4', 0.4],
      [null, 1],
      ['5', 2.5],
    ] as const
    const scores = await evaluateValues(predictions('value', rows), (line) => bad.push(line))
    expect(scores.pearson).toBeCloseTo(0.9498813932210131, 12)
    expect(scores.spearman).toBeCloseTo(0.6668859288553503, 12)
    expect(scores.mse).toBeCloseTo(1.3505, 12)
    expect(scores.mae).toBeCloseTo(0.71, 12)
    expect([scores.lines, scores.bad, bad.map(({ line }) => line)]).toEqual([5, 2, [3, 6]])
  })

  it('needs a number', async () => {
    await expect(evaluateValues(predictions('value', [['x', 1]]), () => undefined)).rejects.toMatchObject({
      code: 'labels-mismatch',
    })
  })
})

describe('several labels at once', () => {
  const labels = ['a', 'b', 'c']
  it('are scored by class, micro and macro', async () => {
    const rows = [
      ['a,c', 0.9, 0.1, 0.4],
      ['', 0.2, 0.5, 0.1],
      ['b, c', 0, 0.7, 0.8],
      ['1 1 0', 0.6, 0.3, 0.2],
      ['d', 1, 1, 1],
    ] as const
    const scores = await evaluateLabels(
      predictions('sigmoid', rows),
      () => labels,
      () => undefined,
    )
    expect([scores.lines, scores.bad, scores.exactMatch]).toEqual([4, 1, 0.25])
    expect(scores.micro.precision).toBeCloseTo(0.8, 12)
    expect(scores.micro.recall).toBeCloseTo(2 / 3, 12)
    expect(scores.micro.f1).toBeCloseTo(0.7272727272727273, 12)
    expect(scores.macro.precision).toBeCloseTo(0.8333333333333334, 12)
    expect(scores.macro.f1).toBeCloseTo(0.7222222222222222, 12)
  })

  it.each([
    ['b', [false, true, false]],
    ['a|b', [true, true, false]],
    ['0,0,1', [false, false, true]],
    ['0,1', null],
    ['b,x', null],
  ] as const)('%j names %j', (given, expected) => {
    expect(givenClasses(given, labels)).toEqual(expected)
  })
})

it.each([
  [undefined, 3, 'softmax'],
  [undefined, 1, 'sigmoid'],
  ['multi_label_classification', 3, 'sigmoid'],
  ['regression', 1, 'value'],
] as const)('problem_type %s with %d classes is read by %s', (problem, classes, reading) => {
  expect(classReading(problem, classes)).toBe(reading)
})

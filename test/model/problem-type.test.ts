import { expect, it } from 'vitest'
import { classReading, PROBLEM_TYPES, readProblemType } from '../../src/model/problem-type.js'
import { errorOf } from '../helpers/named-source.js'

const read = (problem_type: unknown) => readProblemType({ file: 'config.json', fields: { problem_type } })

it('reads logits as the pipeline of transformers does', () => {
  const readings = [undefined, ...PROBLEM_TYPES].map((problem) => [1, 2, 5].map((n) => classReading(problem, n)))
  expect(readings).toEqual([
    ['sigmoid', 'softmax', 'softmax'],
    ['sigmoid', 'softmax', 'softmax'],
    ['sigmoid', 'sigmoid', 'sigmoid'],
    ['value', 'value', 'value'],
  ])
})

it('takes the problems of transformers, and none if the field is absent', () => {
  for (const problem_type of PROBLEM_TYPES) expect(read(problem_type)).toEqual({ problem_type })
  expect([read(null), readProblemType({ file: 'config.json', fields: {} })]).toEqual([{}, {}])
})

it.each(['ranking', 3, ''])('refuses %j, and names those that it knows', (given) => {
  expect(errorOf(() => read(given))).toEqual({
    kind: 'malformed',
    code: 'config-invalid',
    message: `problem_type is ${JSON.stringify(given)}, which transformers does not have`,
    file: 'config.json',
    field: 'problem_type',
    hint: 'known are single_label_classification, multi_label_classification, regression',
  })
})

import { shownJson } from '../base/json-text.js'
import { malformed } from '../base/errors.js'
import type { OutputReading } from './tasks.js'

/** Problems of transformers' `problem_type`. */
export const PROBLEM_TYPES = ['single_label_classification', 'multi_label_classification', 'regression'] as const
export type ProblemType = (typeof PROBLEM_TYPES)[number]

/** Readings of the logits of a classifier of texts. */
export type ClassReading = Extract<OutputReading, 'softmax' | 'sigmoid' | 'value'>

/**
 * Reading of the logits of a classifier of texts with so many classes, as transformers' TextClassificationPipeline
 * chooses it: one class alone has no softmax.
 */
export function classReading(problem: ProblemType | undefined, classes: number): ClassReading {
  if (problem === 'regression') return 'value'
  return problem === 'multi_label_classification' || classes === 1 ? 'sigmoid' : 'softmax'
}

interface ConfigFields {
  readonly file: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Field `problem_type` of a configuration; absent if it has none. @throws AlbertkitError `malformed` */
export function readProblemType({ file, fields }: ConfigFields): { problem_type?: ProblemType } {
  const given = fields.problem_type
  if (given === undefined || given === null) return {}
  const found = PROBLEM_TYPES.find((type) => type === given)
  if (found !== undefined) return { problem_type: found }
  throw malformed(`problem_type is ${shownJson(given)}, which transformers does not have`, {
    code: 'config-invalid',
    file,
    field: 'problem_type',
    hint: `known are ${PROBLEM_TYPES.join(', ')}`,
  })
}

import * as z from '../vendor/zod.js'
import { nullableNumber } from './common.js'

/** Documents of `finetune`. */

const step = z.strictObject({
  step: z.int().check(z.describe('number of the step, from 1')),
  loss: nullableNumber.check(z.describe('null if it is not a finite number')),
  gradientNorm: nullableNumber.check(z.describe('global norm of the gradients before clipping')),
  learningRate: z.number(),
})

const variables = z.strictObject({
  trained: z.int(),
  frozen: z.int(),
  parameters: z.int().check(z.describe('elements of the trained variables')),
  created: z.array(z.string()).check(z.describe('variables that the source lacks: they start from random values')),
})

const files = z.array(z.strictObject({ path: z.string(), bytes: z.int() }))

export const finetuneBatchesSchema = z.strictObject({
  ok: z.boolean().check(z.describe('false if a loss is not a finite number')),
  model: z.string(),
  family: z.oneOf(['zh', 'google', 'google_fast', 'bert', 'hf']),
  task: z.oneOf(['classify', 'token-classification', 'multiple-choice', 'qa']),
  optimizer: z.oneOf(['adamw', 'lamb']),
  runner: z.string(),
  variables,
  steps: z.array(step),
  output: z.nullable(z.string()),
  files,
  notes: z.array(z.string()),
})

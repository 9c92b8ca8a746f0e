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

const metrics = z.strictObject({
  accuracy: z.optional(z.number()),
  f1: z.optional(z.number()),
  mse: z.optional(z.number()),
  pearson: z.optional(z.number()),
  loss: z.optional(z.number()),
})

const diagnosis = z.strictObject({
  code: z.string().check(z.describe('one of a fixed list')),
  message: z.string(),
  hint: z.string().check(z.describe('what to try')),
  step: z.int().check(z.describe('step after which it was found; 0 before training')),
})

export const finetuneSchema = z.strictObject({
  ok: z.boolean().check(z.describe('false if training stopped because a loss was not finite')),
  model: z.string(),
  family: z.oneOf(['zh', 'google', 'google_fast', 'bert', 'hf']),
  task: z.oneOf(['classify', 'multi-label', 'regression', 'token-classification', 'qa']),
  optimizer: z.oneOf(['adamw', 'lamb']),
  runner: z.string(),
  seed: z.int(),
  labels: z.array(z.string()),
  variables,
  train: z.strictObject({ file: z.string(), examples: z.int(), bad: z.int(), truncated: z.int() }),
  dev: z.nullable(z.strictObject({ file: z.string(), examples: z.int(), bad: z.int() })),
  totalSteps: z.int(),
  steps: z.array(step).check(z.describe('fewer than totalSteps after early stopping')),
  evaluations: z.array(z.strictObject({ step: z.int(), metrics, best: z.boolean() })),
  bestStep: z.nullable(z.int()).check(z.describe('step whose weights were written; null if none were')),
  metrics: z.nullable(metrics).check(z.describe('of the best evaluation')),
  diagnoses: z.array(diagnosis),
  exported: z
    .nullable(z.strictObject({ ok: z.boolean(), output: z.string(), targets: z.array(z.string()) }))
    .check(z.describe('conversion of the trained model, with --export')),
  output: z.string(),
  files,
  notes: z.array(z.string()),
})

export const finetuneGraphSchema = z.strictObject({
  ok: z.literal(true),
  model: z.string(),
  family: z.oneOf(['zh', 'google', 'google_fast', 'bert', 'hf']),
  task: z.oneOf(['classify', 'multi-label', 'regression', 'token-classification', 'qa']),
  classes: z.int(),
  output: z.string(),
  files,
  notes: z.array(z.string()),
})

const trial = z.strictObject({
  trial: z.int().check(z.describe('number of the trial, from 1, in the order of the grid')),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  metrics: z.nullable(metrics).check(z.describe('of the best evaluation; null if the loss was not finite')),
  steps: z.strictObject({ total: z.int(), taken: z.int(), best: z.nullable(z.int()) }),
  diagnoses: z.array(z.string()),
  folder: z.nullable(z.string()).check(z.describe('folder of the trained model, in the directory of the sweep')),
  notes: z.array(z.string()).check(z.describe('contents of the source that are left out')),
})

export const sweepSchema = z.strictObject({
  command: z.literal('finetune'),
  shards: z.int(),
  metric: z.strictObject({ name: z.string(), better: z.oneOf(['highest', 'lowest']) }),
  trials: z.array(trial).check(z.describe('the best first')),
  best: z.nullable(trial).check(z.describe('null if none has a finite loss')),
})

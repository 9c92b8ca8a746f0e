import * as z from '../vendor/zod.js'
import { notes, probability, size } from './common.js'

/** Document of `evaluate`. */

const mistake = z.strictObject({
  line: z.int(),
  text: z.string(),
  label: z.string(),
  predicted: z.string(),
  probability,
  crossEntropy: z.number(),
})

export const evaluation = z.strictObject({
  lines: size,
  accuracy: probability,
  loss: z.number().check(z.describe("mean over the lines: run_classifier's eval_loss")),
  batchLoss: z.number().check(z.describe("mean over batches of eight: run_classifier's loss")),
  labels: z.array(z.string()),
  classes: z.array(
    z.strictObject({
      label: z.string(),
      support: size,
      predicted: size,
      precision: probability,
      recall: probability,
      f1: probability,
    }),
  ),
  confusion: z.array(z.array(size)).check(z.describe('rows: label of the line; columns: predicted label')),
  worst: z.array(mistake),
  confident: z.array(mistake),
  warnings: z.array(z.string()),
  bad: size,
})

export const evaluateSchema = z.extend(evaluation, {
  notes,
  runner: z.string(),
  globalStep: z.nullable(z.int()),
  comparison: z.optional(
    z.strictObject({
      other: z.string(),
      lines: size,
      different: z.array(
        z.strictObject({
          line: z.int(),
          label: z.nullable(z.string()),
          first: z.string(),
          second: z.string(),
          text: z.string(),
        }),
      ),
    }),
  ),
})

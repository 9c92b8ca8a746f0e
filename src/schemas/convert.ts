import * as z from '../vendor/zod.js'
import { dtype, nullableNumber } from './common.js'
import { verifySchema } from './verify.js'

/** Document of `convert`. */

export const convertSchema = z.strictObject({
  ok: z.boolean(),
  family: z.oneOf(['zh', 'google', 'google_fast', 'bert', 'hf']),
  task: z.oneOf(['features', 'pretraining', 'mlm', 'sop', 'classify', 'token-classification', 'multiple-choice', 'qa']),
  output: z.string(),
  dryRun: z.boolean(),
  artefacts: z.array(
    z.strictObject({
      target: z.oneOf(['tfjs', 'onnx', 'tflite', 'safetensors', 'tf']),
      dtype: z.optional(dtype),
      files: z.array(z.string()),
      weightBytes: z.nullable(z.int()),
      outputs: z.array(z.string()),
    }),
  ),
  parameters: z.int(),
  growth: z
    .nullable(
      z.strictObject({
        form: z.oneOf(['bert', 'albert']),
        parameters: z.tuple([z.int(), z.int()]),
        bytes: z.tuple([z.int(), z.int()]),
        ratio: z.number(),
      }),
    )
    .check(z.describe('with --as: how much larger the result is')),
  verification: z.nullable(verifySchema),
  gate: z.array(
    z.strictObject({
      artefact: z.string(),
      runner: z.string(),
      inputs: z
        .oneOf(['file', 'text', 'vocabulary'])
        .check(z.describe('lines of the file given, built-in sentences, or random tokens')),
      rows: z.int(),
      outputs: z.array(
        z.strictObject({
          output: z.string(),
          agreement: z
            .nullable(z.number())
            .check(z.describe('fraction of equal answers; null if the output gives no answer, e.g. a hidden state')),
          maxAbs: nullableNumber,
          cosine: z.number(),
        }),
      ),
      agreement: z.number(),
      threshold: z.number(),
      accuracy: z
        .nullable(z.strictObject({ lines: z.int(), skipped: z.int(), before: z.number(), after: z.number() }))
        .check(z.describe('fraction of labelled lines that are right, with float32 and with the rounded weights')),
      spared: z.array(z.strictObject({ slot: z.string(), as: z.oneOf(['f32', 'int8', 'weights']), error: z.number() })),
      ok: z.boolean(),
    }),
  ),
  notes: z.array(z.string()),
})

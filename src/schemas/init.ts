import * as z from '../vendor/zod.js'

/** Document of `init`. */

export const initSchema = z.strictObject({
  ok: z.boolean(),
  preset: z.string().check(z.describe('name of the preset, or the configuration file')),
  family: z.oneOf(['zh', 'google', 'google_fast', 'bert', 'hf']),
  target: z.oneOf(['tf', 'safetensors']),
  task: z.oneOf(['features', 'pretraining', 'mlm', 'sop', 'classify', 'token-classification', 'multiple-choice', 'qa']),
  seed: z.int(),
  output: z.string(),
  files: z.array(z.strictObject({ path: z.string(), bytes: z.int() })),
  tensors: z.int(),
  parameters: z.int(),
  weightBytes: z.int(),
  verified: z.nullable(z.int()).check(z.describe('tensors that were read back and found equal')),
  notes: z.array(z.string()),
})

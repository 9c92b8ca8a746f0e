import * as z from '../vendor/zod.js'
import { config, parts, shape } from './common.js'

/** Document of `inspect`. */

export const inspectSchema = z.strictObject({
  ok: z.boolean().check(z.describe('false if the model is not complete; exit code 3')),
  format: z.string(),
  files: z.array(z.string()),
  family: z.oneOf(['zh', 'google', 'google_fast', 'bert', 'hf']),
  architecture: z.oneOf(['albert', 'bert']),
  title: z.string(),
  reason: z.string().check(z.describe('why the family was recognised')),
  config: z.nullable(config).check(z.describe('null if there is no configuration')),
  draft: z
    .nullable(
      z.strictObject({
        file: z.string(),
        fields: z.record(z.string(), z.union([z.string(), z.nullable(z.number())])),
        unknown: z.array(z.string()).check(z.describe('fields that the weights do not show')),
        assumed: z.array(z.string()).check(z.describe('fields with the usual value, which no weight shows')),
        similar: z.array(z.strictObject({ name: z.string(), fields: z.record(z.string(), z.number()) })),
      }),
    )
    .check(z.describe('beginning of a configuration if there is none')),
  heads: z.array(z.oneOf(['mlm', 'sop', 'classifier', 'token-classifier', 'multiple-choice', 'qa'])),
  variables: z.array(
    z.strictObject({
      name: z.string(),
      dtype: z.string(),
      shape,
      parameters: z.int(),
      bytes: z.int(),
      slot: z.nullable(z.string()),
    }),
  ),
  counts: z.strictObject({ mapped: z.int(), skipped: z.int(), unknown: z.int(), missing: z.int() }),
  skipped: z.array(z.strictObject({ variable: z.string(), reason: z.string() })),
  unknown: z.array(z.string()),
  missing: z.array(z.strictObject({ slot: z.string(), variable: z.string() })),
  missingFiles: z.array(z.string()),
  parameters: z.nullable(
    z.strictObject({
      stored: z.int(),
      used: z.int(),
      bytes: z.int(),
      parts,
      embedding: z.strictObject({
        V: z.int(),
        E: z.int(),
        H: z.int(),
        unfactorised: z.int(),
        factorised: z.int(),
        ratio: z.number(),
      }),
    }),
  ),
  notes: z.array(z.string()),
})

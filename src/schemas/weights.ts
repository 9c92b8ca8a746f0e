import * as z from '../vendor/zod.js'
import { config, named, nullableNumber, shape } from './common.js'

/** Document of `weights`. */

const rank = z.strictObject({
  shape: z.tuple([z.int(), z.int()]),
  possible: z.int(),
  numerical: z.int().check(z.describe('singular values above max(rows, columns) · 2⁻²³ of the largest')),
  stable: z.number().check(z.describe('‖A‖²_F / ‖A‖²₂')),
  effective: z.number().check(z.describe('exp of the entropy of the singular values')),
  singular: z.array(z.number()).check(z.describe('the largest first')),
})

export const weightsSchema = z.strictObject({
  ok: z.boolean().check(z.describe('false if a value is NaN or infinite, or if variables are missing; exit code 1')),
  model: z.string(),
  family: config.shape.family,
  architecture: config.shape.architecture,
  initializerRange: z.number(),
  tensors: z.array(
    z.strictObject({
      variable: z.string(),
      slot: z.string(),
      dtype: z.string(),
      shape: shape.check(z.describe('as stored')),
      count: z.int(),
      mean: nullableNumber.check(z.describe('over the finite values, as std, min and max; null if there are none')),
      std: nullableNumber,
      min: nullableNumber,
      max: nullableNumber,
      zeros: z.int(),
      nan: z.int(),
      inf: z.int(),
      state: z.oneOf(['ok', 'broken', 'zero', 'constant', 'initial']),
    }),
  ),
  body: z.oneOf(['trained', 'untrained']),
  heads: z.array(z.strictObject({ head: z.string(), state: z.oneOf(['trained', 'untrained', 'constant']) })),
  classes: z.array(
    z.strictObject({
      index: z.int(),
      norm: z.number(),
      bias: z.number(),
      beatenBy: z.nullable(z.int()).check(z.describe('class with larger logits whatever the input')),
      label: z.nullable(z.string()),
    }),
  ),
  ranks: z.nullable(z.strictObject({ word: rank, product: z.nullable(rank) })),
  duplicates: z.array(
    z.strictObject({
      part: z.oneOf(['attention', 'ffn']),
      layers: z.tuple([z.int(), z.int()]),
      distance: z.number().check(z.describe('‖a − b‖ / √(‖a‖·‖b‖)')),
    }),
  ),
  missing: z.array(named),
  against: z.nullable(
    z.strictObject({
      config: z.string(),
      variables: z.int(),
      notProvided: z.array(
        z.strictObject({
          slot: z.string(),
          variable: z.string(),
          shape,
          found: z.nullable(shape).check(z.describe('shape in the checkpoint; null if absent')),
        }),
      ),
      unknown: z.array(z.string()),
    }),
  ),
  before: z.nullable(
    z.strictObject({
      checkpoint: z.string(),
      compared: z.int(),
      unchanged: z.array(named),
      added: z.array(z.string()),
    }),
  ),
  notes: z.array(z.string()),
  verdicts: z.array(z.strictObject({ level: z.oneOf(['bad', 'warning', 'good']), text: z.string() })),
})

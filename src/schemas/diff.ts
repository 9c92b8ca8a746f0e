import * as z from '../vendor/zod.js'
import { nullableNumber, shape } from './common.js'

/** Document of `diff`. */

const diffModel = z.strictObject({
  path: z.string(),
  family: z.oneOf(['zh', 'google', 'google_fast', 'bert', 'hf']),
  format: z.string(),
  title: z.string(),
})

const diffSide = z.nullable(z.strictObject({ variables: z.array(z.string()), dtype: z.string(), shape }))

export const diffSchema = z.strictObject({
  ok: z.boolean(),
  a: diffModel,
  b: diffModel,
  atol: z.number(),
  config: z.array(
    z.strictObject({ field: z.string(), a: z.union([z.string(), z.number()]), b: z.union([z.string(), z.number()]) }),
  ),
  slots: z.array(
    z.strictObject({
      slot: z.string(),
      layers: z.array(z.int()).check(z.describe('inner layers that use it, numbered through all groups')),
      status: z.oneOf(['equal', 'within', 'differs', 'shape', 'only-a', 'only-b']),
      a: diffSide,
      b: diffSide,
      elements: z.int(),
      different: z.nullable(z.int()),
      maxAbs: nullableNumber,
      where: shape,
      harmless: z.optional(z.string()),
    }),
  ),
  counts: z.strictObject({
    equal: z.int(),
    within: z.int(),
    differs: z.int(),
    shape: z.int(),
    onlyA: z.int(),
    onlyB: z.int(),
  }),
  notes: z.array(z.string()),
})

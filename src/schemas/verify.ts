import { RUNNERS } from '../runtime/runners.js'
import { OPERATIONS } from '../compare/stages.js'
import * as z from '../vendor/zod.js'
import { adapter, dtype, nullableNumber, shape } from './common.js'

/** Document of `verify`. */

const judged = { maxAbs: nullableNumber, atol: z.number(), ok: z.boolean() }

const operation = z.oneOf(OPERATIONS)

const layer = z.nullable(z.int()).check(z.describe('-1: the embeddings; null: a head'))

export const verifySchema = z.strictObject({
  ok: z.boolean(),
  family: z.oneOf(['zh', 'google', 'google_fast', 'bert', 'hf']),
  golden: z.nullable(z.string()),
  against: z.optional(z.string()).check(z.describe('model whose reference is the arbiter, if it is another one')),
  saved: z.optional(z.string()).check(z.describe('file to which inputs and reference outputs were written')),
  inputs: z.array(shape),
  runtimes: z.array(
    z.strictObject({
      runner: z.string(),
      detail: z.string(),
      dtype: z.optional(dtype),
      precision: z.oneOf(['float32', 'float16', 'int8']),
      adapter: z.nullable(adapter),
      ms: z.optional(z.array(z.number())).check(z.describe('milliseconds of a second run of each input, with --gpu')),
    }),
  ),
  comparisons: z.array(
    z.strictObject({
      dtype: z.optional(dtype),
      runner: z.oneOf(['reference', 'reference(safetensors)', 'reference(tf)', ...RUNNERS.map(({ name }) => name)]),
      output: z.string(),
      shape,
      expectedShape: z.optional(shape).check(z.describe('shape that was expected, if it differs')),
      rows: z.optional(z.literal('masked')),
      maxAbs: nullableNumber,
      meanAbs: nullableNumber,
      cosine: nullableNumber,
      ulps: nullableNumber.check(z.describe('maxAbs in steps of float32 at the largest expected value')),
      where: shape,
      atol: z.number(),
      ok: z.boolean(),
    }),
  ),
  weights: z.array(
    z.strictObject({
      artefact: z.oneOf(['tfjs', 'onnx', 'tflite', 'safetensors', 'tf']),
      dtype: z.optional(dtype),
      compared: z.int(),
      differences: z.array(z.strictObject({ slot: z.string(), variable: z.string(), reason: z.string() })),
      ok: z.boolean(),
    }),
  ),
  notRun: z.array(z.strictObject({ runner: z.string(), output: z.optional(z.string()), reason: z.string() })),
  notes: z.array(z.string()),
  layers: z
    .optional(
      z.array(
        z.strictObject({
          runner: z.string(),
          layer: z.int().check(z.describe('-1: the embeddings')),
          output: z.string(),
          ...judged,
        }),
      ),
    )
    .check(z.describe('with --layers or --bisect: every hidden state')),
  operations: z
    .optional(z.array(z.strictObject({ runner: z.string(), layer, operation, output: z.string(), ...judged })))
    .check(z.describe('operations by themselves: of every runtime with --bisect, of those that diverge with --layers')),
  firstDivergent: z.optional(
    z.nullable(z.strictObject({ runner: z.string(), layer, operation: z.nullable(operation), output: z.string() })),
  ),
})

import * as z from '../vendor/zod.js'
import { nullableNumber } from './common.js'

/** Document of `build`. */

export const buildSchema = z.strictObject({
  ok: z.boolean().check(z.describe('false if a model failed')),
  config: z.string(),
  albertkit: z.string(),
  dryRun: z.boolean(),
  exitCode: z.int().check(z.describe('the worst of the models’')),
  models: z.array(
    z.strictObject({
      name: z.string(),
      source: z.string(),
      output: z.string(),
      status: z
        .oneOf(['built', 'skipped', 'failed', 'planned'])
        .check(z.describe('skipped: nothing of it had changed; planned: with --dry-run, it would be built')),
      why: z.string(),
      exitCode: z.int(),
      seconds: z.number(),
      steps: z.array(
        z.strictObject({
          name: z.string().check(z.describe('convert, golden FILE, evaluate, bench, budgets')),
          status: z
            .oneOf(['done', 'cached', 'failed', 'planned', 'left'])
            .check(z.describe('cached: an earlier run had the same inputs; left: an earlier step failed')),
          why: z.nullable(z.string()),
          seconds: nullableNumber,
          missed: z.array(z.string()).check(z.describe('what was expected and not found')),
          error: z.nullable(
            z.strictObject({
              kind: z.string(),
              code: z.string(),
              message: z.string(),
              hint: z.optional(z.string()),
              file: z.optional(z.string()),
            }),
          ),
        }),
      ),
      artefacts: z.array(
        z.strictObject({
          artefact: z.string(),
          files: z.array(z.string()),
          bytes: z.int(),
          maxAbs: nullableNumber.check(z.describe('largest difference from the float64 reference')),
          agreement: nullableNumber.check(z.describe('with float32, of rounded weights')),
          accuracy: nullableNumber,
          f1: nullableNumber,
          p50: nullableNumber.check(z.describe('milliseconds; the largest median of the measured rows')),
        }),
      ),
      notes: z.array(z.string()),
    }),
  ),
})

import * as z from '../vendor/zod.js'
import { notes } from './common.js'

/** Document of `bench`. */

export const benchSchema = z.strictObject({
  ok: z.boolean().check(z.describe('false if a median exceeds --max-p50')),
  directory: z.string(),
  node: z.string(),
  rows: z.array(
    z.strictObject({
      file: z.string(),
      runner: z.string(),
      threads: z.int(),
      batch: z.int(),
      length: z.int().check(z.describe('tokens a row')),
      p50: z.number().check(z.describe('milliseconds of a run')),
      p90: z.number(),
      rowsPerSecond: z.number(),
      tokensPerSecond: z.number(),
      load: z.number().check(z.describe('milliseconds')),
      memory: z
        .nullable(z.number())
        .check(z.describe('MiB by which the process grew; null if a browser runs the model')),
    }),
  ),
  notRun: z.array(z.strictObject({ runner: z.string(), reason: z.string() })),
  missed: z.optional(z.array(z.string())).check(z.describe('medians above --max-p50')),
  notes,
})

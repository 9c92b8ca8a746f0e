import * as z from '../vendor/zod.js'
import { adapter, nullableNumber } from './common.js'

/** Document of `doctor`. */

const system = z.strictObject({
  platform: z.string(),
  release: z.string(),
  arch: z.string(),
  cpu: z.string(),
  threads: z.int(),
  memory: z.int().check(z.describe('bytes')),
  freeMemory: z.int().check(z.describe('bytes')),
})

const runtime = z.strictObject({
  name: z.string(),
  required: z.boolean(),
  place: z.oneOf(['cpu', 'optional', 'browser', 'gpu']),
  status: z.oneOf(['works', 'software', 'absent', 'broken']),
  detail: z.nullable(z.string()),
  adapter: z.nullable(adapter),
  maxAbs: nullableNumber.check(z.describe('largest difference from the float64 reference on a small model')),
  reason: z.nullable(z.string()),
  fix: z.nullable(z.string()),
})

export const doctorSchema = z.strictObject({
  ok: z.boolean().check(z.describe('true if everything that is required works')),
  version: z.string(),
  node: z.strictObject({ version: z.string(), required: z.string(), ok: z.boolean() }),
  system,
  adapters: z.array(z.string()).check(z.describe('WebGPU adapters that Dawn sees')),
  runtimes: z.array(runtime),
  packages: z.array(z.strictObject({ name: z.string(), version: z.nullable(z.string()), purpose: z.string() })),
})

const compared = { maxAbs: nullableNumber, atol: z.number(), ok: z.boolean() }

/** Document of `doctor --gpu`. */
export const gpuReportSchema = z.strictObject({
  ok: z.boolean().check(z.describe('true if a GPU runtime ran, and nothing that ran differs or failed')),
  complete: z.boolean().check(z.describe('false if the report was interrupted')),
  date: z.string(),
  seconds: z.int(),
  version: z.string(),
  node: z.string(),
  system,
  nvidia: z.nullable(z.strictObject({ device: z.string(), driver: z.string() })),
  adapters: z.array(z.string()).check(z.describe('WebGPU adapters that Dawn sees')),
  runtimes: z.array(runtime),
  steps: z.array(
    z.strictObject({
      model: z.string(),
      runner: z.string(),
      status: z.oneOf(['ok', 'differs', 'failed', 'skipped']),
      reason: z.nullable(z.string()),
      seconds: z.int(),
      detail: z.nullable(z.string()),
      adapter: z.nullable(adapter),
      parity: z.array(z.strictObject({ dtype: z.string(), output: z.string(), ...compared })),
      layers: z.array(z.strictObject({ layer: z.int(), ...compared })),
      speed: z.array(
        z.strictObject({
          file: z.string(),
          batch: z.int(),
          length: z.int(),
          p50: z.number().check(z.describe('milliseconds of a run, median')),
          load: z.number().check(z.describe('milliseconds')),
        }),
      ),
    }),
  ),
})

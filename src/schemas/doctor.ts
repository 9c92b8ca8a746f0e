import * as z from '../vendor/zod.js'
import { adapter, nullableNumber } from './common.js'

/** Document of `doctor`. */

export const doctorSchema = z.strictObject({
  ok: z.boolean().check(z.describe('true if everything that is required works')),
  version: z.string(),
  node: z.strictObject({ version: z.string(), required: z.string(), ok: z.boolean() }),
  system: z.strictObject({
    platform: z.string(),
    release: z.string(),
    arch: z.string(),
    cpu: z.string(),
    threads: z.int(),
    memory: z.int().check(z.describe('bytes')),
    freeMemory: z.int().check(z.describe('bytes')),
  }),
  adapters: z.array(z.string()).check(z.describe('WebGPU adapters that Dawn sees')),
  runtimes: z.array(
    z.strictObject({
      name: z.string(),
      required: z.boolean(),
      place: z.oneOf(['cpu', 'optional', 'browser', 'gpu']),
      status: z.oneOf(['works', 'software', 'absent', 'broken']),
      detail: z.nullable(z.string()),
      adapter: z.nullable(adapter),
      maxAbs: nullableNumber.check(z.describe('largest difference from the float64 reference on a small model')),
      reason: z.nullable(z.string()),
      fix: z.nullable(z.string()),
    }),
  ),
  packages: z.array(z.strictObject({ name: z.string(), version: z.nullable(z.string()), purpose: z.string() })),
})

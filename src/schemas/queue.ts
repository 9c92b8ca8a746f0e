import * as z from '../vendor/zod.js'
import { size } from './common.js'

/** Documents of the `queue` commands. */

export const queueSubmitSchema = z.strictObject({
  queue: z.string(),
  id: z.string(),
  shards: z.int(),
  lines: size,
  directory: z.string(),
  output: z.string(),
  existed: z.boolean().check(z.describe('true if the same request was in the queue already')),
})

export const queueWorkSchema = z.strictObject({ queue: z.string(), done: size, failed: size })

export const queueStatusSchema = z.strictObject({
  queue: z.string(),
  counts: z.record(z.string(), size),
  flows: z.array(
    z.strictObject({
      id: z.string(),
      command: z.string(),
      input: z.string(),
      output: z.string(),
      state: z.string(),
      shards: size,
      done: size,
      reason: z.nullable(z.string()),
    }),
  ),
})

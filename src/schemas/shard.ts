import * as z from '../vendor/zod.js'
import { sha256, size } from './common.js'
import { evaluation } from './evaluate.js'
import { sweepSchema } from './finetune.js'

/** Documents of `--shard` and `merge`. */

const file = z.strictObject({ file: z.string(), sha256, bytes: size, lines: size })

export const shardSchema = z
  .strictObject({
    directory: z.string(),
    skipped: z.boolean().check(z.describe('true if the shard was complete already')),
    format: z.literal('albertkit-shard'),
    version: z.literal(1),
    command: z.oneOf(['predict', 'evaluate', 'embed', 'finetune']),
    options: z.record(z.string(), z.unknown()),
    model: z.strictObject({ sha256 }),
    input: z.strictObject({ sha256, bytes: size, lines: size }),
    shard: z.strictObject({
      index: size,
      count: z.int().check(z.gte(1)),
      offset: size,
      bytes: size,
      firstLine: z.int().check(z.gte(1)),
      lines: size,
      sha256,
    }),
    output: file,
    errors: z.nullable(file),
  })
  .check(z.describe('predict, evaluate, embed or finetune with --shard'))

export const mergeSchema = z.union([
  z.strictObject({
    command: z.oneOf(['predict', 'embed']),
    shards: z.int(),
    inputLines: size,
    output: file,
    errors: z.nullable(file),
  }),
  z.strictObject({ command: z.literal('evaluate'), shards: z.int(), inputLines: size, evaluation }),
  sweepSchema,
])

import * as z from '../vendor/zod.js'
import { size } from './common.js'

/** Document and lines of `tokenize`. */

export const tokenizeLineSchema = z
  .strictObject({
    tokens: z.array(z.string()),
    ids: z.array(z.int()),
    offsets: z
      .array(z.nullable(z.tuple([z.int(), z.int()])))
      .check(z.describe('in code points; null for a special token')),
  })
  .check(z.describe('a line of tokenize --json'))

export const tokenizeSchema = z
  .strictObject({ file: z.string(), records: size, maxSeqLength: z.int(), bad: size })
  .check(z.describe('tokenize --to tfrecord'))

export const featuresLineSchema = z
  .strictObject({
    tokens: z.array(z.string()),
    input_ids: z.array(z.int()),
    input_mask: z.array(z.int()),
    segment_ids: z.array(z.int()),
    label_id: z.nullable(z.number()),
    label: z.nullable(z.string()),
    is_real_example: z.boolean(),
  })
  .check(z.describe('a line of tokenize --from tfrecord --json'))

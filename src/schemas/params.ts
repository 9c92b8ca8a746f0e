import * as z from '../vendor/zod.js'
import { config, parts } from './common.js'

/** Documents of `params` and of `params --paper`. */

const variant = z.oneOf(['without', 'with', 'wideWithout', 'wideWith'])

const bytes = z.int().check(z.gte(0))

export const paramsSchema = z.strictObject({
  ok: z.boolean().check(z.describe('false if a file and its configuration disagree; exit code 1')),
  workload: z.strictObject({ batch: z.int(), sequence: z.int(), elementBytes: z.int() }),
  columns: z.array(
    z.strictObject({
      name: z.string(),
      origin: z.oneOf(['file', 'preset', 'config', 'what-if']),
      config,
      sharing: z.string(),
      heads: z.array(z.string()),
      embedding: z.strictObject({
        V: z.int(),
        E: z.int(),
        H: z.int(),
        unfactorised: z.int(),
        factorised: z.int(),
        ratio: z.number(),
        symbols: z.strictObject({ unfactorised: z.string(), factorised: z.string() }),
      }),
      formula: z.string().check(z.describe('all stored parameters in letters')),
      lines: z.array(
        z.strictObject({
          key: z.string(),
          part: z.oneOf(['embeddings', 'attention', 'ffn', 'norms', 'pooler', 'heads']),
          formula: z.string().check(z.describe('size of one copy')),
          copies: z.int(),
          stored: z.int(),
          used: z.int(),
        }),
      ),
      parts,
      stored: z.int(),
      used: z.int(),
      bytes: z.strictObject({ F32: bytes, F16: bytes, BF16: bytes, I8: bytes }),
      fileBytes: z.nullable(bytes),
      footprint: z.strictObject({
        flops: z.strictObject({
          embeddings: z.number(),
          projections: z.number(),
          scores: z.number(),
          ffn: z.number(),
          pooler: z.number(),
          heads: z.number(),
          total: z.number(),
        }),
        memory: z.strictObject({ weights: bytes, inference: bytes, training: bytes, trainingState: bytes }),
        intensity: z.strictObject({ reread: z.number(), cached: z.number() }),
      }),
      agreement: z.nullable(z.strictObject({ slots: z.int(), differences: z.array(z.string()) })),
      notes: z.array(z.string()),
    }),
  ),
})

export const paperSchema = z.strictObject({
  example: z.strictObject({
    V: z.int(),
    E: z.int(),
    H: z.int(),
    unfactorised: z.int(),
    factorised: z.int(),
    ratio: z.number(),
  }),
  tables: z.array(
    z.strictObject({
      id: z.oneOf(['sizes', 'embedding-size', 'sharing', 'depth', 'width']),
      title: z.string(),
      rows: z.array(
        z.strictObject({
          label: z.string(),
          printed: z.array(z.int()).check(z.describe('millions')),
          computed: z.record(variant, z.int()),
          follows: z.array(z.array(variant)).check(z.describe('for each printed number')),
          difference: z.int(),
          explanation: z.string(),
        }),
      ),
    }),
  ),
  variants: z.record(variant, z.string()),
  findings: z.array(z.string()),
})

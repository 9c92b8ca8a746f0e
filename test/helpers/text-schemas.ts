import * as z from 'zod'

/** Documents and lines of the commands that read text. */

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const size = z.int().min(0)
const probability = z.number().min(0).max(1)

const textFile = z.strictObject({
  output: z.string(),
  lines: size.describe('lines that were answered'),
  bad: size.describe('lines that could not be used'),
  errors: z.string().nullable().describe('the file that they went to'),
  runner: z.string().describe('what ran the model'),
  resumedAt: z.int().nullable().describe('line at which an interrupted run was taken up'),
})
export const predictSchema = textFile.describe('predict -o FILE')
export const embedSchema = textFile.describe('embed -o FILE')

export const predictLineSchema = z
  .strictObject({ label: z.string(), probabilities: z.record(z.string(), probability) })
  .describe('a line of predict --format jsonl')

export const embedLineSchema = z
  .union([
    z.strictObject({ vector: z.array(z.number()) }),
    z.strictObject({ text: z.string(), cosine: z.number() }).describe('with --cosine'),
  ])
  .describe('a line of embed --format jsonl')

export const similaritySchema = z
  .strictObject({ texts: z.tuple([z.string(), z.string()]), pooling: z.enum(['mean', 'pooled']), cosine: z.number() })
  .describe('embed --text A --text B')

export const badLineSchema = z
  .strictObject({ line: z.int(), reason: z.string(), content: z.string() })
  .describe('a line of --errors')

const file = z.strictObject({ file: z.string(), sha256, bytes: size, lines: size })
export const shardSchema = z
  .strictObject({
    directory: z.string(),
    skipped: z.boolean().describe('true where the shard was there already'),
    format: z.literal('albertkit-shard'),
    version: z.literal(1),
    command: z.enum(['predict', 'evaluate', 'embed']),
    options: z.record(z.string(), z.unknown()),
    model: z.strictObject({ sha256 }),
    input: z.strictObject({ sha256, bytes: size, lines: size }),
    shard: z.strictObject({
      index: size,
      count: z.int().min(1),
      offset: size,
      bytes: size,
      firstLine: z.int().min(1),
      lines: size,
      sha256,
    }),
    output: file,
    errors: file.nullable(),
  })
  .describe('predict, evaluate or embed with --shard')

const mistake = z.strictObject({
  line: z.int(),
  text: z.string(),
  label: z.string(),
  predicted: z.string(),
  probability,
  loss: z.number(),
})
const evaluation = z.strictObject({
  lines: size,
  accuracy: probability,
  loss: z.number().describe("mean over the lines: run_classifier's eval_loss"),
  batchLoss: z.number().describe("mean over batches of eight: run_classifier's loss"),
  labels: z.array(z.string()),
  classes: z.array(
    z.strictObject({
      label: z.string(),
      support: size,
      predicted: size,
      precision: probability,
      recall: probability,
      f1: probability,
    }),
  ),
  confusion: z.array(z.array(size)).describe('rows: the label of the line; columns: what was predicted'),
  worst: z.array(mistake),
  confident: z.array(mistake),
  warnings: z.array(z.string()),
  bad: size,
})

export const evaluateSchema = evaluation.extend({
  runner: z.string(),
  globalStep: z.int().nullable(),
  comparison: z
    .strictObject({
      other: z.string(),
      lines: size,
      different: z.array(
        z.strictObject({
          line: z.int(),
          label: z.string().nullable(),
          first: z.string(),
          second: z.string(),
          text: z.string(),
        }),
      ),
    })
    .optional(),
})

export const mergeSchema = z.union([
  z.strictObject({
    command: z.enum(['predict', 'embed']),
    shards: z.int(),
    inputLines: size,
    output: file,
    errors: file.nullable(),
  }),
  z.strictObject({ command: z.literal('evaluate'), shards: z.int(), inputLines: size, evaluation }),
])

export const queueSubmitSchema = z.strictObject({
  queue: z.string(),
  id: z.string(),
  shards: z.int(),
  lines: size,
  directory: z.string(),
  output: z.string(),
  existed: z.boolean().describe('true where the same request was in the queue already'),
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
      reason: z.string().nullable(),
    }),
  ),
})

export const tokenizeLineSchema = z
  .strictObject({
    tokens: z.array(z.string()),
    ids: z.array(z.int()),
    offsets: z.array(z.tuple([z.int(), z.int()]).nullable()).describe('in code points; null for a special token'),
  })
  .describe('a line of tokenize --json')

export const tokenizeSchema = z
  .strictObject({ file: z.string(), records: size, maxSeqLength: z.int(), bad: size })
  .describe('tokenize --to tfrecord')

export const featuresLineSchema = z
  .strictObject({
    tokens: z.array(z.string()),
    input_ids: z.array(z.int()),
    input_mask: z.array(z.int()),
    segment_ids: z.array(z.int()),
    label_id: z.number().nullable(),
    label: z.string().nullable(),
    is_real_example: z.boolean(),
  })
  .describe('a line of tokenize --from tfrecord --json')

export const fillMaskSchema = z.strictObject({
  text: z.string(),
  masks: z.array(
    z.strictObject({
      position: z.int().describe('token of the input, [CLS] being 0'),
      candidates: z.array(z.strictObject({ token: z.string(), id: z.int(), probability })),
    }),
  ),
})

export const sentenceOrderSchema = z.strictObject({
  inOrder: z.boolean(),
  probabilities: z.strictObject({ inOrder: probability, swapped: probability }),
})

export const TEXT_SCHEMAS = {
  predict: predictSchema,
  'predict-line': predictLineSchema,
  evaluate: evaluateSchema,
  embed: embedSchema,
  'embed-line': embedLineSchema,
  similarity: similaritySchema,
  'bad-line': badLineSchema,
  shard: shardSchema,
  merge: mergeSchema,
  'queue-submit': queueSubmitSchema,
  'queue-work': queueWorkSchema,
  'queue-status': queueStatusSchema,
  tokenize: tokenizeSchema,
  'tokenize-line': tokenizeLineSchema,
  'features-line': featuresLineSchema,
  'fill-mask': fillMaskSchema,
  'sentence-order': sentenceOrderSchema,
}

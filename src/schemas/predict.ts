import * as z from '../vendor/zod.js'
import { notes, probability, size } from './common.js'

/** Documents and lines of `predict` and `embed`. */

const textFile = z.strictObject({
  output: z.string(),
  lines: size.check(z.describe('lines that were answered')),
  bad: size.check(z.describe('lines that could not be used')),
  errors: z.nullable(z.string()).check(z.describe('file that they were written to')),
  runner: z.string().check(z.describe('runtime that ran the model')),
  resumedAt: z.nullable(z.int()).check(z.describe('line at which an interrupted run was resumed')),
  notes,
})

export const predictSchema = textFile.check(z.describe('predict -o FILE'))

const steps = z
  .array(z.string())
  .check(z.describe('what makes vectors of texts, in order: prompt, pooling, modules of sentence-transformers'))

export const embedSchema = z.extend(textFile, { steps }).check(z.describe('embed -o FILE'))

/** Characters of the text, Unicode code points: the first, and the one after the last. */
const place = { start: size, end: size }

export const predictLineSchema = z
  .union([
    z.strictObject({ label: z.string(), probabilities: z.record(z.string(), probability) }),
    z
      .strictObject({ labels: z.array(z.string()), probabilities: z.record(z.string(), probability) })
      .check(z.describe('several labels at once, or one score: labels of probability 0.5 and more')),
    z.strictObject({ scores: z.record(z.string(), z.number()) }).check(z.describe('a regression')),
    z
      .strictObject({
        tokens: z.array(z.strictObject({ token: z.string(), ...place, tag: z.string(), probability })),
        spans: z.optional(z.array(z.strictObject({ type: z.string(), text: z.string(), ...place, probability }))),
      })
      .check(z.describe('token classification; spans if the tags are B-, I-, …')),
    z
      .strictObject({
        id: z.optional(z.string()),
        answer: z.string(),
        ...place,
        probability,
        null_difference: z
          .nullable(z.number())
          .check(z.describe('how far the logits of no answer exceed those of the answer (SQuAD 2)')),
      })
      .check(z.describe('question answering; answer is empty if there is none')),
  ])
  .check(z.describe('a line of predict --format jsonl'))

export const embedLineSchema = z
  .union([
    z.strictObject({ vector: z.array(z.number()) }),
    z.strictObject({ text: z.string(), cosine: z.number() }).check(z.describe('with --cosine')),
  ])
  .check(z.describe('a line of embed --format jsonl'))

export const similaritySchema = z
  .strictObject({
    texts: z.tuple([z.string(), z.string()]),
    steps,
    cosine: z.number(),
    notes,
  })
  .check(z.describe('embed --text A --text B'))

export const badLineSchema = z
  .strictObject({ line: z.int(), reason: z.string(), content: z.string() })
  .check(z.describe('a line of --errors'))

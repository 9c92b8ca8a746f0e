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

export const predictLineSchema = z
  .union([
    z.strictObject({ label: z.string(), probabilities: z.record(z.string(), probability) }),
    z
      .strictObject({ labels: z.array(z.string()), probabilities: z.record(z.string(), probability) })
      .check(z.describe('several labels at once, or one score: labels of probability 0.5 and more')),
    z.strictObject({ scores: z.record(z.string(), z.number()) }).check(z.describe('a regression')),
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

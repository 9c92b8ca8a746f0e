import * as z from '../vendor/zod.js'
import { notes, probability, size } from './common.js'

/** Document of `evaluate`. */

const mistake = z.strictObject({
  line: z.int(),
  text: z.string(),
  label: z.string(),
  predicted: z.string(),
  probability,
  crossEntropy: z.number(),
})

const missed = z
  .optional(z.array(z.string()))
  .check(z.describe('scores below those that were asked for, with --min-accuracy or --min-f1'))

const score = z.strictObject({ precision: probability, recall: probability, f1: probability })
const classScore = z.strictObject({ label: z.string(), support: size, predicted: size, ...score.shape })

export const evaluation = z.strictObject({
  lines: size,
  accuracy: probability,
  loss: z.number().check(z.describe("mean over the lines: run_classifier's eval_loss")),
  batchLoss: z.number().check(z.describe("mean over batches of eight: run_classifier's loss")),
  labels: z.array(z.string()),
  classes: z.array(classScore),
  confusion: z.array(z.array(size)).check(z.describe('rows: label of the line; columns: predicted label')),
  worst: z.array(mistake),
  confident: z.array(mistake),
  warnings: z.array(z.string()),
  bad: size,
})

const oneLabelSchema = z.extend(evaluation, {
  missed,
  notes,
  runner: z.string(),
  globalStep: z.nullable(z.int()),
  comparison: z.optional(
    z.strictObject({
      other: z.string(),
      lines: size,
      different: z.array(
        z.strictObject({
          line: z.int(),
          label: z.nullable(z.string()),
          first: z.string(),
          second: z.string(),
          text: z.string(),
        }),
      ),
    }),
  ),
})

const common = { bad: size, notes, runner: z.string(), missed }
const others = { lines: size, ...common }

const severalLabelsSchema = z
  .strictObject({
    ...others,
    exactMatch: probability.check(z.describe('lines with all labels right')),
    micro: score,
    macro: score,
    labels: z.array(z.string()),
    classes: z.array(classScore),
  })
  .check(z.describe('several labels at once, a class counting from a probability of 0.5'))

const regressionSchema = z
  .strictObject({ ...others, pearson: z.number(), spearman: z.number(), mse: z.number(), mae: z.number() })
  .check(z.describe('a regression'))

const spanScores = z.strictObject({ micro: score, macro: score, types: z.array(classScore) })
const tagsSchema = z
  .strictObject({
    ...common,
    sentences: size,
    words: size,
    accuracy: probability.check(z.describe('words with the right tag')),
    loss: z.number(),
    spans: z.nullable(spanScores).check(z.describe('null if the tags are not those of spans')),
    truncatedWords: size,
  })
  .check(z.describe('tags of words'))

const answers = { questions: size, exactMatch: probability, f1: probability }
const answersSchema = z
  .strictObject({
    ...common,
    ...answers,
    withAnswer: z.strictObject(answers),
    withoutAnswer: z.strictObject(answers),
  })
  .check(z.describe('answers to questions'))

export const evaluateSchema = z.union([
  oneLabelSchema,
  severalLabelsSchema,
  regressionSchema,
  tagsSchema,
  answersSchema,
])

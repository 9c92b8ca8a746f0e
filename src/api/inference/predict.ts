import { largestOf } from '../../base/largest.js'
import { fieldsLine } from '../../base/escape.js'
import { toJsonLine } from '../../base/json-text.js'
import { classReading, type ClassReading } from '../../model/problem-type.js'
import { answerOf } from '../../model/tasks.js'
import { usage } from '../../base/errors.js'
import type { BadLine, ExampleReader } from '../../text/data/examples.js'
import type { Line } from '../../text/data/lines.js'
import { argmax, float32Number, float32Text, sigmoid, softmax } from '../../text/data/numbers.js'
import type { TextModel } from './text-model.js'
import { lineEntries, type Entry } from './entries.js'
import { mapAnswers, type AnswerOptions } from './answers.js'

/** Prediction of a classifier for a line. */
export interface Prediction {
  readonly line: number
  readonly text: string
  readonly textB: string | null
  /** Label given in the line, or null. */
  readonly given: string | null
  /** Another name of that label. */
  readonly givenName?: string | undefined
  /** Label of the largest logit. */
  readonly label: string
  /** Reading of the logits. */
  readonly reading: ClassReading
  /**
   * Probabilities of the classes, in the order of the labels: of classes that exclude each other (`softmax`), or of
   * each class by itself (`sigmoid`). With `value` the values themselves.
   */
  readonly probabilities: readonly number[]
  readonly logits: readonly number[]
}

export const PREDICTION_FORMATS = ['jsonl', 'tsv', 'csv', 'results'] as const
export type PredictionFormat = (typeof PREDICTION_FORMATS)[number]

/**
 * Names of the classes; their indices if no names are known.
 * @throws AlbertkitError `usage` if the counts differ or two classes have the same name
 */
export function labelsFor(model: TextModel, classes: number): readonly string[] {
  const labels = model.labels ?? Array.from({ length: classes }, (_, i) => String(i))
  if (labels.length !== classes)
    throw usage(`there are ${labels.length} labels, but the model has ${classes} classes`, {
      code: 'labels-mismatch',
      hint: 'give the right ones with `labels`',
    })
  const twice = labels.find((label, i) => labels.indexOf(label) !== i)
  if (twice !== undefined)
    throw usage(`two classes have the label ${twice}`, {
      code: 'labels-mismatch',
      hint: 'give distinct ones with `labels`',
    })
  return labels
}

/** Probability from which a class of several at once counts as present. */
export const THRESHOLD = 0.5

/** Labels of the classes that a text has, of several at once. */
export const labelsOf = ({ probabilities }: Pick<Prediction, 'probabilities'>, labels: readonly string[]): string[] =>
  labels.filter((_, i) => probabilities[i]! >= THRESHOLD)

const READ: Readonly<Record<ClassReading, (logits: ArrayLike<number>) => number[]>> = {
  softmax,
  sigmoid: (logits) => Array.from(logits, sigmoid),
  value: (logits) => Array.from(logits),
}

const LOGITS = { outputs: [answerOf('classify')], reduction: 'none' } as const

/** Classifies lines, in order. */
export const predictLines = (
  model: TextModel,
  lines: AsyncIterable<Line>,
  reader: ExampleReader,
  options: AnswerOptions = {},
): AsyncGenerator<Prediction | BadLine> => predictEntries(model, lineEntries(lines, reader, model.limits), options)

/** Classifies the examples of an input, in order. */
export function predictEntries(
  model: TextModel,
  entries: AsyncIterable<Entry>,
  options: AnswerOptions = {},
): AsyncGenerator<Prediction | BadLine> {
  let labels: readonly string[] | undefined
  return mapAnswers(model, LOGITS, entries, options, ({ example, values }): Prediction => {
    labels ??= labelsFor(model, values.length)
    const reading = classReading(model.problem, values.length)
    return {
      line: example.line,
      text: example.text,
      textB: example.textB,
      given: example.label,
      givenName: example.labelName,
      label: labels[argmax(values)]!,
      reading,
      probabilities: READ[reading](values),
      logits: [...values],
    }
  })
}

/**
 * Formats a prediction as a line of output: one label and its probability, the labels of several at once and the
 * probability of each class, or the values of a regression.
 */
export function predictionLine(p: Prediction, labels: readonly string[], format: PredictionFormat): string {
  if (format === 'results') return p.probabilities.map(float32Text).join('\t')
  const { reading, label, probabilities } = p
  const present = reading === 'sigmoid' ? labelsOf(p, labels) : []
  const named = Object.fromEntries(labels.map((name, i) => [name, float32Number(probabilities[i]!)]))
  if (format !== 'jsonl') {
    if (reading === 'softmax') return fieldsLine(format, [label, float32Text(largestOf(probabilities))])
    const values = probabilities.map(float32Text)
    if (reading === 'value') return format === 'csv' ? fieldsLine(format, values) : values.join(',')
    return fieldsLine(format, [present.join(','), values.join(',')])
  }
  if (reading === 'value') return toJsonLine({ scores: named })
  return toJsonLine(reading === 'sigmoid' ? { labels: present, probabilities: named } : { label, probabilities: named })
}

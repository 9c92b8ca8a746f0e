import { usage, type AlbertkitError } from '../../base/errors.js'
import { classIndexOf } from '../../text/data/classes.js'
import { isBad, type BadLine } from '../../text/data/examples.js'
import { crossEntropy, float32Text } from '../../text/data/numbers.js'
import { scoreOf } from './class-scores.js'
import type { Prediction } from './predict.js'
import type { ClassScore, Evaluation, Mistake } from './report.js'

/** run_classifier's default. */
const EVAL_BATCH = 8
const SHOWN = 10

function scores(labels: readonly string[], confusion: readonly (readonly number[])[]): ClassScore[] {
  return labels.map((label, i) => {
    const right = confusion[i]![i]!
    const support = confusion[i]!.reduce((a, b) => a + b, 0)
    const predicted = confusion.reduce((sum, row) => sum + row[i]!, 0)
    return { label, support, predicted, ...scoreOf({ right, predicted, support }) }
  })
}

function warn(evaluation: Pick<Evaluation, 'accuracy' | 'lines'>, classes: readonly ClassScore[]): string[] {
  const { accuracy, lines } = evaluation
  const all = classes.find(({ predicted }) => predicted === lines)
  const warnings: string[] = []
  if (all !== undefined && classes.filter((c) => c.support > 0).length > 1)
    warnings.push(
      `every line is predicted as ${all.label}: check that the classifier is trained and the labels are the model's`,
    )
  // Two standard deviations of random guessing.
  const chance = 1 / classes.length
  const spread = 2 * Math.sqrt((chance * (1 - chance)) / lines)
  if (accuracy <= chance + spread)
    warnings.push(
      `the accuracy is no better than chance (${(100 * chance).toFixed(1)} %): ` +
        '`albertkit weights` shows which variables are untrained',
    )
  return warnings
}

const notOneLabel = (): AlbertkitError =>
  usage('a model of several labels at once, or of a regression, is evaluated as a whole file', {
    code: 'option-conflict',
    hint: 'run `albertkit evaluate` without shards',
  })

const noKnownLabel = (): AlbertkitError =>
  usage('no line has a label that the model knows', {
    code: 'labels-mismatch',
    hint: 'a line is label<TAB>text (`inputFormat: tsv`); `labels` names the classes, `labelColumn` the column',
  })

/**
 * Scores predictions of labelled lines.
 * @throws AlbertkitError `usage` if no line has a label that the model knows
 */
export async function evaluate(
  predictions: AsyncIterable<Prediction | BadLine>,
  labels: (classes: number) => readonly string[],
  onBad: (bad: BadLine) => void = () => undefined,
): Promise<Evaluation> {
  let names: readonly string[] = []
  let confusion: number[][] = []
  let [lines, right, loss, bad] = [0, 0, 0, 0]
  const batches: number[] = []
  const batch: number[] = []
  const mistakes: Mistake[] = []
  const keep = (by: (m: Mistake) => number): Mistake[] => [...mistakes].sort((a, b) => by(b) - by(a)).slice(0, SHOWN)
  for await (const p of predictions) {
    if (isBad(p)) {
      bad++
      onBad(p)
      continue
    }
    if (p.reading !== 'softmax') throw notOneLabel()
    if (names.length === 0) {
      names = labels(p.logits.length)
      confusion = names.map(() => names.map(() => 0))
    }
    const expected = p.given === null ? -1 : (classIndexOf(names, p.given, p.givenName) ?? -1)
    if (expected === -1) {
      bad++
      const reason = p.given === null ? 'the line has no label' : `the model does not know the label ${p.given}`
      onBad({ line: p.line, reason, content: p.text })
      continue
    }
    const own = crossEntropy(p.logits, expected)
    const predicted = names.indexOf(p.label)
    confusion[expected]![predicted]! += 1
    lines++
    loss += own
    batch.push(own)
    if (batch.length === EVAL_BATCH) batches.push(batch.splice(0).reduce((a, b) => a + b) / EVAL_BATCH)
    if (predicted === expected) {
      right++
      continue
    }
    mistakes.push({
      line: p.line,
      text: p.text,
      label: names[expected]!,
      predicted: p.label,
      probability: p.probabilities[predicted]!,
      crossEntropy: own,
    })
    if (mistakes.length > 100 * SHOWN)
      mistakes.splice(0, mistakes.length, ...new Set([...keep((m) => m.crossEntropy), ...keep((m) => m.probability)]))
  }
  if (lines === 0) throw noKnownLabel()
  if (batch.length > 0) batches.push(batch.reduce((a, b) => a + b) / batch.length)
  const classes = scores(names, confusion)
  const accuracy = right / lines
  return {
    lines,
    accuracy,
    loss: loss / lines,
    batchLoss: batches.reduce((a, b) => a + b, 0) / batches.length,
    labels: names,
    classes,
    confusion,
    worst: keep((m) => m.crossEntropy),
    confident: keep((m) => m.probability),
    warnings: warn({ accuracy, lines }, classes),
    bad,
  }
}

/** Text of `eval_results.txt` as run_classifier writes it: float32 numbers, keys in alphabetical order. */
export function evalResults(e: Evaluation, globalStep: number | null): string {
  const lines = [`eval_accuracy = ${float32Text(e.accuracy)}`, `eval_loss = ${float32Text(e.loss)}`]
  if (globalStep !== null) lines.push(`global_step = ${globalStep}`)
  return `${[...lines, `loss = ${float32Text(e.batchLoss)}`].join('\n')}\n`
}

import { isBad, type BadLine } from '../../text/data/examples.js'
import { usage } from '../../base/errors.js'
import { THRESHOLD, type Prediction } from './predict.js'
import { scoreOf, type Counts } from './class-scores.js'
import type { ClassScore, MultiLabelScores } from './report.js'

const add = (a: Counts, b: Counts): Counts => ({
  right: a.right + b.right,
  predicted: a.predicted + b.predicted,
  support: a.support + b.support,
})

/** Words of a line with several labels, which `,`, `|` or spaces join. */
const labelWords = (given: string): string[] => given.split(/\s*[,|]\s*|\s+/).filter((word) => word !== '')

/**
 * Labels that a line names, if `known` are those of the model; without any, or with others, as they are written.
 */
export function namedLabels(given: string, known: readonly string[] | null): string[] {
  const isNamed = known === null ? null : givenClasses(given, known)
  return isNamed === null ? labelWords(given.trim()) : known!.filter((_, i) => isNamed[i])
}

/**
 * Classes that a line names: labels joined by `,`, `|` or spaces, or a 0 or 1 for each class. Null if one is unknown.
 */
export function givenClasses(given: string, labels: readonly string[]): boolean[] | null {
  const trimmed = given.trim()
  if (trimmed === '') return labels.map(() => false)
  const whole = labels.indexOf(trimmed)
  const words = whole !== -1 ? [trimmed] : labelWords(trimmed)
  const known = words.every((word) => labels.includes(word))
  if (known) return labels.map((label) => words.includes(label))
  return words.length === labels.length && words.every((word) => word === '0' || word === '1')
    ? words.map((word) => word === '1')
    : null
}

/**
 * Scores a classifier of several labels at once: a class counts as predicted from a probability of 0.5. `micro` counts
 * all classes together, `macro` is the mean over the classes.
 * @throws AlbertkitError `usage` if no line has labels that the model knows
 */
export async function evaluateLabels(
  predictions: AsyncIterable<Prediction | BadLine>,
  labelsFor: (classes: number) => readonly string[],
  onBad: (bad: BadLine) => void,
): Promise<MultiLabelScores> {
  let labels: readonly string[] = []
  let counts: Counts[] = []
  let [lines, exact, bad] = [0, 0, 0]
  for await (const p of predictions) {
    if (isBad(p)) {
      bad++
      onBad(p)
      continue
    }
    if (labels.length === 0) {
      labels = labelsFor(p.probabilities.length)
      counts = labels.map(() => ({ right: 0, predicted: 0, support: 0 }))
    }
    const given = p.given === null ? null : givenClasses(p.given, labels)
    if (given === null) {
      bad++
      const reason = p.given === null ? 'the line has no labels' : `the model does not know the labels ${p.given}`
      onBad({ line: p.line, reason, content: p.text })
      continue
    }
    const found = p.probabilities.map((probability) => probability >= THRESHOLD)
    counts = counts.map((before, i) =>
      add(before, {
        right: Number(found[i]! && given[i]!),
        predicted: Number(found[i]!),
        support: Number(given[i]!),
      }),
    )
    lines++
    if (found.every((is, i) => is === given[i])) exact++
  }
  if (lines === 0)
    throw usage('no line has labels that the model knows', {
      code: 'labels-mismatch',
      hint: 'a line is labels<TAB>text, the labels joined by commas, or a 0 or 1 for each class',
    })
  const classes: ClassScore[] = counts.map((c, i) => ({
    label: labels[i]!,
    support: c.support,
    predicted: c.predicted,
    ...scoreOf(c),
  }))
  const macro = (of: (c: ClassScore) => number): number => classes.reduce((sum, c) => sum + of(c), 0) / classes.length
  return {
    lines,
    exactMatch: exact / lines,
    micro: scoreOf(counts.reduce(add)),
    macro: { precision: macro((c) => c.precision), recall: macro((c) => c.recall), f1: macro((c) => c.f1) },
    labels,
    classes,
    bad,
  }
}

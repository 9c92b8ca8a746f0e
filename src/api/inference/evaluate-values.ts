import { isBad, type BadLine } from '../../text/data/examples.js'
import { usage } from '../../base/errors.js'
import type { Prediction } from './predict.js'
import type { RegressionScores } from './report.js'

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

/** Pearson correlation; 0 if one side is constant. */
export function pearson(a: readonly number[], b: readonly number[]): number {
  const [ma, mb] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  a.forEach((x, i) => {
    const [u, v] = [x - ma, b[i]! - mb]
    ab += u * v
    aa += u * u
    bb += v * v
  })
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb)
}

/** Ranks from 1; equal values get the mean of their ranks. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!)
  const ranked: number[] = []
  for (let start = 0; start < order.length;) {
    let end = start
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++
    for (let i = start; i < end; i++) ranked[order[i]!] = (start + end + 1) / 2
    start = end
  }
  return ranked
}

/** Spearman correlation: that of the ranks. */
export const spearman = (a: readonly number[], b: readonly number[]): number => pearson(ranks(a), ranks(b))

/**
 * Scores the values of a regression against the numbers of labelled lines, as GLUE's STS-B does.
 * @throws AlbertkitError `usage` if no line has a number, or the model has several values
 */
export async function evaluateValues(
  predictions: AsyncIterable<Prediction | BadLine>,
  onBad: (bad: BadLine) => void,
): Promise<RegressionScores> {
  const [given, found]: [number[], number[]] = [[], []]
  let bad = 0
  for await (const p of predictions) {
    if (isBad(p)) {
      bad++
      onBad(p)
      continue
    }
    if (p.probabilities.length !== 1)
      throw usage(`a regression of ${p.probabilities.length} values cannot be evaluated`, { code: 'text-unusable' })
    const number = p.given === null || p.given.trim() === '' ? NaN : Number(p.given)
    if (!Number.isFinite(number)) {
      bad++
      const reason =
        p.given === null ? 'the line has no number' : `${p.given} is no number, and the model is a regression`
      onBad({ line: p.line, reason, content: p.text })
      continue
    }
    given.push(number)
    found.push(p.probabilities[0]!)
  }
  if (given.length === 0)
    throw usage('no line has a number, and the model is a regression (problem_type)', {
      code: 'labels-mismatch',
      hint: 'a line is number<TAB>text (`inputFormat: tsv`); `labelColumn` names the column',
    })
  const differences = given.map((x, i) => found[i]! - x)
  return {
    lines: given.length,
    pearson: pearson(given, found),
    spearman: spearman(given, found),
    mse: mean(differences.map((d) => d * d)),
    mae: mean(differences.map(Math.abs)),
    bad,
  }
}

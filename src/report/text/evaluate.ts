import { escapeAll } from '../../base/escape.js'
import type {
  AnswerScore,
  AnswerScores,
  ClassScore,
  Evaluation,
  Mistake,
  ModelComparison,
  OtherEvaluationReport,
  Score,
  TagScores,
} from '../../api/inference/report.js'
import { count, percent } from '../format.js'
import { table } from '../table.js'
import { numberCell, textCell, type Cell, type DataTable } from '../tables.js'

const CLASS_HEAD = ['class', 'lines', 'predicted', 'precision', 'recall', 'F1']
const fixed = (x: number): string => x.toFixed(3)

function mistakes(title: string, list: readonly Mistake[]): string[] {
  if (list.length === 0) return []
  const rows = list.map((m) => [
    String(m.line),
    m.label,
    m.predicted,
    fixed(m.probability),
    Array.from(m.text).slice(0, 40).join(''),
  ])
  return ['', title, table(rows, { head: ['line', 'label', 'predicted', 'probability', 'text'], right: [0, 3] })]
}

const fixedCell = (x: number): Cell => numberCell(x, fixed)

function mistakesTable(title: string, list: readonly Mistake[]): DataTable[] {
  if (list.length === 0) return []
  const titles = ['line', 'label', 'predicted', 'probability', 'text']
  return [
    {
      title,
      columns: titles.map((name) => ({ title: name, number: name === 'line' || name === 'probability' })),
      rows: list.map((m) => [
        numberCell(m.line, count),
        textCell(m.label),
        textCell(m.predicted),
        fixedCell(m.probability),
        textCell(m.text),
      ]),
    },
  ]
}

/** Tables of an evaluation, for a page. */
export const evaluationTables = (e: Evaluation): DataTable[] => [
  {
    title: 'classes',
    columns: CLASS_HEAD.map((title, i) => ({ title, number: i > 0 })),
    rows: e.classes.map((c) => [
      textCell(c.label),
      numberCell(c.support, count),
      numberCell(c.predicted, count),
      ...[c.precision, c.recall, c.f1].map(fixedCell),
    ]),
  },
  ...mistakesTable('worst mistakes, by loss', e.worst),
  ...mistakesTable('most confident mistakes', e.confident),
]

/** Table of the scores of each class. */
function classTable(classes: readonly ClassScore[], unit = 'lines'): string {
  const rows = classes.map((c) => [
    c.label,
    String(c.support),
    String(c.predicted),
    fixed(c.precision),
    fixed(c.recall),
    fixed(c.f1),
  ])
  const head = CLASS_HEAD.map((title) => (title === 'lines' ? unit : title))
  return table(rows, { head, right: [1, 2, 3, 4, 5] })
}

const leftOut = (bad: number): string[] => (bad > 0 ? [`left out  ${bad} lines that could not be used`] : [])

const scoreText = ({ precision, recall, f1 }: Score): string =>
  `${f1.toFixed(4)}  (precision ${fixed(precision)}, recall ${fixed(recall)})`

function tagScoresText({ spans, ...e }: TagScores): string {
  return [
    `accuracy  ${e.accuracy.toFixed(4)}  (${count(Math.round(e.accuracy * e.words))} of ${count(e.words)} words)`,
    ...(spans === null ? [] : [`micro F1  ${scoreText(spans.micro)}`, `macro F1  ${scoreText(spans.macro)}`]),
    `loss      ${e.loss.toFixed(6)}  (${count(e.sentences)} sentences)`,
    ...(e.truncatedWords > 0 ? [`truncated  ${count(e.truncatedWords)} words have no tag`] : []),
    ...leftOut(e.bad),
    ...(spans === null ? [] : ['', classTable(spans.types, 'spans')]),
  ].join('\n')
}

function answerScoresText({ withAnswer, withoutAnswer, ...e }: AnswerScores): string {
  const line = (title: string, { questions, exactMatch, f1 }: AnswerScore): string[] =>
    questions === 0
      ? []
      : [`${title}  exact match ${exactMatch.toFixed(4)}, F1 ${f1.toFixed(4)}  (${count(questions)} questions)`]
  const parts =
    withoutAnswer.questions === 0
      ? []
      : [...line('with an answer    ', withAnswer), ...line('without an answer ', withoutAnswer)]
  return [...line(parts.length === 0 ? 'all questions' : 'all questions     ', e), ...parts, ...leftOut(e.bad)].join(
    '\n',
  )
}

/** Renders the scores of a model that does not give each text one class. */
export function otherEvaluationText(report: OtherEvaluationReport): string {
  const e = escapeAll(report)
  if ('pearson' in e)
    return [
      `pearson   ${e.pearson.toFixed(6)}`,
      `spearman  ${e.spearman.toFixed(6)}`,
      `mse       ${e.mse.toFixed(6)}`,
      `mae       ${e.mae.toFixed(6)}  (${count(e.lines)} lines)`,
      ...leftOut(e.bad),
    ].join('\n')
  if ('sentences' in e) return tagScoresText(e)
  if ('questions' in e) return answerScoresText(e)
  return [
    `exact match  ${e.exactMatch.toFixed(4)}  (${Math.round(e.exactMatch * e.lines)} of ${e.lines} lines)`,
    `micro F1     ${scoreText(e.micro)}`,
    `macro F1     ${scoreText(e.macro)}`,
    ...leftOut(e.bad),
    '',
    classTable(e.classes),
  ].join('\n')
}

/** Renders an evaluation as text. */
export function evaluateText(report: Evaluation, compared: ModelComparison | null = null): string {
  const [e, comparison] = [escapeAll(report), escapeAll(compared)]
  const confusion = e.labels.map((label, i) => [label, ...e.confusion[i]!.map((n) => (n === 0 ? '·' : String(n)))])
  return [
    `accuracy  ${e.accuracy.toFixed(4)}  (${Math.round(e.accuracy * e.lines)} of ${e.lines} lines)`,
    `loss      ${e.loss.toFixed(6)}`,
    ...leftOut(e.bad),
    ...e.warnings.map((warning) => `warning: ${warning}`),
    '',
    classTable(e.classes),
    '',
    'confusion: rows are the labels, columns what was predicted',
    table(confusion, { head: ['', ...e.labels], right: e.labels.map((_, i) => i + 1) }),
    ...mistakes('worst mistakes, by loss', e.worst),
    ...mistakes('most confident mistakes', e.confident),
    ...(comparison === null ? [] : comparisonLines(comparison)),
  ].join('\n')
}

function comparisonLines({ other, lines, different }: ModelComparison): string[] {
  const share = percent(different.length, lines)
  const title = `${different.length} of ${lines} lines (${share}) get another label from ${other}`
  if (different.length === 0) return ['', title]
  const rows = different
    .slice(0, 50)
    .map((d) => [String(d.line), d.label ?? '', d.first, d.second, Array.from(d.text).slice(0, 40).join('')])
  return ['', title, table(rows, { head: ['line', 'label', 'first', 'second', 'text'], right: [0] })]
}

import type { ArtefactFigures, BuildReport, ModelBuildReport } from '../../api/build/report.js'
import { escapeAll } from '../../base/escape.js'
import { bytes, scientific } from '../format.js'
import { numberCell, textCell, type Cell, type DataColumn, type DataTable } from '../tables.js'

/** Tables of a build: one line a model, one line an artefact. */

const seconds = (n: number): string => `${n.toFixed(1)} s`
const part = (n: number): string => `${(100 * n).toFixed(1)} %`

/** What became of a model, in capitals if it is bad. */
export const outcome = ({ status }: ModelBuildReport): string => (status === 'failed' ? 'FAILED' : status)

/** Sentences on what went wrong with a model, with the step. */
export const failures = ({ steps }: ModelBuildReport): string[] =>
  steps.flatMap(({ name, missed, error }) => [
    ...missed.map((sentence) => `${name}: ${sentence}`),
    ...(error === null ? [] : [`${name}: ${error.message}${error.file === undefined ? '' : ` (${error.file})`}`]),
    ...(error?.hint === undefined ? [] : [`hint: ${error.hint}`]),
  ])

/** One line a model: what became of it, and why. */
export function modelsTable(report: BuildReport): DataTable {
  const rows = report.models.map((model) => [
    textCell(model.name),
    textCell(outcome(model)),
    numberCell(model.seconds, seconds),
    textCell(model.why),
    textCell(model.output),
  ])
  const columns = [{ title: 'model' }, { title: 'result' }, { title: 'time', number: true }, { title: 'why' }]
  return { title: '', columns: [...columns, { title: 'output' }], rows }
}

interface FigureColumn extends DataColumn {
  readonly of: (figures: ArtefactFigures) => number | null
  readonly show: (n: number) => string
}

const FIGURES: readonly FigureColumn[] = [
  { title: 'size', number: true, of: (f) => f.bytes, show: bytes },
  { title: 'max |Δ|', number: true, of: (f) => f.maxAbs, show: scientific },
  { title: 'agreement', number: true, of: (f) => f.agreement, show: part },
  { title: 'accuracy', number: true, of: (f) => f.accuracy, show: part },
  { title: 'F1', number: true, of: (f) => f.f1, show: part },
  { title: 'p50', number: true, of: (f) => f.p50, show: (n) => `${n.toFixed(2)} ms` },
]

/** One line an artefact: its size, and how exact, right and fast it is. Figures that nothing measured have no column. */
export function figuresTable(report: BuildReport): DataTable | null {
  const all = report.models.flatMap(({ name, artefacts }) => artefacts.map((figures) => ({ name, figures })))
  if (all.length === 0) return null
  const shown = FIGURES.filter(({ of }) => all.some(({ figures }) => of(figures) !== null))
  const rows = all.map(({ name, figures }): Cell[] => [
    textCell(name),
    textCell(figures.artefact),
    ...shown.map(({ of, show }) => numberCell(of(figures), show)),
  ])
  return { title: '', columns: [{ title: 'model' }, { title: 'artefact' }, ...shown], rows }
}

const PLANNED = { planned: 'do', failed: 'FAILS', cached: 'skip', done: 'keep', left: '' } as const

/** One line a step, of a plan. */
export function planTable(report: BuildReport): DataTable {
  const rows = report.models.flatMap(({ name, steps }) =>
    steps.map((step) => [name, step.name, PLANNED[step.status], step.why ?? ''].map(textCell)),
  )
  return { title: '', columns: ['model', 'step', '', 'why'].map((title) => ({ title })), rows }
}

/** The tables of a report. */
export function buildTables(raw: BuildReport): readonly DataTable[] {
  const report = escapeAll(raw)
  const figures = figuresTable(report)
  return [report.dryRun ? planTable(report) : modelsTable(report), ...(figures === null ? [] : [figures])]
}

/** `3 models: 1 built, 2 skipped`. */
export function countsText({ models }: BuildReport): string {
  const words = ['built', 'skipped', 'planned', 'failed'] as const
  const counts = words.flatMap((status) => {
    const n = models.filter((model) => model.status === status).length
    return n === 0 ? [] : [`${n} ${status}`]
  })
  return `${models.length} model${models.length === 1 ? '' : 's'}: ${counts.join(', ')}`
}

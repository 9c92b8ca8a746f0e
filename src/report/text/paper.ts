import type { PaperReport } from '../../api/params/report.js'
import type { PaperRow, PaperTable, Variant } from '../../model/accounting/paper.js'
import { count } from '../format.js'
import { numberCell, textCell, type DataTable } from '../tables.js'

const inMillions = (n: number): string => (n / 1e6).toFixed(2)
const VARIANT_ORDER: readonly Variant[] = ['without', 'with', 'wideWithout', 'wideWith']
const SHORT: Readonly<Record<Variant, string>> = {
  without: 'no pooler',
  with: 'pooler',
  wideWithout: 'wide, no pooler',
  wideWith: 'wide, pooler',
}

function followsText({ printed, follows }: PaperRow): string {
  return follows
    .map((variants, i) => {
      const words = variants.length === 0 ? 'no way' : variants.map((v) => SHORT[v]).join(' | ')
      return printed.length > 1 ? `${printed[i] ?? ''}M: ${words}` : words
    })
    .join('; ')
}

const paperTable = ({ title, rows }: PaperTable): DataTable => ({
  title,
  columns: [
    { title: 'model' },
    { title: 'printed', number: true },
    ...VARIANT_ORDER.map((v) => ({ title: SHORT[v], number: true })),
    { title: 'Δ nearest', number: true },
    { title: 'follows from' },
  ],
  rows: rows.map((r) => [
    textCell(r.label),
    textCell(r.printed.map((n) => `${n}M`).join(' or ')),
    ...VARIANT_ORDER.map((v) => numberCell(r.computed[v], inMillions)),
    numberCell(r.difference, (n) => `${n > 0 ? '+' : ''}${inMillions(n)}`),
    textCell(followsText(r)),
  ]),
  notes: [...new Set(rows.filter((r) => r.explanation !== '').map((r) => `${r.label}: ${r.explanation}`))],
})

/** Tables of the paper with the computed values. */
export function paperReportTables({ example, tables, findings, variants }: PaperReport): DataTable[] {
  const { V, E, H, unfactorised, factorised, ratio } = example
  const all = tables.map(paperTable)
  const factorisation: DataTable = {
    title: 'Factorised embeddings (section 3.1), ALBERT xxlarge',
    columns: [{ title: '' }, { title: 'sizes' }, { title: 'parameters', number: true }],
    rows: [
      [textCell('V·H'), textCell(`${V}·${H}`), numberCell(unfactorised, count)],
      [textCell('V·E + E·H'), textCell(`${V}·${E} + ${E}·${H}`), numberCell(factorised, count)],
      [textCell('times smaller'), textCell(''), numberCell(ratio, (n) => n.toFixed(2))],
    ],
  }
  const last: DataTable = {
    title: 'How to read this',
    columns: [{ title: 'column' }, { title: 'counts, in millions' }],
    rows: [
      ...VARIANT_ORDER.map((v) => [textCell(SHORT[v]), textCell(variants[v])]),
      [textCell('Δ nearest'), textCell('printed minus the nearer of the first two, which match the released models')],
    ],
    notes: findings,
  }
  return [factorisation, ...all, last]
}

/** Table for CSV: one line for each printed number. */
export const paperCsvTable = ({ tables }: PaperReport): DataTable => ({
  title: 'paper',
  columns: ['table', 'model', 'printed', ...VARIANT_ORDER, 'follows', 'difference', 'explanation'].map((title) => ({
    title,
  })),
  rows: tables.flatMap((t) =>
    t.rows.flatMap((r) =>
      r.printed.map((printed, i) => [
        textCell(t.id),
        textCell(r.label),
        numberCell(printed * 1e6, String),
        ...VARIANT_ORDER.map((v) => numberCell(r.computed[v], String)),
        textCell((r.follows[i] ?? []).join(' ')),
        numberCell(r.difference, String),
        textCell(r.explanation),
      ]),
    ),
  ),
})

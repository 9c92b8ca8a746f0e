import type { ParamsColumn, ParamsReport } from '../../api/params/report.js'
import { bytes, count, percent, significant } from '../format.js'
import { numberCell, textCell, type Cell, type DataTable } from '../tables.js'

/** `12.3 GFLOP` */
export function flops(n: number): string {
  const units = ['', 'k', 'M', 'G', 'T', 'P']
  const at = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(n, 1)) / 3)))
  return `${significant(n / 1000 ** at)} ${units[at] ?? ''}FLOP`
}

/** `11.7 M` */
export const millions = (n: number): string =>
  n >= 1e5 ? `${(n / 1e6).toFixed(n >= 1e8 ? 1 : 2)} M` : n >= 1000 ? `${(n / 1000).toFixed(1)} k` : String(n)

/** Table of the parameters of one model, by part. */
function accountTable(c: ParamsColumn): DataTable {
  return {
    title: 'parameters',
    columns: [
      { title: 'part' },
      { title: 'one copy' },
      { title: 'copies', number: true },
      { title: 'stored', number: true },
      { title: 'share', number: true },
      { title: 'used', number: true },
    ],
    rows: [
      ...c.lines.map((l): Cell[] => [
        textCell(l.key),
        textCell(l.formula),
        numberCell(l.copies, String),
        numberCell(l.stored, count),
        { text: percent(l.stored, c.stored), value: l.stored / c.stored },
        numberCell(l.used, count),
      ]),
      [
        textCell('total'),
        textCell(''),
        textCell(''),
        numberCell(c.stored, count),
        textCell(''),
        numberCell(c.used, count),
      ],
    ],
    notes: [sharingNote(c), `stored = ${c.formula}`],
  }
}

function sharingNote({ stored, used, sharing }: ParamsColumn): string {
  const ratio = (used / stored).toFixed(2)
  return used === stored
    ? 'nothing is shared: what is stored is used once'
    : `used is ${ratio} × stored (${sharing}): sharing shrinks storage, not computation`
}

type Line = readonly [label: string, cell: (c: ParamsColumn) => Cell]

const EMBEDDING: readonly Line[] = [
  ['V·H', (c) => numberCell(c.embedding.unfactorised, count)],
  ['V·E + E·H', (c) => numberCell(c.embedding.factorised, count)],
  ['as it is', (c) => textCell(c.embedding.symbols.factorised)],
  ['times smaller', (c) => numberCell(c.embedding.ratio, (n) => `${n.toFixed(2)} ×`)],
]
const SIZES: readonly Line[] = [
  ['layers', (c) => numberCell(c.config.num_hidden_layers * c.config.inner_group_num, count)],
  ['hidden H', (c) => numberCell(c.config.hidden_size, count)],
  ['embedding E', (c) => numberCell(c.config.embedding_size, count)],
  ['intermediate I', (c) => numberCell(c.config.intermediate_size, count)],
  ['heads', (c) => numberCell(c.config.num_attention_heads, count)],
  ['vocabulary V', (c) => numberCell(c.config.vocab_size, count)],
  ['sharing', (c) => textCell(c.sharing)],
]
const PARTS: readonly Line[] = (['embeddings', 'attention', 'ffn', 'norms', 'pooler', 'heads'] as const).map((part) => [
  part === 'heads' ? 'output heads' : part === 'ffn' ? 'FFN' : part,
  (c: ParamsColumn) => numberCell(c.parts[part], count),
])
const TOTALS: readonly Line[] = [
  ['stored', (c) => numberCell(c.stored, count)],
  ['used', (c) => numberCell(c.used, count)],
  ['used / stored', (c) => numberCell(c.used / c.stored, (n) => `${n.toFixed(2)} ×`)],
]
const COSTS: readonly Line[] = [
  ['weights float32', (c) => numberCell(c.bytes.F32, bytes)],
  ['weights float16, bfloat16', (c) => numberCell(c.bytes.F16, bytes)],
  ['weights int8', (c) => numberCell(c.bytes.I8, bytes)],
  ['weights in the file', (c) => numberCell(c.fileBytes, bytes)],
  ['forward', (c) => numberCell(c.footprint.flops.total, flops)],
  ['  projections', (c) => numberCell(c.footprint.flops.projections, flops)],
  ['  scores and context', (c) => numberCell(c.footprint.flops.scores, flops)],
  ['  FFN', (c) => numberCell(c.footprint.flops.ffn, flops)],
  ['activations, inference', (c) => numberCell(c.footprint.memory.inference, bytes)],
  ['activations, training', (c) => numberCell(c.footprint.memory.training, bytes)],
  ['weights, gradients, Adam', (c) => numberCell(c.footprint.memory.trainingState, bytes)],
  ['FLOP a byte, weights re-read', (c) => numberCell(c.footprint.intensity.reread, (n) => n.toFixed(1))],
  ['FLOP a byte, weights cached', (c) => numberCell(c.footprint.intensity.cached, (n) => n.toFixed(1))],
]

function linesTable(
  title: string,
  lines: readonly Line[],
  columns: readonly ParamsColumn[],
  notes: readonly string[] = [],
): DataTable {
  const kept = lines.filter(([, cell]) => columns.some((c) => cell(c).value !== null))
  return {
    title,
    columns: [{ title: '' }, ...columns.map((c) => ({ title: c.name, number: true }))],
    rows: kept.map(([label, cell]) => [textCell(label), ...columns.map(cell)]),
    notes,
  }
}

function notesOf({ columns }: ParamsReport): string[] {
  return columns.flatMap((c) => [
    ...c.notes.map((note) => `${c.name}: ${note}`),
    ...(c.agreement === null
      ? []
      : c.agreement.differences.length === 0
        ? [`${c.name}: ${c.agreement.slots} slots of the file agree with its configuration, shape by shape`]
        : c.agreement.differences.map((d) => `${c.name}: DIFFERS: ${d}`)),
  ])
}

/** The report of `params` as tables. */
export function paramsTables(report: ParamsReport): DataTable[] {
  const { columns, workload } = report
  const [first] = columns
  const work = `batch ${workload.batch} of ${workload.sequence} tokens, ${workload.elementBytes * 8}-bit values`
  const costs = linesTable(`cost at ${work}`, COSTS, columns, [
    'FLOP: two per multiply-add of matrix products. ' +
      'Training: activations kept for the backward pass, with dropout, nothing recomputed.',
    ...notesOf(report),
  ])
  if (columns.length === 1 && first !== undefined)
    return [
      linesTable('sizes', SIZES, columns),
      linesTable('embedding factorisation', EMBEDDING, columns),
      accountTable(first),
      costs,
    ]
  return [
    linesTable('sizes', SIZES, columns),
    linesTable('embedding factorisation', EMBEDDING, columns),
    linesTable('parameters', [...PARTS, ...TOTALS], columns, [
      'stored: each distinct parameter once; used: at every layer that uses it. ' +
        'Sharing shrinks storage, not computation.',
    ]),
    costs,
  ]
}

/** One line for each model and part: for spreadsheets. */
export const paramsCsvTable = ({ columns }: ParamsReport): DataTable => ({
  title: 'parameters',
  columns: ['model', 'line', 'part', 'formula', 'copies', 'stored', 'used'].map((title) => ({ title })),
  rows: columns.flatMap((c) =>
    c.lines.map((l) => [
      textCell(c.name),
      textCell(l.key),
      textCell(l.part),
      textCell(l.formula),
      numberCell(l.copies, String),
      numberCell(l.stored, String),
      numberCell(l.used, String),
    ]),
  ),
})

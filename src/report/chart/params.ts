import type { PaperTable, Variant } from '../../model/accounting/paper.js'
import type { ParamsColumn, ParamsReport } from '../../api/params/report.js'
import { millions } from '../text/params.js'
import { PALETTES, type Look } from './look.js'
import type { Chart } from './render.js'

const PART_WORDS = {
  embeddings: 'embeddings',
  attention: 'attention',
  ffn: 'FFN',
  norms: 'LayerNorm',
  pooler: 'pooler',
  heads: 'output heads',
} as const
/** Counting methods, in the order of the paper's rows. */
const VARIANTS = ['without', 'with', 'wideWithout', 'wideWith'] as const satisfies readonly Variant[]
type Part = keyof typeof PART_WORDS
const PARTS = Object.keys(PART_WORDS) as Part[]

/** Height of one bar and the space around it. */
const STEP = 26

/** Rows for the bars by part and for the totals in one table, as a facet needs; the totals have no `part`. */
function barsOf(column: ParamsColumn) {
  const bars = PARTS.flatMap((part, order) => {
    const lines = column.lines.filter((l) => l.part === part)
    const sum = (of: 'stored' | 'used'): number => lines.reduce((total, l) => total + l[of], 0)
    return (['stored', 'used'] as const).map((kind) => ({
      model: column.name,
      kind,
      part: PART_WORDS[part],
      order,
      n: sum(kind) / 1e6,
    }))
  }).filter((bar) => bar.n > 0)
  const totals = (['stored', 'used'] as const).map((kind) => ({
    model: column.name,
    kind,
    total: column[kind] / 1e6,
    text: millions(column[kind]),
  }))
  return [...bars, ...totals]
}

/** Chart of stored and used parameters of each model, by part. */
export function paramsChart({ columns }: ParamsReport): Chart {
  const models = columns.map((c) => c.name)
  const shared = columns.some((c) => c.used > c.stored)
  const present = PARTS.filter((part) => columns.some((c) => c.parts[part] > 0)).map((part) => PART_WORDS[part])
  const y = { field: 'kind', type: 'nominal', title: null, sort: ['stored', 'used'] }
  const largest = Math.max(...columns.map((c) => c.used)) / 1e6
  return {
    name: 'parameters',
    alt: `Stored and used parameters: ${columns
      .map((c) => `${c.name} ${millions(c.stored)} stored, ${millions(c.used)} used`)
      .join('; ')}`,
    spec: {
      title: {
        text: 'Stored and used parameters',
        subtitle: shared
          ? 'Sharing layers reduces the stored parameters. A forward pass uses as many as before.'
          : 'Every layer has its own parameters: each stored parameter is used once.',
      },
      data: { values: columns.flatMap(barsOf) },
      spacing: 10,
      facet: {
        row: {
          field: 'model',
          type: 'nominal',
          sort: models,
          title: null,
          header: { labelAngle: 0, labelAlign: 'left', labelAnchor: 'middle', labelPadding: 8, labelLimit: 220 },
        },
      },
      spec: {
        width: 520,
        height: { step: STEP },
        layer: [
          {
            transform: [{ filter: 'isValid(datum.part)' }],
            mark: { type: 'bar', cornerRadius: 0 },
            encoding: {
              y,
              x: {
                field: 'n',
                type: 'quantitative',
                title: 'million parameters',
                stack: 'zero',
                scale: { domain: [0, largest * 1.14], nice: false },
                axis: { tickCount: 6 },
              },
              color: {
                field: 'part',
                type: 'nominal',
                title: null,
                scale: { domain: present },
                legend: { columns: 6 },
              },
              order: { field: 'order', type: 'quantitative' },
            },
          },
          {
            transform: [{ filter: 'isValid(datum.total)' }],
            mark: { type: 'text', align: 'left', dx: 6, baseline: 'middle', fontWeight: 600 },
            encoding: { y, x: { field: 'total', type: 'quantitative' }, text: { field: 'text' } },
          },
        ],
      },
    },
  }
}

/** Points of the chart, by printed number and counting method: relative error of the computed number in percent. */
const paperPoints = (tables: readonly PaperTable[]): object[] =>
  tables
    .filter((t) => t.id !== 'depth')
    .flatMap((t) =>
      t.rows.flatMap((r) =>
        r.printed.flatMap((printed, i) =>
          VARIANTS.map((variant) => ({
            table: t.title.replace(/ \(.*/, ''),
            row: `${r.label}  (${printed}M)`,
            off: (100 * (r.computed[variant] / 1e6 - printed)) / printed,
            outcome:
              r.follows[i]!.length === 0
                ? 'no counting method gives it'
                : r.follows[i]!.includes(variant)
                  ? 'gives the printed number'
                  : 'another counting method',
          })),
        ),
      ),
    )

/** Chart of the relative error of each counting method against the numbers printed in the paper. */
export function paperChart(tables: readonly PaperTable[], look: Look): Chart {
  const { series, muted } = PALETTES[look]
  const [blue = '', orange = ''] = series
  const points = paperPoints(tables)
  const y = { field: 'row', type: 'nominal', title: null, sort: null, axis: { grid: true } }
  return {
    name: 'paper',
    alt: 'How far the computed parameter counts are from the printed ones, in percent; all follow but ALBERT xxlarge',
    spec: {
      title: {
        text: 'The paper’s parameter counts, recomputed',
        frame: 'bounds',
        subtitle: [
          'Each dot is one counting method: with or without the pooler, positions of width E or H.',
          'Only ALBERT xxlarge does not follow from any of them.',
        ],
      },
      data: { values: points },
      facet: {
        row: {
          field: 'table',
          type: 'nominal',
          sort: null,
          title: null,
          header: { labelOrient: 'top', labelAnchor: 'start', labelPadding: 6, labelLimit: 500 },
        },
      },
      resolve: { scale: { y: 'independent' } },
      spacing: 26,
      spec: {
        width: 520,
        height: { step: 19 },
        layer: [
          { mark: { type: 'rule', color: muted, strokeDash: [3, 3] }, encoding: { x: { datum: 0 } } },
          {
            mark: { type: 'point', size: 75, opacity: 0.95 },
            encoding: {
              y,
              x: {
                field: 'off',
                type: 'quantitative',
                title: 'computed minus printed, % of printed',
                axis: { tickCount: 8 },
              },
              color: {
                field: 'outcome',
                type: 'nominal',
                title: null,
                scale: {
                  domain: ['gives the printed number', 'another counting method', 'no counting method gives it'],
                  range: [blue, `${muted}66`, orange],
                },
              },
            },
          },
        ],
      },
    },
  }
}

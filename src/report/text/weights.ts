import type { WeightsReport } from '../../api/weights/weights.js'
import { count, shape } from '../format.js'
import { numberCell, textCell, type Cell, type DataTable } from '../tables.js'

/** The report of `weights` as tables. */

const MARKS = { bad: 'BAD', warning: 'look', good: 'good' } as const
const short = (n: number): string =>
  n === 0 ? '0' : Math.abs(n) < 1e-3 || Math.abs(n) >= 1e4 ? n.toExponential(2) : n.toPrecision(3)

const verdictTable = ({ verdicts, notes }: WeightsReport): DataTable => ({
  title: 'verdict',
  columns: [{ title: '' }, { title: 'finding' }],
  rows: verdicts.map((v) => [textCell(MARKS[v.level]), textCell(v.text)]),
  notes,
})

const tensorTable = ({ tensors, initializerRange }: WeightsReport): DataTable => ({
  title: 'tensors',
  columns: [
    { title: 'variable' },
    { title: 'shape' },
    { title: 'mean', number: true },
    { title: 'std', number: true },
    { title: 'min', number: true },
    { title: 'max', number: true },
    { title: 'zeros', number: true },
    { title: 'NaN', number: true },
    { title: 'infinite', number: true },
    { title: 'state' },
  ],
  rows: tensors.map((t): Cell[] => [
    textCell(t.variable),
    textCell(shape(t.shape)),
    numberCell(t.mean, short),
    numberCell(t.std, short),
    numberCell(t.min, short),
    numberCell(t.max, short),
    numberCell(t.zeros, count),
    numberCell(t.nan, count),
    numberCell(t.inf, count),
    textCell(t.state),
  ]),
  notes: [
    `initial: statistics as before training: noise of standard deviation ${initializerRange}, biases 0, ` +
      'LayerNorms 1 and 0',
  ],
})

function rankTable({ ranks }: WeightsReport): DataTable[] {
  if (ranks === null) return []
  const { word, product } = ranks
  const rows = [
    ['word_embeddings', word] as const,
    ...(product === null ? [] : [['word_embeddings · projection', product] as const]),
  ]
  return [
    {
      title: 'does the factorisation use its dimensions?',
      columns: ['matrix', 'shape', 'possible', 'numerical rank', 'effective rank', 'stable rank'].map((title, i) => ({
        title,
        number: i > 1,
      })),
      rows: rows.map(([name, r]) => [
        textCell(name),
        textCell(shape(r.shape)),
        numberCell(r.possible, String),
        numberCell(r.numerical, String),
        numberCell(r.effective, (n) => n.toFixed(1)),
        numberCell(r.stable, (n) => n.toFixed(1)),
      ]),
      notes: [
        'effective rank: exp of the entropy of the singular values (Roy and Vetterli 2007); ' +
          'stable rank: squared Frobenius norm over the square of the largest singular value',
      ],
    },
  ]
}

const classTable = ({ classes }: WeightsReport): DataTable[] =>
  classes.length === 0
    ? []
    : [
        {
          title: 'classes',
          columns: [
            { title: 'class', number: true },
            { title: 'label' },
            { title: 'norm', number: true },
            { title: 'bias', number: true },
            { title: 'can win' },
          ],
          rows: classes.map((c) => [
            numberCell(c.index, String),
            textCell(c.label ?? ''),
            numberCell(c.norm, short),
            numberCell(c.bias, short),
            textCell(c.beatenBy === null ? 'yes' : `no: class ${c.beatenBy} is always above`),
          ]),
        },
      ]

function listTables({ against, before, heads }: WeightsReport): DataTable[] {
  const tables: DataTable[] = []
  if (heads.length > 0)
    tables.push({
      title: 'heads',
      columns: [{ title: 'head' }, { title: 'state' }],
      rows: heads.map((h) => [textCell(h.head), textCell(h.state)]),
    })
  if (against !== null && against.notProvided.length > 0)
    tables.push({
      title: `not provided for ${against.config}`,
      columns: [{ title: 'variable' }, { title: 'shape' }, { title: 'in the checkpoint' }],
      rows: against.notProvided.map((n) => [
        textCell(n.variable),
        textCell(shape(n.shape)),
        textCell(n.found === null ? 'absent' : shape(n.found)),
      ]),
    })
  if (before !== null && before.unchanged.length > 0)
    tables.push({
      title: `unchanged since ${before.checkpoint}`,
      columns: [{ title: 'variable' }],
      rows: before.unchanged.map((u) => [textCell(u.variable)]),
    })
  return tables
}

export const weightsTables = (report: WeightsReport): DataTable[] => [
  verdictTable(report),
  ...listTables(report),
  ...rankTable(report),
  ...classTable(report),
  tensorTable(report),
]

/** Table for CSV: one line per tensor. */
export const weightsCsvTable = ({ tensors }: WeightsReport): DataTable => ({
  title: 'tensors',
  columns: [
    'variable',
    'slot',
    'dtype',
    'shape',
    'count',
    'mean',
    'std',
    'min',
    'max',
    'zeros',
    'nan',
    'inf',
    'state',
  ].map((title) => ({ title })),
  rows: tensors.map((t) => [
    textCell(t.variable),
    textCell(t.slot),
    textCell(t.dtype),
    textCell(t.shape.join('x')),
    numberCell(t.count, String),
    ...[t.mean, t.std, t.min, t.max, t.zeros, t.nan, t.inf].map((n) => numberCell(n, String)),
    textCell(t.state),
  ]),
})

import type { ModelLayers } from '../../api/layers/report.js'
import { numberCell, textCell, type Cell, type DataColumn, type DataTable } from '../tables.js'

/** The report of `layers` as tables. */

const decimal = (n: number): string => (Math.abs(n) >= 100 ? n.toFixed(1) : n.toFixed(3))
const INPUT_WORDS = {
  golden: 'the inputs of a golden',
  text: 'lines of text',
  sentences: 'built-in sentences',
  drawn: 'random tokens',
} as const

const lineOfNotes = ({ model, inputs, notes }: ModelLayers): string[] => [
  `${model}: ${inputs.tokens} tokens of ${inputs.rows} rows, ${INPUT_WORDS[inputs.kind]}`,
  ...notes.map((note) => `${model}: ${note}`),
]

/** Table of the layers, one row per layer, the models side by side. */
function layerTable(models: readonly ModelLayers[]): DataTable {
  const depth = Math.max(...models.map((m) => m.layers.length))
  const several = models.length > 1
  const columns = models.flatMap(({ model }): DataColumn[] => [
    { title: several ? `L2 ${model}` : 'L2', number: true },
    { title: several ? `cosine ${model}` : 'cosine', number: true },
  ])
  return {
    title: 'what a layer does to its input',
    columns: [{ title: 'layer', number: true }, ...columns],
    rows: Array.from({ length: depth }, (_, layer): Cell[] => [
      numberCell(layer, String),
      ...models.flatMap(({ layers }) => [
        numberCell(layers[layer]?.l2 ?? null, decimal),
        numberCell(layers[layer]?.cosine ?? null, decimal),
      ]),
    ]),
    notes: [
      'L2: mean distance of input and output of a token; cosine: mean cosine of the angle between them ' +
        '(Lan et al. 2019, figure 1). Padding is excluded.',
      ...models.flatMap(lineOfNotes),
    ],
  }
}

function headTable(m: ModelLayers, several: boolean): DataTable {
  const nested = m.heads.some((h) => h.inner > 0)
  return {
    title: several ? `attention heads: ${m.model}` : 'attention heads',
    columns: [
      { title: 'layer', number: true },
      ...(nested ? [{ title: 'inner', number: true }] : []),
      { title: 'head', number: true },
      { title: 'entropy (nats)', number: true },
      { title: 'of the largest', number: true },
      { title: 'norm', number: true },
    ],
    rows: m.heads.map((h) => [
      numberCell(h.layer, String),
      ...(nested ? [numberCell(h.inner, String)] : []),
      numberCell(h.head, String),
      numberCell(h.entropy, decimal),
      numberCell(h.normalised, (n) => `${(100 * n).toFixed(1)} %`),
      numberCell(h.norm, decimal),
    ]),
    notes: [
      'entropy: 0 % attends to a single token, 100 % to all equally. norm: L2 norm of the contribution of the head ' +
        'to a token, its context times its rows of the output kernel.',
    ],
  }
}

export const layersTables = (models: readonly ModelLayers[]): DataTable[] => [
  layerTable(models),
  ...models.map((m) => headTable(m, models.length > 1)),
]

/** Table for CSV: one line for each model, layer and head; `head` is empty for a layer as a whole. */
export const layersCsvTable = (models: readonly ModelLayers[]): DataTable => ({
  title: 'layers',
  columns: ['model', 'layer', 'inner', 'head', 'l2', 'cosine', 'entropy', 'normalised', 'norm'].map((title) => ({
    title,
  })),
  rows: models.flatMap((m) => {
    const none: Cell = { text: '', value: null }
    const n = (x: number | null): Cell => numberCell(x, String)
    return [
      ...m.layers.map((l) => [textCell(m.model), n(l.layer), none, none, n(l.l2), n(l.cosine), none, none, none]),
      ...m.heads.map((h) => [
        textCell(m.model),
        n(h.layer),
        n(h.inner),
        n(h.head),
        none,
        none,
        n(h.entropy),
        n(h.normalised),
        n(h.norm),
      ]),
    ]
  }),
})

/** JSON document: the report of a single model, or `{ models }` for several. */
export const layersDocument = (models: readonly ModelLayers[]): object =>
  models.length === 1 && models[0] !== undefined ? models[0] : { models }

import type { VerifyReport } from '../../api/verify/verify.js'
import { layerName } from '../text/verify-layers.js'
import { PALETTES, type Look } from './look.js'
import type { Chart } from './render.js'

/** Cell of a heat map: the fraction of its bound that a difference uses. */
interface Cell {
  readonly row: string
  readonly column: string
  readonly facet: string
  /** log10 of the fraction of the bound, between −3 and 3. */
  readonly heat: number
  readonly text: string
  readonly wrong: boolean
}

type Found = Pick<NonNullable<VerifyReport['layers']>[number], 'maxAbs' | 'atol' | 'ok'>

function square(row: string, column: string, facet: string, { maxAbs, atol, ok }: Found): Cell {
  const part = maxAbs === null ? Infinity : maxAbs / atol
  const heat = Math.min(3, Math.max(-3, Math.log10(Math.max(part, 1e-3))))
  return {
    row,
    column,
    facet,
    heat,
    text: maxAbs === null ? 'NaN' : maxAbs === 0 ? '0' : maxAbs.toExponential(0),
    wrong: !ok,
  }
}

const unique = (values: readonly string[]): string[] => [...new Set(values)]

function heatMap(cells: readonly Cell[], x: string, look: Look): Record<string, unknown> {
  const { good, bad, background, text } = PALETTES[look]
  const color = {
    field: 'heat',
    type: 'quantitative',
    title: 'fraction of the bound',
    scale: { domain: [-3, 0, 3], range: [good, background, bad], clamp: true, interpolate: 'rgb' },
    legend: {
      labelExpr:
        "datum.value === 0 ? 'the bound' : " +
        "datum.value < 0 ? '1/' + pow(10, -datum.value) : pow(10, datum.value) + ' ×'",
      values: [-3, 0, 3],
      gradientLength: 200,
      gradientThickness: 10,
    },
  }
  return {
    width: { step: 86 },
    height: { step: 24 },
    encoding: {
      x: {
        field: 'column',
        type: 'nominal',
        sort: unique(cells.map((c) => c.column)),
        title: x,
        axis: { orient: 'top', labelAngle: 0, labelOverlap: false },
      },
      y: { field: 'row', type: 'nominal', sort: unique(cells.map((c) => c.row)), title: null },
    },
    layer: [
      { mark: { type: 'rect' }, encoding: { color } },
      {
        mark: { type: 'text', fontSize: 11 },
        encoding: {
          text: { field: 'text', type: 'nominal' },
          color: {
            condition: { test: 'datum.heat > 1.2 || datum.heat < -2.2', value: look === 'light' ? 'white' : '#0d1117' },
            value: text,
          },
        },
      },
    ],
  }
}

const verdict = ({ firstDivergent }: VerifyReport): string =>
  firstDivergent === null || firstDivergent === undefined
    ? 'Every value is within its bound.'
    : `First divergent: ${layerName(firstDivergent.layer)}` +
      `${firstDivergent.operation === null ? '' : `, ${firstDivergent.operation}`}, in ${firstDivergent.runner}.`

/** Heat map of layer × runtime: largest difference of every hidden state, coloured by the fraction of its bound. */
export function layersChart(report: VerifyReport, look: Look): Chart {
  const cells = (report.layers ?? []).map((l) => square(l.output, l.runner, '', l))
  return {
    name: 'layers',
    alt: `Largest difference after each layer in each runtime. ${verdict(report)}`,
    spec: {
      title: {
        text: 'Largest difference after each layer',
        subtitle: `${verdict(report)} Colour: difference as a fraction of its bound.`,
      },
      data: { values: cells },
      ...heatMap(cells, 'runtime', look),
    },
  }
}

/** Heat maps of layer × operation, one per runtime: each operation compared by itself. */
export function operationsChart(report: VerifyReport, look: Look): Chart {
  const cells = (report.operations ?? []).map((o) => square(layerName(o.layer), o.operation, o.runner, o))
  return {
    name: 'operations',
    alt: `Largest difference of each operation by itself, by layer. ${verdict(report)}`,
    spec: {
      title: {
        text: 'Each operation by itself',
        subtitle: `${verdict(report)} Colour: difference as a fraction of its bound.`,
      },
      data: { values: cells },
      facet: { row: { field: 'facet', type: 'nominal', title: null, sort: unique(cells.map((c) => c.facet)) } },
      spec: heatMap(cells, 'operation', look),
    },
  }
}

/** The pictures of `--layers` and `--bisect`. */
export const verifyCharts = (report: VerifyReport): ((look: Look) => Chart)[] => [
  (look) => layersChart(report, look),
  ...((report.operations ?? []).length > 0 ? [(look: Look) => operationsChart(report, look)] : []),
]

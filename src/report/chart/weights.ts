import type { WeightsReport } from '../../api/weights/weights.js'
import { PALETTES, type Look } from './look.js'
import type { Chart } from './render.js'

/** Largest number of rows that is still legible. */
const ROWS = 44

/** Chart of range and standard deviation of each tensor. */
export function tensorsChart({ model, tensors }: WeightsReport, look: Look): Chart {
  const { series, muted } = PALETTES[look]
  const finite = tensors.filter((t) => t.mean !== null && t.std !== null)
  const kernels = finite.length <= ROWS ? finite : finite.filter((t) => t.shape.length > 1)
  const shown = kernels.slice(0, ROWS)
  const values = shown.map((t) => ({
    variable: t.slot.replace(/^encoder\//, ''),
    min: t.min,
    max: t.max,
    low: t.mean! - t.std!,
    high: t.mean! + t.std!,
    mean: t.mean,
  }))
  const y = { field: 'variable', type: 'nominal', sort: null, title: null, axis: { labelFontSize: 11 } }
  return {
    name: 'tensors',
    alt: `Smallest and largest value, mean and standard deviation of ${shown.length} tensors of ${model}`,
    spec: {
      title: {
        text: `The weights of ${model}`,
        frame: 'bounds',
        subtitle: [
          'Thin: from the smallest to the largest value. Thick: one standard deviation around the mean.',
          ...(shown.length < tensors.length ? [`${shown.length} of ${tensors.length} tensors`] : []),
        ],
      },
      data: { values },
      width: 520,
      height: { step: 16 },
      layer: [
        { mark: { type: 'rule', color: muted, strokeDash: [3, 3] }, encoding: { x: { datum: 0 } } },
        {
          mark: { type: 'rule', color: muted, strokeWidth: 1 },
          encoding: {
            y,
            x: { field: 'min', type: 'quantitative', title: 'value', scale: { nice: true }, axis: { tickCount: 7 } },
            x2: { field: 'max' },
          },
        },
        {
          mark: { type: 'rule', color: series[0], strokeWidth: 6 },
          encoding: { y, x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' } },
        },
        {
          mark: { type: 'point', color: series[1], size: 26 },
          encoding: { y, x: { field: 'mean', type: 'quantitative' } },
        },
      ],
    },
  }
}

/** Chart of the singular values of the word embeddings and of their product with the projection, largest = 1. */
export function spectrumChart({ model, ranks }: WeightsReport): Chart | null {
  if (ranks === null) return null
  const matrices = [
    { name: 'word_embeddings', of: ranks.word },
    ...(ranks.product === null ? [] : [{ name: 'word_embeddings · projection', of: ranks.product }]),
  ]
  const values = matrices.flatMap(({ name, of }) =>
    of.singular.flatMap((x, i) =>
      of.singular[0]! > 0 ? [{ matrix: name, index: i + 1, value: x / of.singular[0]! }] : [],
    ),
  )
  const names = matrices.map((m) => m.name)
  return {
    name: 'spectrum',
    alt:
      `Singular values of the word embeddings of ${model}: ` +
      `effective rank ${ranks.word.effective.toFixed(1)} of ${ranks.word.possible}`,
    spec: {
      title: {
        text: 'Does the factorisation use its dimensions?',
        subtitle: matrices.map(
          ({ name, of }) =>
            `${name}: rank ${of.numerical} of ${of.possible}, effective rank ${of.effective.toFixed(1)}`,
        ),
      },
      data: { values },
      width: 560,
      height: 280,
      mark: { type: 'line' },
      encoding: {
        x: {
          field: 'index',
          type: 'quantitative',
          title: 'singular value, the largest first',
          scale: { domain: [1, ranks.word.possible], nice: false },
          axis: { tickMinStep: 1, format: 'd' },
        },
        y: { field: 'value', type: 'quantitative', title: 'fraction of the largest', scale: { domain: [0, 1] } },
        color: {
          field: 'matrix',
          type: 'nominal',
          title: null,
          sort: names,
          scale: { domain: names },
          legend: { symbolType: 'stroke' },
        },
      },
    },
  }
}

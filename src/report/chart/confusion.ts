import type { Evaluation } from '../../api/inference/report.js'
import { PALETTES, type Look } from './look.js'
import type { Chart } from './render.js'

/** Heat map of the confusion matrix: colour is the share of a row, labels are counts. */
export function confusionChart({ labels, confusion, accuracy, lines }: Evaluation, look: Look): Chart {
  const { background, ramp, text } = PALETTES[look]
  const values = labels.flatMap((label, i) => {
    const total = confusion[i]!.reduce((a, b) => a + b, 0)
    return labels.map((predicted, j) => ({
      label,
      predicted,
      count: confusion[i]![j]!,
      share: total === 0 ? 0 : confusion[i]![j]! / total,
    }))
  })
  const size = Math.max(30, Math.min(60, Math.round(560 / labels.length)))
  const axis = { labelAngle: 0, labelOverlap: false }
  return {
    name: 'confusion',
    alt:
      `Confusion matrix of ${lines} lines, accuracy ${accuracy.toFixed(3)}: ` +
      'rows are the labels, columns the predictions.',
    spec: {
      title: { text: 'Confusion matrix', subtitle: `${lines} lines, accuracy ${(100 * accuracy).toFixed(1)} %` },
      width: { step: size },
      height: { step: size },
      data: { values },
      encoding: {
        x: { field: 'predicted', type: 'nominal', sort: [...labels], title: 'predicted', axis },
        y: { field: 'label', type: 'nominal', sort: [...labels], title: 'label' },
      },
      layer: [
        {
          mark: { type: 'rect' },
          encoding: {
            // A count of 0 has the colour of the background, not the lightest shade of the scale.
            color: {
              condition: { test: 'datum.count === 0', value: background },
              field: 'share',
              type: 'quantitative',
              title: 'share of row',
              scale: { range: ramp, domain: [0, 1] },
              legend: { format: '.0%', values: [0, 0.5, 1] },
            },
          },
        },
        {
          transform: [{ filter: 'datum.count > 0' }],
          mark: { type: 'text', fontSize: 11 },
          encoding: {
            text: { field: 'count', type: 'quantitative' },
            color: { condition: { test: 'datum.share > 0.4', value: background }, value: text },
          },
        },
      ],
    },
  }
}

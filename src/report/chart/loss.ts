import type { TrainReport } from '../../api/finetune/report.js'
import { PALETTES, type Look } from './look.js'
import type { Chart } from './render.js'

/** Points of the moving mean of the loss. */
const WINDOW = 10

/** Loss curve of a training run: every step, their moving mean, and the loss of each evaluation. */
export function lossChart({ steps, evaluations, totalSteps }: TrainReport, look: Look): Chart {
  const { series, muted } = PALETTES[look]
  const values = steps.map(({ step, loss }, i) => {
    const recent = steps.slice(Math.max(0, i + 1 - WINDOW), i + 1)
    return { step, loss, mean: recent.reduce((sum, one) => sum + one.loss, 0) / recent.length }
  })
  const dev = evaluations.flatMap(({ step, metrics }) =>
    metrics.loss === undefined ? [] : [{ step, loss: metrics.loss }],
  )
  const x = { field: 'step', type: 'quantitative', title: 'step', scale: { domain: [0, totalSteps] } }
  const y = (field: string) => ({ field, type: 'quantitative', title: 'loss', scale: { zero: true } })
  return {
    name: 'loss',
    alt: `Loss of ${steps.length} training steps and ${dev.length} evaluations.`,
    spec: {
      title: { text: 'Training', subtitle: `loss of each step, its mean over ${WINDOW}, evaluations as points` },
      width: 560,
      height: 260,
      layer: [
        {
          data: { values },
          mark: { type: 'line', strokeWidth: 1, opacity: 0.5, color: muted },
          encoding: { x, y: y('loss') },
        },
        {
          data: { values },
          mark: { type: 'line', strokeWidth: 2, color: series[0] },
          encoding: { x, y: y('mean') },
        },
        {
          data: { values: dev },
          mark: { type: 'line', strokeWidth: 2, color: series[1], point: { color: series[1], size: 40 } },
          encoding: { x, y: y('loss') },
        },
      ],
    },
  }
}

import type { ModelLayers } from '../../api/layers/report.js'
import { PALETTES, type Look } from './look.js'
import type { Chart } from './render.js'

/** Width of each of two panels side by side. */
const PANEL = 330

const namesOf = (models: readonly ModelLayers[]): string[] => models.map((m) => m.model)

/** Upper end of an axis that contains `largest` and has a few round steps. */
function axisEnd(largest: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(largest, 1e-9) / 4))
  const step = [1, 2, 5, 10].find((s) => s * power * 7 >= largest) ?? 10
  return Math.ceil(largest / (step * power)) * step * power
}

/** L2 distance and cosine similarity of each layer's input and output (Lan et al. 2019, figure 1). */
export function layersChart(models: readonly ModelLayers[]): Chart {
  const names = namesOf(models)
  const deepest = Math.max(...models.map((m) => m.layers.length))
  const least = Math.min(...models.flatMap((m) => m.layers.map((l) => l.cosine)))
  const farthest = Math.max(...models.flatMap((m) => m.layers.map((l) => l.l2)))
  const values = models.flatMap((m) => m.layers.map((l) => ({ ...l, model: m.model })))
  const x = {
    field: 'layer',
    type: 'quantitative',
    title: 'layer',
    scale: { domain: [0, Math.max(1, deepest - 1)], nice: false, padding: 8 },
    axis: { tickMinStep: 1, tickCount: Math.min(deepest, 12), format: 'd' },
  }
  const color = {
    field: 'model',
    type: 'nominal',
    title: null,
    sort: names,
    scale: { domain: names },
    legend: names.length === 1 ? null : { symbolType: 'circle', columns: 4 },
  }
  const panel = (field: 'l2' | 'cosine', title: string, scale: object) => ({
    width: PANEL,
    height: 260,
    title: { text: title, fontSize: 13.5, fontWeight: 500, offset: 8, frame: 'group' },
    mark: { type: 'line', point: { size: 44, filled: true } },
    encoding: { x, y: { field, type: 'quantitative', title: null, scale, axis: { tickCount: 6 } }, color },
  })
  const one = models.length === 1 ? models[0] : undefined
  return {
    name: 'layers',
    alt: `L2 distance and cosine similarity of the input and output of each layer: ${models
      .map(({ model, layers }) => {
        const [first, last] = [layers[0], layers[layers.length - 1]]
        const from = `${first?.l2.toFixed(2) ?? ''} and ${first?.cosine.toFixed(3) ?? ''}`
        return `${model} from ${from} to ${last?.l2.toFixed(2) ?? ''} and ${last?.cosine.toFixed(3) ?? ''}`
      })
      .join('; ')}`,
    spec: {
      title: {
        text: one === undefined ? 'Input and output of each layer' : `Input and output of each layer of ${one.model}`,
        subtitle: 'Output of a layer compared with its input, mean over tokens without padding',
      },
      data: { values },
      spacing: 44,
      hconcat: [
        panel('l2', 'L2 distance', { domain: [0, axisEnd(farthest)], nice: false }),
        panel('cosine', 'cosine similarity', { domain: [Math.min(0, Math.floor(least * 10) / 10), 1] }),
      ],
    },
  }
}

/** Entropy and norm of each attention head, as heat maps. */
export function headsChart(models: readonly ModelLayers[], look: Look): Chart {
  const names = namesOf(models)
  const { background, ramp } = PALETTES[look]
  const row = (m: ModelLayers, h: ModelLayers['heads'][number]): string =>
    m.heads.some((other) => other.inner > 0) ? `${h.layer}.${h.inner}` : String(h.layer)
  const wide = Math.max(...models.map((m) => Math.max(...m.heads.map((h) => h.head)) + 1))
  const depthOf = (m: ModelLayers): number => new Set(m.heads.map((h) => row(m, h))).size
  const deep = Math.max(...models.map(depthOf))
  const least = Math.min(0.9, ...models.flatMap((m) => m.heads.map((h) => h.normalised ?? 1)))
  const cell = Math.max(7, Math.min(34, Math.floor(PANEL / wide)))
  const high = Math.max(10, Math.min(26, Math.floor(320 / deep)))
  const panel = (m: ModelLayers, field: 'normalised' | 'norm', title: string, legend: object, domain: object) => ({
    width: { step: cell },
    height: { step: high },
    title: {
      text: names.length === 1 ? title : `${m.model}: ${title}`,
      fontSize: 13.5,
      fontWeight: 500,
      offset: 8,
      frame: 'group',
    },
    data: { values: m.heads.map((h) => ({ head: h.head, row: row(m, h), value: h[field] })) },
    mark: { type: 'rect', stroke: background, strokeWidth: 1 },
    encoding: {
      x: { field: 'head', type: 'ordinal', title: 'head', axis: { labelAngle: 0, labelOverlap: true } },
      y: { field: 'row', type: 'ordinal', title: 'layer', sort: null, axis: { labelOverlap: true } },
      color: {
        field: 'value',
        type: 'quantitative',
        scale: { ...domain, range: ramp },
        title: null,
        legend: {
          orient: 'right',
          direction: 'vertical',
          gradientLength: Math.max(60, Math.min(200, high * depthOf(m))),
          ...legend,
        },
      },
    },
  })
  return {
    name: 'heads',
    alt: `Attention entropy and norm of every head of ${names.join(', ')}`,
    spec: {
      title: {
        text: names.length === 1 ? `Attention heads of ${names[0] ?? ''}` : 'Attention heads',
        subtitle: [
          'Entropy: spread of the attention, from a single token (0 %) to all tokens equally (100 %).',
          'Norm: mean L2 norm of the contribution of a head to a token.',
        ],
      },
      spacing: 40,
      resolve: { scale: { color: 'independent' } },
      vconcat: models.map((m) => ({
        spacing: 56,
        resolve: { scale: { color: 'independent' } },
        hconcat: [
          panel(
            m,
            'normalised',
            'attention entropy',
            { format: '.0%', tickCount: 4 },
            { domain: [Math.floor(least * 10) / 10, 1] },
          ),
          panel(m, 'norm', 'norm', { tickCount: 3 }, { domainMin: 0 }),
        ],
      })),
    },
  }
}

/** Looks of pictures, light and dark, for a README and for slides. */
export const LOOKS = ['light', 'dark'] as const
export type Look = (typeof LOOKS)[number]

/** Fonts in order of preference: Latin first, then common fonts with Chinese, Japanese and Korean. */
const FONT_FAMILIES = [
  'Inter',
  'Helvetica Neue',
  'Helvetica',
  'Arial',
  'Liberation Sans',
  'Noto Sans CJK SC',
  'Noto Sans SC',
  'PingFang SC',
  'Microsoft YaHei',
  'sans-serif',
] as const
export const FONT = FONT_FAMILIES.join(', ')

export interface Palette {
  readonly background: string
  readonly text: string
  readonly muted: string
  readonly grid: string
  /** Colours of the series, in order: distinct in hue and lightness, also for the colour-blind. */
  readonly series: readonly string[]
  /** Colours of heat maps, low to high. */
  readonly ramp: readonly string[]
  readonly good: string
  readonly bad: string
}

export const PALETTES: Readonly<Record<Look, Palette>> = {
  light: {
    background: '#ffffff',
    text: '#1f2328',
    muted: '#59636e',
    grid: '#e4e7eb',
    series: ['#2f6fde', '#e07b00', '#0f8f6b', '#c2387a', '#7a52cc', '#1d9bc4', '#8a6a1f', '#5b6773'],
    ramp: ['#f4f8ff', '#c6dbff', '#85aff8', '#3f77de', '#1d4499', '#0b2159'],
    good: '#1a7f4b',
    bad: '#c93636',
  },
  dark: {
    background: '#0d1117',
    text: '#e6edf3',
    muted: '#9aa5b1',
    grid: '#262d36',
    series: ['#6ea8ff', '#ffa94d', '#4fd1a5', '#ff7eb6', '#b69cff', '#63d4f5', '#d9bd6a', '#a3adb8'],
    ramp: ['#101a2e', '#1b3668', '#2a5bb0', '#4f8cf0', '#96bfff', '#e3efff'],
    good: '#4fd18b',
    bad: '#ff7b72',
  },
}

/** The Vega-Lite `config` of a look: https://vega.github.io/vega-lite/docs/config.html */
export function chartConfig(look: Look): Readonly<Record<string, unknown>> {
  const { background, text, muted, grid, series, ramp } = PALETTES[look]
  return {
    background,
    padding: 18,
    font: FONT,
    view: { stroke: null, continuousWidth: 560, continuousHeight: 300, discreteWidth: 560, discreteHeight: 300 },
    title: {
      color: text,
      fontSize: 17,
      fontWeight: 600,
      anchor: 'start',
      frame: 'group',
      offset: 16,
      subtitleColor: muted,
      subtitleFontSize: 12.5,
      subtitlePadding: 6,
      subtitleLineHeight: 17,
      lineHeight: 21,
    },
    axis: {
      labelColor: muted,
      titleColor: text,
      labelFontSize: 12,
      titleFontSize: 12.5,
      titleFontWeight: 500,
      titlePadding: 10,
      gridColor: grid,
      domain: false,
      ticks: false,
      labelPadding: 7,
      labelLimit: 280,
    },
    axisX: { grid: false },
    axisBand: { grid: false },
    legend: {
      labelColor: text,
      titleColor: muted,
      labelFontSize: 12.5,
      titleFontSize: 12,
      titleFontWeight: 500,
      orient: 'top',
      direction: 'horizontal',
      symbolSize: 110,
      offset: 12,
      columnPadding: 18,
      labelLimit: 280,
      titlePadding: 8,
    },
    header: { labelColor: text, titleColor: muted, labelFontSize: 13, labelFontWeight: 600, titleFontSize: 12 },
    range: { category: [...series], heatmap: [...ramp], ramp: [...ramp] },
    bar: { color: series[0], cornerRadiusEnd: 2 },
    line: { color: series[0], strokeWidth: 2.5 },
    point: { color: series[0], filled: true, size: 55, opacity: 1 },
    rule: { color: muted },
    text: { color: text, fontSize: 12 },
    rect: { stroke: background, strokeWidth: 1 },
  }
}

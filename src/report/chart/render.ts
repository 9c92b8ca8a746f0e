import { environment } from '../../base/errors.js'
import { escapeAll, escapeControl, escapeXml, onlyXml } from '../../base/escape.js'
import { importOptional } from '../../base/optional-package.js'
import { chartConfig, PALETTES, type Look } from './look.js'
import { textWidth } from './text-width.js'

/** A Vega-Lite specification: https://vega.github.io/vega-lite/docs/spec.html */
export type ChartSpec = Readonly<Record<string, unknown>>

/** Picture before it is drawn. */
export interface Chart {
  /** Part of a file name: `parameters`, `layers` … */
  readonly name: string
  /** Text alternative of the picture. */
  readonly alt: string
  readonly spec: ChartSpec
}

/** Item of Vega's scene graph that its text metrics receive. */
interface TextItem {
  readonly text?: unknown
  readonly fontSize?: number
  readonly fontWeight?: string | number
}

async function importVega() {
  const both = ['vega', 'vega-lite']
  const [vega, lite] = await Promise.all([
    importOptional('vega', () => import('vega'), 'a picture', both),
    importOptional('vega-lite', () => import('vega-lite'), 'a picture', both),
  ])
  return { vega, lite }
}

const isBold = ({ fontWeight }: TextItem): boolean =>
  fontWeight === 'bold' || (typeof fontWeight === 'number' && fontWeight >= 600)

/**
 * Draws a chart. The same specification gives the same bytes.
 * @returns an SVG document with a `<title>` of `chart.alt`
 * @throws AlbertkitError `environment` if vega is not installed
 */
export async function chartSvg({ spec, alt }: Pick<Chart, 'spec' | 'alt'>, look: Look): Promise<string> {
  const { vega, lite } = await importVega()
  const metrics = (vega as unknown as { textMetrics: { width: unknown } }).textMetrics
  metrics.width = (item: TextItem, text: unknown): number =>
    textWidth(
      typeof text === 'string' || typeof text === 'number' ? String(text) : '',
      item.fontSize ?? 11,
      isBold(item),
    )
  const { resetSVGDefIds } = vega as unknown as { resetSVGDefIds: () => void }
  resetSVGDefIds()
  const full = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    ...escapeAll(spec),
    config: chartConfig(look),
  }
  const compiled = lite.compile(full as unknown as Parameters<typeof lite.compile>[0], { logger: silent() }).spec
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logLevel: vega.None })
  try {
    const svg = onlyXml(await view.toSVG())
    const title = escapeXml(escapeControl(alt))
    return svg.replace(/(<svg[^>]*)>/, (_, open: string) => `${open} role="img"><title>${title}</title>`)
  } finally {
    view.finalize()
  }
}

/** Logger that discards Vega-Lite's harmless console messages; errors are thrown all the same. */
function silent() {
  const logger = {
    level: () => logger,
    error: () => logger,
    warn: () => logger,
    info: () => logger,
    debug: () => logger,
  }
  return logger as never
}

/** Prefixes the ids of `svg`, so that they differ from those of other pictures on the same page. */
export const withOwnIds = (svg: string, own: string): string =>
  svg.replace(/\bid="([^"]+)"/g, `id="${own}-$1"`).replace(/url\(#([^)]+)\)/g, `url(#${own}-$1)`)

/**
 * Draws an SVG as PNG with the fonts of the system.
 * @param scale pixels per unit; 2 is sharp on high-density screens
 * @throws AlbertkitError `environment` if @resvg/resvg-js is not installed or there is no font
 */
export async function svgPng(svg: string, look: Look, scale = 2): Promise<Uint8Array> {
  const { Resvg } = await importOptional('@resvg/resvg-js', () => import('@resvg/resvg-js'), 'a PNG')
  const font = { loadSystemFonts: true }
  const probe = new Resvg(
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text y="15">Ag</text></svg>',
    {
      font,
    },
  )
  if (probe.getBBox() === undefined)
    throw environment('no font was found for the labels of the picture', {
      code: 'package-missing',
      hint: 'install a font, for example fonts-noto-cjk, or write SVG',
    })
  const drawn = new Resvg(svg, {
    font,
    fitTo: { mode: 'zoom', value: scale },
    background: PALETTES[look].background,
    textRendering: 2,
  })
  return drawn.render().asPng()
}

import { existsSync, readdirSync } from 'node:fs'
import { extname, join } from 'node:path'
import { outputError } from '../base/errors.js'
import { OutputDirectory } from '../files/output-directory.js'
import { writeText, writing } from '../files/output-file.js'
import { albertkitVersion } from '../base/version.js'
import { refuseExisting, writeWhole } from '../files/atomic-file.js'
import type { Look } from './chart/look.js'
import { chartSvg, svgPng, type Chart } from './chart/render.js'
import { htmlPage, type Section } from './html/html.js'

/** Output paths of pictures and pages. */
export interface PictureOptions {
  /** SVG file of the first picture; the others are written next to it as `<name>-<picture>.svg`. */
  readonly svg?: string
  readonly png?: string
  readonly look?: Look
  /** Directory for `index.html`. */
  readonly report?: string
  /** True to overwrite existing files. */
  readonly force?: boolean
}

/** `a/b.svg` and `heads` make `a/b-heads.svg`. */
function nameFor(path: string, chart: Chart, first: boolean): string {
  if (first) return path
  const extension = extname(path)
  return `${path.slice(0, path.length - extension.length)}-${chart.name}${extension}`
}

/**
 * Draws pictures into files; all are drawn before the first is written.
 * @returns paths of the files
 * @throws AlbertkitError `environment` if a package is missing; `output` if a file exists or cannot be written
 */
export async function writePictures(
  charts: readonly ((look: Look) => Chart)[],
  { svg, png, look = 'light', force = false }: PictureOptions,
): Promise<string[]> {
  const drawn: { readonly path: string; readonly data: string | Uint8Array }[] = []
  for (const [i, make] of charts.entries()) {
    if (svg === undefined && png === undefined) break
    const chart = make(look)
    const text = await chartSvg(chart, look)
    if (svg !== undefined) drawn.push({ path: nameFor(svg, chart, i === 0), data: text })
    if (png !== undefined) drawn.push({ path: nameFor(png, chart, i === 0), data: await svgPng(text, look) })
  }
  for (const { path } of drawn) refuseExisting(path, force)
  for (const { path, data } of drawn) writeWhole(path, data, force)
  return drawn.map((d) => d.path)
}

/**
 * Writes `DIR/index.html`, a self-contained page.
 * @returns its path
 * @throws AlbertkitError `environment` if vega is missing; `output` if the directory is not empty or not writable
 */
export async function writePage(
  directory: string,
  page: { readonly title: string; readonly lead: string; readonly sections: readonly Section[] },
  force = false,
): Promise<string> {
  if (existsSync(directory) && writing(directory, () => readdirSync(directory)).length > 0 && !force)
    throw outputError(`${directory} exists and is not empty`, {
      code: 'output-exists',
      file: directory,
      hint: 'use `force` to replace its index.html',
    })
  const html = await htmlPage(page.title, page.lead, page.sections, albertkitVersion())
  const output = new OutputDirectory(directory, { force: force || existsSync(directory) })
  try {
    writeText(join(output.staging, 'index.html'), html)
    output.commit()
  } finally {
    output.discard()
  }
  return join(directory, 'index.html')
}

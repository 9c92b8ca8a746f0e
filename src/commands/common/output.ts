import * as Flags from '@oclif/core/flags'
import type { Look } from '../../report/chart/look.js'
import type { Chart } from '../../report/chart/render.js'
import type { Section } from '../../report/html/html.js'
import type { DataTable } from '../../report/tables.js'
import { notesWithFlags, withFlags } from './option-flags.js'

/** Flags of the commands that draw pictures. */
export const pictureFlags = {
  svg: Flags.string({ description: 'draw the picture into this SVG file', helpValue: 'FILE' }),
  png: Flags.string({ description: 'draw the picture into this PNG file', helpValue: 'FILE' }),
  look: Flags.string({ description: 'look of the picture', options: ['light', 'dark'], default: 'light' }),
  report: Flags.string({ description: 'write one self-contained HTML page into this directory', helpValue: 'DIR' }),
  force: Flags.boolean({ description: 'overwrite existing files' }),
}

/** Flags of the commands that print tables and draw pictures. */
export const outputFlags = {
  markdown: Flags.boolean({ description: 'print the tables as Markdown', exclusive: ['json', 'csv'] }),
  csv: Flags.boolean({ description: 'print the main table as CSV', exclusive: ['json', 'markdown'] }),
  ...pictureFlags,
}

interface PictureChoice {
  readonly svg?: string | undefined
  readonly png?: string | undefined
  readonly look: string
  readonly report?: string | undefined
  readonly force: boolean
}

interface OutputChoice extends PictureChoice {
  readonly markdown: boolean
  readonly csv: boolean
}

/** Outputs of a command, each made on demand. */
export interface Showable {
  readonly tables: () => readonly DataTable[]
  readonly csv: () => DataTable
  readonly charts: readonly ((look: Look) => Chart)[]
  readonly page: () => Promise<{ title: string; lead: string; sections: readonly Section[] }>
}

/** Draws charts into the files named by the flags. @returns their paths */
export async function writeCharts(
  charts: Showable['charts'],
  { svg, png, look, force }: Pick<PictureChoice, 'svg' | 'png' | 'look' | 'force'>,
): Promise<string[]> {
  if (svg === undefined && png === undefined) return []
  const { writePictures } = await import('../../report/write-charts.js')
  const files = { ...(svg === undefined ? {} : { svg }), ...(png === undefined ? {} : { png }) }
  return writePictures(charts, { ...files, look: look as Look, force })
}

const sectionWithFlags = ({ text, first, tables, ...rest }: Section): Section => ({
  ...rest,
  ...(text === undefined ? {} : { text: text.map((paragraph) => withFlags(paragraph)) }),
  ...(first === undefined ? {} : { first: first.map(notesWithFlags) }),
  tables: tables.map(notesWithFlags),
})

/** Writes the pictures and the page that the flags request. @returns their paths */
export async function writeFiles(show: Pick<Showable, 'charts' | 'page'>, flags: PictureChoice): Promise<string[]> {
  const files = await writeCharts(show.charts, flags)
  if (flags.report === undefined) return files
  const { writePage } = await import('../../report/write-charts.js')
  const { sections, ...page } = await show.page()
  files.push(await writePage(flags.report, { ...page, sections: sections.map(sectionWithFlags) }, flags.force))
  return files
}

/** Renders the text for stdout, if it is not JSON. */
export async function printer(show: Showable, flags: OutputChoice): Promise<() => string> {
  const { tableCsv, tablesMarkdown, tablesText, terminalWidth } = await import('../../report/tables.js')
  const { capture, isCapturingCsv } = await import('../../report/capture.js')
  return () => {
    if (isCapturingCsv()) capture(show.csv())
    if (flags.csv) return tableCsv(show.csv())
    return flags.markdown ? tablesMarkdown(show.tables()) : tablesText(show.tables(), terminalWidth())
  }
}

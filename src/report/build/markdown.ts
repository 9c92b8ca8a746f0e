import type { BuildReport } from '../../api/build/report.js'
import { escapeAll } from '../../base/escape.js'
import { tablesMarkdown } from '../tables.js'
import { buildTables, countsText, failures } from './tables.js'

/** First line of the Markdown of a build: a file that begins so may be replaced by the next build. */
export const MARKDOWN_MARK = '<!-- albertkit build -->'

const quoted = (text: string): string => text.replace(/([\\`*_<>[\]])/g, '\\$1')

/** Markdown of `build`, for the summary of a job. */
export function buildMarkdown(raw: BuildReport): string {
  const report = escapeAll(raw)
  const wrong = report.models.flatMap((model) => failures(model).map((line) => `- **${model.name}** ${quoted(line)}`))
  const notes = report.models.flatMap(({ name, notes }) => notes.map((note) => `- ${name}: ${quoted(note)}`))
  const blocks = [
    MARKDOWN_MARK,
    `### albertkit ${report.albertkit}: ${countsText(report)}`,
    tablesMarkdown(buildTables(report)),
    ...(notes.length === 0 ? [] : [notes.join('\n')]),
    ...(wrong.length === 0 ? [] : [wrong.join('\n')]),
  ]
  return `${blocks.join('\n\n')}\n`
}

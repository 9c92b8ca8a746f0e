import type { BuildReport } from '../../api/build/report.js'
import { escapeAll } from '../../base/escape.js'
import { tablesText } from '../tables.js'
import { buildTables, countsText, failures } from './tables.js'

/** Text of `build`: the tables, what there is to know of the models, what went wrong, and the counts. */
export function buildText(raw: BuildReport, width = Infinity): string {
  const report = escapeAll(raw)
  const wrong = report.models.flatMap((model) => failures(model).map((line) => `${model.name}: ${line}`))
  // A skipped model has the notes of the build that made it.
  const notes = report.models.flatMap(({ name, notes }) => notes.map((note) => `note     ${name}: ${note}`))
  return [
    tablesText(buildTables(report), width),
    ...(notes.length === 0 ? [] : ['', ...notes]),
    ...(wrong.length === 0 ? [] : ['', ...wrong]),
    '',
    `${countsText(report)}${report.dryRun ? ' (dry run: nothing was done)' : ''}`,
  ].join('\n')
}

import type { BuildReport } from '../../api/build/report.js'
import { escapeAll } from '../../base/escape.js'
import { tablesText } from '../tables.js'
import { buildTables, countsText, failures } from './tables.js'

/** Text of `build`: the tables, what went wrong, and the counts. */
export function buildText(raw: BuildReport, width = Infinity): string {
  const report = escapeAll(raw)
  const wrong = report.models.flatMap((model) => failures(model).map((line) => `${model.name}: ${line}`))
  return [
    tablesText(buildTables(report), width),
    ...(wrong.length === 0 ? [] : ['', ...wrong]),
    '',
    `${countsText(report)}${report.dryRun ? ' (dry run: nothing was done)' : ''}`,
  ].join('\n')
}

import type { ConvertReport } from '../api/convert.js'
import { escapeControl } from './escape.js'
import { bytes, count } from './format.js'
import { verifyText } from './verify.js'

/** What `convert` did, for a person. */
export function convertText(report: ConvertReport): string {
  const { artefacts, verification } = report
  const lines = [`${report.family}, task ${report.task}, ${count(report.parameters)} parameters`]
  for (const a of artefacts) {
    const size = a.weightBytes === null ? '' : `, ${bytes(a.weightBytes)} of weights`
    lines.push(
      `${a.target.padEnd(8)} ${a.files.length} file${a.files.length === 1 ? '' : 's'}${size}: ${a.outputs.join(', ')}`,
    )
  }
  if (verification === null) lines.push(...report.notes.map((note) => `note     ${escapeControl(note)}`))
  if (verification !== null) lines.push('', verifyText(verification))
  lines.push('')
  if (report.dryRun) lines.push(`dry run: nothing was written to ${escapeControl(report.output)}`)
  else if (!report.ok) lines.push(`nothing was written: the check said no`)
  else lines.push(`wrote ${escapeControl(report.output)}${verification === null ? ' (not verified)' : ''}`)
  return lines.join('\n')
}

import type { ConvertReport } from '../api/convert.js'
import { escapeControl } from './escape.js'
import { bytes, count } from './format.js'
import { verifyText } from './verify.js'

/** What `convert` did, for a person. */
export function convertText(report: ConvertReport): string {
  const { artefacts, growth, verification } = report
  const lines = [`${report.family}, task ${report.task}, ${count(report.parameters)} parameters`]
  const width = Math.max(8, ...artefacts.map((a) => a.target.length))
  for (const a of artefacts) {
    const size = a.weightBytes === null ? '' : `, ${bytes(a.weightBytes)} of weights`
    const rest = a.outputs.length > 0 ? a.outputs.join(', ') : a.files.map(escapeControl).join(', ')
    lines.push(`${a.target.padEnd(width)} ${a.files.length} file${a.files.length === 1 ? '' : 's'}${size}: ${rest}`)
  }
  if (growth !== null) {
    const [before, after] = growth.parameters
    const [from, to] = growth.bytes
    lines.push(
      `${`as ${growth.form}`.padEnd(width)} ${count(before)} parameters become ${count(after)}, ${bytes(from)} become ${bytes(to)}: ${growth.ratio.toFixed(1)} times the size`,
    )
  }
  const said = new Set(verification?.notes)
  lines.push(...report.notes.filter((note) => !said.has(note)).map((note) => `note     ${escapeControl(note)}`))
  if (verification !== null) lines.push('', verifyText(verification))
  lines.push('')
  if (report.dryRun) lines.push(`dry run: nothing was written to ${escapeControl(report.output)}`)
  else if (!report.ok) lines.push(`nothing was written: the check said no`)
  else lines.push(`wrote ${escapeControl(report.output)}${verification === null ? ' (not verified)' : ''}`)
  return lines.join('\n')
}

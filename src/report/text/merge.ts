import type { Merged } from '../../api/sharded/merge.js'
import { escapeControl } from '../../base/escape.js'
import { evaluateText } from './evaluate.js'
import { count } from '../format.js'

/** What `merge` did, for a person. */
export function mergeText(report: Merged): string {
  const whole = `${count(report.shards)} shards of ${count(report.inputLines)} lines`
  if ('evaluation' in report) return `${whole}\n\n${evaluateText(report.evaluation)}`
  const lines = [`${whole}: wrote ${escapeControl(report.output.file)}, ${count(report.output.lines)} lines`]
  if (report.errors !== null)
    lines.push(`${count(report.errors.lines)} lines could not be used: ${escapeControl(report.errors.file)}`)
  return lines.join('\n')
}

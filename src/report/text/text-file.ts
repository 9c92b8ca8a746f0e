import type { TextFileReport } from '../../api/inference/predict-file.js'
import { escapeControl } from '../../base/escape.js'
import { count } from '../format.js'

/** What became of a file of lines, for a person. */
export function textFileText({ output, lines, bad, errors }: TextFileReport): string {
  const said = [`wrote ${escapeControl(output ?? '')}, ${count(lines)} lines`]
  if (bad > 0) said.push(`${count(bad)} lines could not be used${errors === null ? '' : `: ${escapeControl(errors)}`}`)
  return said.join('\n')
}

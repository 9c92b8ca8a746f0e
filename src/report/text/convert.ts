import { escapeAll } from '../../base/escape.js'
import type { ConvertReport } from '../../api/convert/report.js'
import type { GateAccuracy } from '../../api/gate/gate.js'
import { bytes, count, percent, scientific } from '../format.js'
import { loadLines } from './load.js'
import { verifyText } from './verify.js'

function accuracyText({ lines, skipped, before, after }: GateAccuracy): string {
  const [was, is] = [Math.round(before * lines), Math.round(after * lines)]
  const rest = skipped === 0 ? '' : skipped === 1 ? '; 1 line was left out' : `; ${skipped} lines were left out`
  return `accuracy ${percent(before, 1)} before, ${percent(after, 1)} after: ${was} and ${is} of ${lines} right${rest}`
}

/** Names of the gate's inputs, singular and plural. */
const ROWS = {
  file: ['line', 'lines'],
  text: ['built-in text', 'built-in texts'],
  vocabulary: ['row of drawn tokens', 'rows of drawn tokens'],
} as const

/** Formats the agreement with enough digits that a refused value differs from the threshold. */
function agreementText({ agreement, threshold, ok }: ConvertReport['gate'][number]): string {
  let digits = 4
  while (!ok && digits < 15 && Number(agreement.toFixed(digits)) >= threshold) digits++
  return agreement.toFixed(digits)
}

/** Lines for the result of the gate on one format. */
function gateLines(g: ConvertReport['gate'][number]): string[] {
  const figures = g.outputs.map(({ output, agreement, maxAbs, cosine }) => {
    const same = agreement === null ? '' : `${percent(agreement, 1)} the same, `
    return `${output} ${same}max |Δ| ${scientific(maxAbs)}, cosine ${cosine.toFixed(6)}`
  })
  const verdict = g.ok ? '' : `: below ${g.threshold}, REFUSED`
  const [one, many] = ROWS[g.inputs]
  const rows = `${g.rows} ${g.rows === 1 ? one : many}`
  return [
    `gate     ${g.artefact} against float32, ${rows}: agreement ${agreementText(g)}${verdict}`,
    ...(g.accuracy === null ? [] : [`         ${accuracyText(g.accuracy)}`]),
    ...figures.map((line) => `         ${line}`),
    ...g.spared.map(
      ({ slot, as, error }) =>
        `         ${slot} is excluded (${EXCLUDED[as]}): ` + `it alone reduces the cosine by ${scientific(error)}`,
    ),
  ]
}

const EXCLUDED: Readonly<Record<ConvertReport['gate'][number]['spared'][number]['as'], string>> = {
  f32: 'stays float32',
  int8: 'has 8 bits',
  weights: 'unrounded activations',
}

/** Hint after a refused gate: options that may help. */
function adviceOf(gate: ConvertReport['gate']): string[] {
  const refused = gate.filter(({ ok }) => !ok)
  if (refused.length === 0) return []
  const ways = [
    ...(refused.some(({ inputs }) => inputs !== 'file') ? ['check it on your own text: --gate FILE'] : []),
    ...(refused.some(({ artefact }) => artefact.endsWith('int8'))
      ? ['do not quantise activations: --weights-only']
      : []),
    ...(refused.some(({ artefact }) => artefact !== 'onnx-f16') ? ['use --dtype f16'] : []),
    'lower the threshold: --min-agreement N',
  ]
  return [`hint: ${ways.join('; ')}`]
}

/** Renders the report of `convert` as text. */
export function convertText(raw: ConvertReport, columns = Infinity): string {
  const report = escapeAll(raw)
  const { artefacts, gate, growth, verification } = report
  const lines = [`${report.family}, task ${report.task}, ${count(report.parameters)} parameters`]
  const width = Math.max(8, ...artefacts.map((a) => a.target.length + (a.dtype === undefined ? 0 : a.dtype.length + 1)))
  for (const a of artefacts) {
    const rest = a.outputs.length > 0 ? a.outputs.join(', ') : a.files.join(', ')
    const name = (a.dtype === undefined ? a.target : `${a.target} ${a.dtype}`).padEnd(width)
    // The number of files of a graph is known only after it is written.
    if (a.weightBytes === null) {
      lines.push(`${name} would be written`)
      continue
    }
    lines.push(
      `${name} ${a.files.length} file${a.files.length === 1 ? '' : 's'}, ${bytes(a.weightBytes)} of weights: ${rest}`,
    )
  }
  if (growth !== null) {
    const [before, after] = growth.parameters
    const [from, to] = growth.bytes
    lines.push(
      `${`as ${growth.form}`.padEnd(width)} ${count(before)} parameters become ${count(after)}, ` +
        `${bytes(from)} become ${bytes(to)}: ${growth.ratio.toFixed(1)} times the size`,
    )
  }
  for (const g of gate) lines.push(...gateLines(g))
  const said = new Set(verification?.notes)
  lines.push(...report.notes.filter((note) => !said.has(note)).map((note) => `note     ${note}`))
  if (verification !== null) lines.push('', verifyText(verification, columns))
  lines.push('')
  if (report.dryRun) lines.push(`dry run: nothing was written to ${report.output}`)
  else if (!report.ok) lines.push('nothing was written: the check failed', ...adviceOf(gate))
  else lines.push(`wrote ${report.output}${verification === null ? ' (not verified)' : ''}`, ...loadLines(report))
  return lines.join('\n')
}

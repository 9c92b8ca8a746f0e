import type { VerifyReport } from '../api/verify.js'
import { escapeControl } from './escape.js'
import { scientific, shape } from './format.js'
import { table } from './table.js'

/** The comparisons as a table. */
export function comparisonTable({ comparisons }: Pick<VerifyReport, 'comparisons'>): string {
  return table(
    comparisons.map((c) => [
      c.dtype === undefined ? c.runner : `${c.runner} ${c.dtype}`,
      c.output + (c.rows === undefined ? '' : ' (masked rows)'),
      shape(c.shape),
      scientific(c.maxAbs),
      scientific(c.meanAbs),
      c.cosine === null ? 'NaN' : c.cosine.toFixed(9),
      shape(c.where),
      scientific(c.atol),
      c.ok ? 'ok' : 'DIFFERS',
    ]),
    {
      head: ['runner', 'output', 'shape', 'max |Δ|', 'mean |Δ|', 'cosine', 'largest at', 'bound', ''],
      right: [3, 4, 5, 7],
    },
  )
}

/** What was compared and the verdict, for a person. */
export function verifyText(report: VerifyReport): string {
  const { comparisons, weights, notRun, firstDivergent } = report
  const failed = comparisons.filter((c) => !c.ok).length
  const lines = [
    `arbiter  ${report.golden === null ? 'float64 reference' : escapeControl(report.golden)}, inputs ${report.inputs.map(shape).join(' and ')}`,
    '',
    comparisons.length === 0 ? 'nothing was compared' : comparisonTable(report),
    '',
  ]
  for (const w of weights) {
    const how =
      w.dtype === undefined ? 'equal the source bit for bit' : `are the nearest to the source's that there are`
    const what = w.dtype === undefined ? w.artefact : `${w.artefact} ${w.dtype}`
    lines.push(`weights  ${what}: ${w.compared - w.differences.length} of ${w.compared} ${how}`)
    for (const d of w.differences.slice(0, 8)) lines.push(`         ${escapeControl(d.slot)}: ${d.reason}`)
  }
  for (const n of notRun)
    lines.push(
      `not run  ${n.runner}${n.output === undefined ? '' : ` ${escapeControl(n.output)}`}: ${escapeControl(n.reason)}`,
    )
  lines.push(...report.notes.map((note) => `note     ${escapeControl(note)}`))
  if (firstDivergent !== undefined) {
    const at =
      firstDivergent === null
        ? 'none'
        : `${firstDivergent.layer < 0 ? 'the embeddings' : `layer ${firstDivergent.layer}`} (${firstDivergent.runner}, ${escapeControl(firstDivergent.output)})`
    lines.push(`first divergent layer: ${at}`)
  }
  const wrongWeights = weights.reduce((sum, w) => sum + w.differences.length, 0)
  const why =
    comparisons.length === 0
      ? 'nothing was compared'
      : `${failed} of ${comparisons.length} comparisons and ${wrongWeights} weights differ`
  lines.push(report.ok ? `verified: ${comparisons.length} comparisons within bounds` : `NOT verified: ${why}`)
  return lines.join('\n')
}

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

/** The comparisons of runs on GPUs: runtime × output × precision. */
export function gpuTable({ comparisons, runtimes }: VerifyReport): string {
  const of = new Map(runtimes.map((r) => [`${r.runner} ${r.dtype ?? ''}`, r]))
  // A runtime's comparisons come in the order of the inputs; a name that comes again begins the next.
  const seen = new Map<string, number>()
  return table(
    comparisons.map((c) => {
      const runtime = of.get(`${c.runner} ${c.dtype ?? ''}`)
      const key = `${c.runner} ${c.dtype ?? ''} ${c.output} ${c.rows ?? ''}`
      const at = seen.get(key) ?? 0
      seen.set(key, at + 1)
      const ms = c.rows === undefined ? runtime?.ms?.[at] : undefined
      return [
        c.dtype === undefined ? c.runner : `${c.runner} ${c.dtype}`,
        c.output + (c.rows === undefined ? '' : ' (masked rows)'),
        runtime?.precision ?? 'float64',
        shape(c.shape),
        scientific(c.maxAbs),
        c.ulps === null ? 'NaN' : c.ulps.toFixed(1),
        c.cosine === null ? 'NaN' : c.cosine.toFixed(9),
        ms === undefined ? '' : ms.toFixed(1),
        scientific(c.atol),
        c.ok ? 'ok' : 'DIFFERS',
      ]
    }),
    {
      head: ['runtime', 'output', 'precision', 'shape', 'max |Δ|', 'ULP', 'cosine', 'ms', 'bound', ''],
      right: [4, 5, 6, 7, 8],
    },
  )
}

type Adapter = NonNullable<VerifyReport['runtimes'][number]['adapter']>

/** `nvidia H100 (driver 550.54)` */
const adapterText = ({ vendor, device, driver, software }: Adapter): string =>
  `${vendor} ${device} (driver ${driver}${software ? ', software' : ''})`

/** `vendor device (driver, software)` of the adapters that were used. */
const adaptersOf = ({ runtimes }: VerifyReport): string[] => [
  ...new Set(runtimes.flatMap(({ adapter }) => (adapter === null ? [] : [adapterText(adapter)]))),
]

function runtimeLines({ runtimes }: VerifyReport): string[] {
  return runtimes
    .filter(({ adapter, ms }) => adapter !== null || ms !== undefined)
    .map(({ runner, detail, adapter }) =>
      escapeControl(`runtime  ${runner}: ${detail}; ${adapter === null ? 'CPU' : adapterText(adapter)}`),
    )
}

/** What was compared and the verdict, for a person. */
export function verifyText(report: VerifyReport): string {
  const { comparisons, weights, notRun, firstDivergent } = report
  const failed = comparisons.filter((c) => !c.ok).length
  const timed = report.runtimes.some(({ ms }) => ms !== undefined)
  const on = adaptersOf(report)
  const lines = [
    `arbiter  ${report.golden === null ? 'float64 reference' : escapeControl(report.golden)}, inputs ${report.inputs.map(shape).join(' and ')}`,
    ...runtimeLines(report),
    '',
    comparisons.length === 0 ? 'nothing was compared' : timed ? gpuTable(report) : comparisonTable(report),
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
  const hardware = on.length === 0 ? '' : escapeControl(`, on ${on.join(' and ')}`)
  lines.push(
    report.ok ? `verified: ${comparisons.length} comparisons within bounds${hardware}` : `NOT verified: ${why}`,
  )
  return lines.join('\n')
}

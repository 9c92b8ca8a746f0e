import { escapeAll } from '../../base/escape.js'
import { worstBy } from '../../base/worst-by.js'
import type { VerifyReport } from '../../api/verify/verify.js'
import { scientific, shape } from '../format.js'
import { table } from '../table.js'
import { divergenceText, layersText, wrongOperations } from './verify-layers.js'

type Comparison = VerifyReport['comparisons'][number]

const keyOf = ({ runner, dtype, output, rows }: Comparison): string => [runner, dtype, output, rows].join(' ')

/** The worst comparison of each output in each runner. */
const worstOf = (comparisons: readonly Comparison[]): Comparison[] => [...worstBy(comparisons, keyOf).values()]

/** Comparisons of the main table: without hidden states that the table of layers shows. */
const shown = ({ comparisons, layers = [] }: VerifyReport): Comparison[] => {
  const states = new Set(layers.map(({ output }) => output))
  return comparisons.filter((c) => c.dtype !== undefined || !states.has(c.output))
}

/** `ok`, or the kind of failure. */
const verdict = ({ ok, expectedShape }: Comparison): string =>
  ok ? 'ok' : expectedShape === undefined ? 'DIFFERS' : `DIFFERS: not ${shape(expectedShape)}`

/** Table of the comparisons, the worst of all inputs for each output. */
export function comparisonTable(report: VerifyReport, width = Infinity): string {
  return table(
    worstOf(shown(report)).map((c) => [
      c.dtype === undefined ? c.runner : `${c.runner} ${c.dtype}`,
      c.output + (c.rows === undefined ? '' : ' (masked rows)'),
      shape(c.shape),
      scientific(c.maxAbs),
      scientific(c.meanAbs),
      c.cosine === null ? 'NaN' : c.cosine.toFixed(9),
      shape(c.where),
      scientific(c.atol),
      verdict(c),
    ]),
    {
      head: ['runner', 'output', 'shape', 'max |Δ|', 'mean |Δ|', 'cosine', 'largest at', 'bound', ''],
      right: [3, 4, 5, 7],
      spare: [6, 4, 5, 2],
      width,
    },
  )
}

/** Milliseconds of the run of each comparison, if measured. */
function timesOf({ comparisons, runtimes }: VerifyReport): Map<Comparison, number | undefined> {
  // A runtime's comparisons come in the order of the inputs; a name that comes again begins the next.
  const seen = new Map<string, number>()
  return new Map(
    comparisons.map((c) => {
      const key = keyOf(c)
      const at = seen.get(key) ?? 0
      seen.set(key, at + 1)
      return [c, runtimes.find((r) => r.runner === c.runner && r.dtype === c.dtype)?.ms?.[at]]
    }),
  )
}

/** Table of comparisons with times, for GPUs: runtime × output × precision, the worst of all inputs for each. */
export function gpuTable(report: VerifyReport, width = Infinity): string {
  const times = timesOf(report)
  return table(
    worstOf(shown(report)).map((c) => {
      const { runner, dtype, output, rows, maxAbs, ulps, cosine, atol, ok } = c
      const runtime = report.runtimes.find((r) => r.runner === runner && r.dtype === dtype)
      const ms = rows === undefined ? times.get(c) : undefined
      return [
        dtype === undefined ? runner : `${runner} ${dtype}`,
        output + (rows === undefined ? '' : ' (masked rows)'),
        runtime?.precision ?? 'float64',
        shape(c.shape),
        scientific(maxAbs),
        ulps === null ? 'NaN' : ulps.toFixed(1),
        cosine === null ? 'NaN' : cosine.toFixed(9),
        ms === undefined ? '' : ms.toFixed(1),
        scientific(atol),
        ok ? 'ok' : 'DIFFERS',
      ]
    }),
    {
      head: ['runtime', 'output', 'precision', 'shape', 'max |Δ|', 'ULP', 'cosine', 'ms', 'bound', ''],
      right: [4, 5, 6, 7, 8],
      spare: [3, 6, 5, 2],
      width,
    },
  )
}

type Adapter = NonNullable<VerifyReport['runtimes'][number]['adapter']>

/** `nvidia H100 (driver 550.54)` */
const adapterText = ({ vendor, device, driver, software }: Adapter): string =>
  `${vendor} ${device} (driver ${driver}${software ? ', software' : ''})`

/** Texts of the adapters that were used, without duplicates. */
const adaptersOf = ({ runtimes }: VerifyReport): string[] => [
  ...new Set(runtimes.flatMap(({ adapter }) => (adapter === null ? [] : [adapterText(adapter)]))),
]

function runtimeLines({ runtimes }: VerifyReport): string[] {
  return runtimes
    .filter(({ adapter, ms }) => adapter !== null || ms !== undefined)
    .map(
      ({ runner, detail, adapter }) =>
        `runtime  ${runner}: ${detail}; ${adapter === null ? 'CPU' : adapterText(adapter)}`,
    )
}

const arbiterOf = ({ golden, against }: VerifyReport): string =>
  golden ?? (against === undefined ? 'float64 reference' : `float64 reference of ${against}`)

/** Renders the report of `verify` as text. */
export function verifyText(raw: VerifyReport, width = Infinity): string {
  const report = escapeAll(raw)
  const { comparisons, weights, notRun, firstDivergent, saved } = report
  const failed = comparisons.filter((c) => !c.ok).length
  const timed = report.runtimes.some(({ ms }) => ms !== undefined)
  const on = adaptersOf(report)
  const lines = [
    `arbiter  ${arbiterOf(report)}, inputs ${report.inputs.map(shape).join(' and ')}`,
    ...runtimeLines(report),
    '',
    comparisons.length === 0
      ? 'nothing was compared'
      : timed
        ? gpuTable(report, width)
        : comparisonTable(report, width),
    '',
    ...layersText(report),
  ]
  for (const w of weights) {
    const how = w.dtype === undefined ? 'equal the source bit for bit' : `are the source's values, correctly rounded`
    const what = w.dtype === undefined ? w.artefact : `${w.artefact} ${w.dtype}`
    lines.push(`weights  ${what}: ${w.compared - w.differences.length} of ${w.compared} ${how}`)
    for (const d of w.differences.slice(0, 8)) lines.push(`         ${d.slot}: ${d.reason}`)
  }
  for (const n of notRun) lines.push(`not run  ${n.runner}${n.output === undefined ? '' : ` ${n.output}`}: ${n.reason}`)
  lines.push(...report.notes.map((note) => `note     ${note}`))
  if (firstDivergent !== undefined) lines.push(divergenceText(firstDivergent))
  if (saved !== undefined)
    lines.push(`saved    ${saved}: inputs ${shape(report.inputs[0] ?? [])} and what the reference gives for them`)
  const wrongWeights = weights.reduce((sum, w) => sum + w.differences.length, 0)
  const why =
    comparisons.length === 0
      ? 'nothing was compared'
      : `${failed} of ${comparisons.length} comparisons and ${wrongWeights} weights differ${wrongOperations(report)}`
  const hardware = on.length === 0 ? '' : `, on ${on.join(' and ')}`
  lines.push(
    report.ok ? `verified: ${comparisons.length} comparisons within bounds${hardware}` : `NOT verified: ${why}`,
  )
  return lines.join('\n')
}

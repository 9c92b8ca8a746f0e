import { escapeAll } from '../../base/escape.js'
import type { BenchReport } from '../../api/bench/bench.js'
import { count } from '../format.js'
import { table } from '../table.js'

const ms = (n: number): string => (n < 10 ? n.toFixed(2) : n.toFixed(1))

/** The measurements as a table. */
export function benchText(report: BenchReport): string {
  const { rows, notRun, node, notes } = escapeAll(report)
  const cells = rows.map((r) => [
    r.file,
    r.runner,
    String(r.threads),
    String(r.batch),
    String(r.length),
    ms(r.p50),
    ms(r.p90),
    r.rowsPerSecond.toFixed(1),
    count(Math.round(r.tokensPerSecond)),
    r.load.toFixed(0),
    r.memory?.toFixed(0) ?? '',
  ])
  const head = [
    'file',
    'runner',
    'threads',
    'batch',
    'tokens',
    'p50 ms',
    'p90 ms',
    'rows/s',
    'tokens/s',
    'load ms',
    'MiB',
  ]
  const right = head.map((_, i) => i).slice(2)
  const missing = notRun.map(({ runner, reason }) => `not run  ${runner}: ${reason}`)
  return [
    `Node ${node}`,
    '',
    table(cells, { head, right }),
    ...missing,
    ...notes.map((note) => `note     ${note}`),
  ].join('\n')
}

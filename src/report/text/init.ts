import type { InitReport } from '../../api/init/init.js'
import { escapeControl } from '../../base/escape.js'
import { bytes, count } from '../format.js'

/** What `init` made, for a person. */
export function initText(report: InitReport): string {
  const { files, verified, tensors } = report
  const width = Math.max(...files.map(({ path }) => path.length))
  return [
    `${escapeControl(report.preset)}, ${report.family}, task ${report.task}: ${tensors} tensors, ${count(report.parameters)} parameters, seed ${report.seed}`,
    ...files.map(({ path, bytes: size }) => `  ${path.padEnd(width)}  ${bytes(size)}`),
    ...(verified === null ? [] : [`weights  ${verified} of ${tensors} read back as they were meant, bit for bit`]),
    ...report.notes.map((note) => `note     ${note}`),
    '',
    report.ok ? `wrote ${escapeControl(report.output)}` : 'nothing was written: the check said no',
  ].join('\n')
}

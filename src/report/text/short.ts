import { escapeAll } from '../../base/escape.js'
import type { FilledMask, SentenceOrder, TextFileReport } from '../../api/inference/report.js'
import type { InitReport } from '../../api/init/report.js'
import type { Merged } from '../../api/sharded/report.js'
import type { QueueStatus } from '../../sharding/queue/status.js'
import type { SubmitReport } from '../../sharding/queue/submit.js'
import type { ShardReport } from '../../sharding/run-shard.js'
import { bytes, count } from '../format.js'
import { table } from '../table.js'
import { evaluateText } from './evaluate.js'
import { sweepText } from './sweep.js'

/** Texts of the commands that have little to report. */

const unusable = (lines: number, file: string | null): string =>
  `${count(lines)} lines could not be used${file === null ? '' : `: ${file}`}`

/** Text of `predict -o` and `embed -o`. */
export function textFileText(report: TextFileReport): string {
  const { output, lines, bad, errors, resumedAt } = escapeAll(report)
  const resumed = resumedAt === null ? '' : `, resumed at line ${count(resumedAt)} of the text`
  const written = `wrote ${output ?? ''}, ${count(lines)} lines${resumed}`
  return [written, ...(bad > 0 ? [unusable(bad, errors)] : [])].join('\n')
}

/** Text of `predict`, `evaluate` and `embed` with `--shard`. */
export function shardText(report: ShardReport): string {
  const { directory, manifest, skipped } = escapeAll(report)
  const { output, errors, shard, input } = manifest
  const last = shard.firstLine + shard.lines - 1
  const lines = shard.lines === 0 ? 'no lines' : `lines ${shard.firstLine} to ${last} of ${input.lines}`
  const file = `${directory}/${output.file}`
  const written = `${skipped ? 'already complete' : 'wrote'}: ${file}, ${lines}`
  return [written, ...(errors === null ? [] : [unusable(errors.lines, `${directory}/${errors.file}`)])].join('\n')
}

/** `--json` document of `predict`, `evaluate` and `embed` with `--shard`. */
export const shardDocument = ({ directory, manifest, skipped }: ShardReport): object => ({
  directory,
  skipped,
  ...manifest,
})

/** Text of `merge`. */
export function mergeText(raw: Merged): string {
  const report = escapeAll(raw)
  if ('trials' in report) return sweepText(report)
  const whole = `${count(report.shards)} shards of ${count(report.inputLines)} lines`
  if ('evaluation' in report) return `${whole}\n\n${evaluateText(report.evaluation)}`
  const written = `${whole}: wrote ${report.output.file}, ${count(report.output.lines)} lines`
  return [written, ...(report.errors === null ? [] : [unusable(report.errors.lines, report.errors.file)])].join('\n')
}

/** Text of `queue submit`, and of `finetune --submit`. */
export function submitText(raw: SubmitReport): string {
  const { id, existed, queue, shards, lines } = escapeAll(raw)
  if (existed) return `${id} is in the queue ${queue} already`
  return `${id}: ${shards} shards of ${lines} lines, in the queue ${queue}`
}

/** Text of `queue status`. */
export function queueText(status: QueueStatus): string {
  const { queue, counts, flows } = escapeAll(status)
  const states = Object.entries(counts).map(([state, n]) => `${n} ${state}`)
  const rows = flows.map((f) => [f.id, f.command, f.input, f.state, `${f.done}/${f.shards}`, f.reason ?? ''])
  const head = ['id', 'command', 'text', 'state', 'shards', 'reason']
  return [`queue ${queue}: ${states.join(', ')}`, ...(rows.length === 0 ? [] : ['', table(rows, { head })])].join('\n')
}

/** Text of `fill-mask`: the candidates for each mask. */
export const maskText = (masks: readonly FilledMask[]): string =>
  masks
    .map(({ position, candidates }, i) => {
      const rows = candidates.map((c) => [c.token, c.probability.toFixed(4), String(c.id)])
      const candidatesTable = table(rows, { head: ['token', 'probability', 'id'], right: [1, 2] })
      return `[MASK] ${i + 1}, token ${position}\n${candidatesTable}`
    })
    .join('\n\n')

/** Text of `sentence-order`. */
export function orderText({ inOrder, probabilities: p }: SentenceOrder): string {
  const verdict = inOrder ? 'in order' : 'swapped'
  return `${verdict}  (in order ${p.inOrder.toFixed(4)}, swapped ${p.swapped.toFixed(4)})`
}

/** Text of `init`. */
export function initText(raw: InitReport): string {
  const report = escapeAll(raw)
  const { files, verified, tensors, family, task, seed } = report
  const width = Math.max(...files.map(({ path }) => path.length))
  const size = `${tensors} tensors, ${count(report.parameters)} parameters`
  return [
    `${report.preset}, ${family}, task ${task}: ${size}, seed ${seed}`,
    ...files.map((file) => `  ${file.path.padEnd(width)}  ${bytes(file.bytes)}`),
    ...(verified === null ? [] : [`weights  ${verified} of ${tensors} read back and found equal, bit for bit`]),
    ...report.notes.map((note) => `note     ${note}`),
    '',
    report.ok ? `wrote ${report.output}` : 'nothing was written: the check failed',
  ].join('\n')
}

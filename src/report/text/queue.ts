import type { QueueStatus } from '../../sharding/queue/status.js'
import { table } from '../table.js'

/** What a queue holds, for a person. */
export function queueText({ queue, counts, flows }: QueueStatus): string {
  const states = Object.entries(counts).map(([state, n]) => `${n} ${state}`)
  const rows = flows.map((f) => [f.id, f.command, f.input, f.state, `${f.done}/${f.shards}`, f.reason ?? ''])
  const head = ['id', 'command', 'text', 'state', 'shards', 'reason']
  return [`queue ${queue}: ${states.join(', ')}`, ...(rows.length === 0 ? [] : ['', table(rows, { head })])].join('\n')
}

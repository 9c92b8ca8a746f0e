import { utf8Text } from '../../base/bytes.js'
import { malformed } from '../../base/errors.js'
import { readShardFile, type ShardSet } from '../../sharding/merge.js'
import * as z from '../../vendor/zod.js'
import { isLowerBetter, METRICS, type MetricName } from '../finetune/train-tasks.js'
import type { MergedSweep, TrialResult } from './report.js'

/** Bytes of a trial's result; an honest one has some hundreds. */
const MAX_RESULT = 1 << 20

const count = z.int().check(z.gte(0))
const RESULT = z.object({
  trial: count,
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  metrics: z.nullable(z.record(z.string(), z.number())),
  steps: z.object({ total: count, taken: count, best: z.nullable(count) }),
  diagnoses: z.array(z.string()),
  folder: z.nullable(z.string()),
  notes: z.array(z.string()),
})

function resultOf(directory: string, manifest: ShardSet['manifests'][number]): TrialResult {
  const { output } = manifest
  const damaged = (cause?: unknown) =>
    malformed('the shard is not the result of a trial', {
      code: 'shard-mismatch',
      file: output.file,
      cause,
      hint: 'remove it and its manifest, and train the trial again',
    })
  if (output.bytes > MAX_RESULT) throw damaged()
  const text = [...readShardFile(directory, output)].map(utf8Text).join('')
  try {
    return RESULT.parse(JSON.parse(text)) as TrialResult
  } catch (error) {
    throw damaged(error)
  }
}

/**
 * Ranks the trials of a sweep by their metric, the best first; equal ones stay in the order of the grid.
 * @throws AlbertkitError `malformed` for a damaged shard
 */
export function rankTrials({ directory, manifests }: ShardSet): MergedSweep {
  const name = manifests[0].options.metric as MetricName
  if (!METRICS.includes(name))
    throw malformed('the shards of the sweep name no metric', { code: 'manifest-invalid', file: directory })
  const sign = isLowerBetter(name) ? 1 : -1
  const trials = manifests.map((manifest) => resultOf(directory, manifest))
  const rank = ({ metrics }: TrialResult): number => sign * (metrics?.[name] ?? sign * Infinity)
  trials.sort((a, b) => (rank(a) === rank(b) ? a.trial - b.trial : rank(a) - rank(b)))
  const [first] = trials
  return {
    command: 'finetune',
    shards: manifests.length,
    metric: { name, better: sign === 1 ? 'lowest' : 'highest' },
    trials,
    best: first?.metrics?.[name] === undefined ? null : first,
  }
}

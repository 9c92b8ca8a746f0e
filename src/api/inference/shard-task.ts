import { omitUndefined } from '../../base/omit-undefined.js'
import type { ShardTask } from '../../sharding/manifest.js'
import type { LineIndex, Shard } from '../../sharding/line-index.js'
import type { TextJob } from './job.js'
import type { TextModel } from './text-model.js'

/** Commands whose work on lines of text can be split into shards; of `finetune`, a sweep can. */
export const SHARD_COMMANDS = ['predict', 'evaluate', 'embed'] as const
export type ShardCommand = (typeof SHARD_COMMANDS)[number]
/** A task whose shards are lines of text. */
export type TextShardTask = ShardTask & { readonly command: ShardCommand }

/**
 * Options that all shards must share, besides model and input. Threads do not affect results; labels and vocabulary are
 * compared by content, not by path, and the vocabulary is part of the model's SHA-256.
 */
const optionsOf = (job: TextJob): Record<string, unknown> => {
  const { model: _m, input: _i, threads: _t, labels: _l, vocabulary: _v, ...options } = job
  return omitUndefined(options)
}

/** Describes a job as a task whose shards can be computed on any machine, and lists the shards. */
export function taskOf(
  command: ShardCommand,
  job: TextJob,
  model: TextModel,
  { shards, ...input }: LineIndex,
): { task: TextShardTask; shards: readonly Shard[] } {
  const labelNames = command !== 'embed' && model.labels !== null ? { labelNames: model.labels } : {}
  const options = { ...optionsOf(job), ...labelNames }
  return { task: { command, options, model: { sha256: model.sha256 }, input }, shards }
}

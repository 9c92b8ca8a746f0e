import { dirname, resolve } from 'node:path'
import { refuseExisting } from '../../files/atomic-file.js'
import { makeFolders } from '../../files/output-file.js'
import type { Shard } from '../../sharding/line-index.js'
import type { ShardTask } from '../../sharding/manifest.js'
import type { MergeJob } from '../../sharding/queue/jobs.js'
import { submit, type SubmitOptions, type SubmitReport } from '../../sharding/queue/submit.js'
import { errorsOf, hashOf } from './merge-job.js'

/** Options of everything that is submitted to a queue. */
export interface SubmitJobOptions extends Omit<SubmitOptions, 'allow'> {
  readonly output: string
  /** Replace an existing file. */
  readonly force?: boolean | undefined
}

/**
 * Submits a task: its shards are written beside `output` and merged into it when all are done.
 * @param places paths of the task, valid on every worker
 */
export function submitFlow(
  { task, shards }: { readonly task: ShardTask; readonly shards: readonly Shard[] },
  places: Omit<MergeJob['places'], 'directory'>,
  { output, force = false, ...options }: SubmitJobOptions,
): Promise<SubmitReport> {
  const target = resolve(output)
  const written = [target, errorsOf(target)]
  makeFolders(dirname(target))
  const merge: MergeJob = {
    kind: 'merge',
    task,
    places: { ...places, directory: `${target}.shards` },
    output: target,
    // A job cannot replace what it likes: only the very files that the submitter saw here.
    ...(force ? { replaces: written.flatMap((path) => hashOf(path) ?? []) } : {}),
  }
  const allow = (): void => {
    for (const path of written) refuseExisting(path, force)
  }
  return submit(merge, shards, { ...options, allow })
}

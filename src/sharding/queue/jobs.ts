import { createHash } from 'node:crypto'
import { malformed } from '../../base/errors.js'
import * as z from '../../vendor/zod.js'
import { shardSchema, taskSchema } from '../manifest.js'

/**
 * What travels through Redis: descriptions, never data. Model, input and output are paths that mean the same on every
 * worker, on a file system that they share.
 */
const places = z.object({
  model: z.string(),
  input: z.string(),
  directory: z.string(),
  /** Where it is not the one beside the model. */
  vocabulary: z.optional(z.string()),
})

export const shardJobSchema = z.object({
  kind: z.literal('shard'),
  task: taskSchema,
  shard: shardSchema,
  places,
})

export const mergeJobSchema = z.object({
  kind: z.literal('merge'),
  task: taskSchema,
  places,
  output: z.string(),
  force: z.boolean(),
})

const jobSchema = z.discriminatedUnion('kind', [shardJobSchema, mergeJobSchema])

export type ShardJob = z.Infer<typeof shardJobSchema>
export type MergeJob = z.Infer<typeof mergeJobSchema>
export type QueueJob = z.Infer<typeof jobSchema>

/** @throws AlbertkitError `malformed`: a queue is an input like any other */
export function parseJob(value: unknown, id: string): QueueJob {
  const parsed = jobSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw malformed(`job ${id} of the queue is not a job of albertkit: ${parsed.error.issues[0]?.message ?? ''}`, {
    code: 'record-invalid',
    field: parsed.error.issues[0]?.path.join('.') ?? '',
    hint: 'was it put there by another version?',
  })
}

/** The same request has the same id, so that handing it in twice does not make the work twice. */
export const flowId = (job: MergeJob): string =>
  createHash('sha256').update(JSON.stringify(job)).digest('hex').slice(0, 16)

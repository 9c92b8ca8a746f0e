import { createHash } from 'node:crypto'
import { malformed } from '../../base/errors.js'
import * as z from '../../vendor/zod.js'
import { shardSchema, taskSchema } from '../manifest.js'

/**
 * Paths of a job. Redis holds descriptions of jobs, never data: model, input and output are paths on a file system that
 * all workers share.
 */
const places = z.object({
  model: z.string(),
  input: z.string(),
  directory: z.string(),
  /** Path of the vocabulary, if it is not the one next to the model. */
  vocabulary: z.optional(z.string()),
  /** Of a sweep, whose input is the grid: the lines to train on and to evaluate on, and the configuration if it is named. */
  train: z.optional(z.string()),
  dev: z.optional(z.string()),
  config: z.optional(z.string()),
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
  /**
   * SHA-256 of files at the paths of the output when the job was submitted, which it may replace. Nothing else is
   * replaced, whatever a job says.
   */
  replaces: z.optional(z.array(z.string())),
})

const jobSchema = z.discriminatedUnion('kind', [shardJobSchema, mergeJobSchema])

export type ShardJob = z.Infer<typeof shardJobSchema>
export type MergeJob = z.Infer<typeof mergeJobSchema>
export type QueueJob = z.Infer<typeof jobSchema>

/** Validates the data of a job, which is untrusted input. @throws AlbertkitError `malformed` if it is not a job */
export function parseJob(value: unknown, id: string): QueueJob {
  const parsed = jobSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw malformed(`job ${id} of the queue is not a job of albertkit: ${parsed.error.issues[0]?.message ?? ''}`, {
    code: 'record-invalid',
    field: parsed.error.issues[0]?.path.join('.') ?? '',
    hint: 'it may come from another version of albertkit',
  })
}

/** Id of a request: equal requests have equal ids, so that submitting one twice does not run it twice. */
export const flowId = (job: MergeJob): string =>
  createHash('sha256').update(JSON.stringify(job)).digest('hex').slice(0, 16)

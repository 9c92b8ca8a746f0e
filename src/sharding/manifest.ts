import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { malformed } from '../base/errors.js'
import * as z from '../vendor/zod.js'
import { MAX_SHARDS } from './line-index.js'

const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/))
const size = z.int().check(z.gte(0))

const positive = z.int().check(z.gte(1))

export const shardSchema = z.object({
  index: size,
  count: positive.check(z.lte(MAX_SHARDS)),
  offset: size,
  bytes: size,
  firstLine: positive,
  lines: size,
  sha256,
})

export const COMMANDS = ['predict', 'evaluate', 'embed', 'finetune'] as const

/** Identity of the task of a shard: two shards belong together if all of these fields are equal. */
const task = {
  command: z.oneOf(COMMANDS),
  /** Options that change the result. */
  options: z.record(z.string(), z.unknown()),
  model: z.object({ sha256 }),
  input: z.object({ sha256, bytes: size, lines: size }),
}
export const taskSchema = z.object(task)

const outputSchema = z.object({ file: z.string(), sha256, bytes: size, lines: size })

export const manifestSchema = z.object({
  format: z.literal('albertkit-shard'),
  version: z.literal(1),
  ...task,
  shard: shardSchema,
  output: outputSchema,
  /** File of the lines that could not be used; null if there were none. */
  errors: z.nullable(outputSchema),
})

export type ShardTask = z.Infer<typeof taskSchema>
export type ShardManifest = z.Infer<typeof manifestSchema>
export type ShardFile = z.Infer<typeof outputSchema>

const padded = (n: number): string => String(n).padStart(5, '0')

/** File name of a shard without extension: `shard-00002-of-00008`, counted from 1 as on the command line. */
export const shardName = ({ index, count }: { readonly index: number; readonly count: number }): string =>
  `shard-${padded(index + 1)}-of-${padded(count)}`

export const manifestName = (shard: { readonly index: number; readonly count: number }): string =>
  `${shardName(shard)}.json`

export const MANIFEST_NAME = /^shard-\d{5,7}-of-\d{5,7}\.json$/

/** Reads the manifest of a shard. @throws AlbertkitError `malformed` if the file is not one */
export function readManifest(directory: string, name: string): ShardManifest {
  const file = join(directory, name)
  const hint = 'remove it and compute the shard again'
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw malformed('the manifest of the shard is not JSON', { code: 'manifest-invalid', file, cause: error, hint })
  }
  const parsed = manifestSchema.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const field = issue?.path.join('.') ?? ''
    throw malformed(`the manifest of the shard is invalid: ${issue?.message ?? ''}`, {
      code: 'manifest-invalid',
      file,
      field,
      hint,
    })
  }
  return parsed.data
}

/** Names the first part in which two tasks differ, for messages; null if they are equal. */
export function difference(a: ShardTask, b: ShardTask): string | null {
  if (a.command !== b.command) return `the command (${a.command}, ${b.command})`
  if (a.model.sha256 !== b.model.sha256) return 'the model'
  if (a.input.sha256 !== b.input.sha256) return 'the input'
  const names = [...new Set([...Object.keys(a.options), ...Object.keys(b.options)])]
  const name = names.find((key) => JSON.stringify(a.options[key]) !== JSON.stringify(b.options[key]))
  if (name === undefined) return null
  const shown = ({ options }: ShardTask): string => (name in options ? JSON.stringify(options[name]) : 'absent')
  return `the option ${name} (${shown(a)}, ${shown(b)})`
}

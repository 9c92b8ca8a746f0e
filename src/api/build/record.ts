import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '../../files/atomic-file.js'
import * as z from '../../vendor/zod.js'
import type { Identity, KnownHashes } from './identity.js'
import type { StepResult } from './steps.js'

/** What earlier builds found out, one file a model in the cache folder: without it everything is built again. */

/** A step that succeeded. */
export interface StepRecord {
  readonly identity: Identity
  readonly result: StepResult
}

export interface BuildRecord {
  readonly format: 'albertkit-build'
  readonly version: 1
  /** Directory, relative to the configuration, that a conversion of this build has begun to write, or wrote. */
  output: string | null
  /** Steps that succeeded, by their names. */
  steps: Record<string, StepRecord>
  /** Hashes of input files. */
  hashes: KnownHashes
}

const strings = z.array(z.string())
const recordSchema = z.object({
  format: z.literal('albertkit-build'),
  version: z.literal(1),
  output: z.nullable(z.string()),
  steps: z.record(
    z.string(),
    z.object({
      identity: z.object({
        albertkit: z.string(),
        options: z.record(z.string(), z.unknown()),
        inputs: z.record(z.string(), z.nullable(z.string())),
        converted: z.nullable(z.string()),
      }),
      result: z.object({
        missed: strings,
        notes: strings,
        figures: z.record(z.string(), z.object({ files: z.optional(strings), bytes: z.optional(z.number()) })),
      }),
    }),
  ),
  hashes: z.record(z.string(), z.object({ size: z.number(), at: z.number(), sha256: z.string() })),
})

const emptyRecord = (): BuildRecord => ({ format: 'albertkit-build', version: 1, output: null, steps: {}, hashes: {} })

const fileOf = (cache: string, name: string): string => join(cache, 'build', `${name}.json`)

/** What the cache knows of a model; nothing, if it has no record or one that cannot be read. */
export function readRecord(cache: string, name: string): BuildRecord {
  try {
    const parsed: unknown = JSON.parse(readFileSync(fileOf(cache, name), 'utf8'))
    // The schema checks; fields that it does not name are kept.
    return recordSchema.safeParse(parsed).success ? (parsed as BuildRecord) : emptyRecord()
  } catch {
    return emptyRecord()
  }
}

/** Writes the record of a model; whoever kills the build loses the step that runs, no other. */
export function writeRecord(cache: string, name: string, record: BuildRecord): void {
  writeWhole(fileOf(cache, name), `${JSON.stringify(record, null, 1)}\n`, true)
}

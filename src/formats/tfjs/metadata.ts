import { parseJson } from '../../base/json-text.js'
import * as z from '../../vendor/zod.js'
import type { FilePort } from '../core/file-port.js'
import { readText } from '../core/file.js'

/** Metadata that `convert` leaves in a `model.json` of tfjs. */

const USER_METADATA = z.object({ userDefinedMetadata: z.object({ albertkit: z.record(z.string(), z.unknown()) }) })

/** Metadata in what a `model.json` holds; empty if another program wrote it. */
export function metadataIn(json: unknown): ReadonlyMap<string, string> {
  const parsed = USER_METADATA.safeParse(json)
  if (!parsed.success) return new Map()
  const entries = Object.entries(parsed.data.userDefinedMetadata.albertkit)
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

/** Metadata of a `model.json`; empty if another program wrote it or it is not JSON. */
export function tfjsMetadata(files: FilePort, file: string): ReadonlyMap<string, string> {
  try {
    return metadataIn(parseJson(readText(files, file)))
  } catch (error) {
    if (error instanceof SyntaxError) return new Map()
    throw error
  }
}

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PRECISIONS, type Precision } from '../../export/export.js'

/** An object from JSON text that anybody may have written; an empty one where it is none. */
export function parsed(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

const precisionOf = (name: unknown): Precision => PRECISIONS.find((p) => p === name) ?? 'f32'

/** The precision that a tfjs artefact says it has. */
export function tfjsPrecision(directory: string): Precision | null {
  const file = join(directory, 'tfjs', 'model.json')
  if (!existsSync(file)) return null
  const { userDefinedMetadata } = parsed(readFileSync(file, 'utf8')) as {
    userDefinedMetadata?: { albertkit?: { dtype?: unknown } }
  }
  return precisionOf(userDefinedMetadata?.albertkit?.dtype)
}

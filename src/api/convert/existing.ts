import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { portable, readManifest } from '../../export/manifest.js'
import type { ModelConfig } from '../../model/config.js'
import type { Written } from './options.js'

/** What an existing output directory keeps, and what of it is replaced. */

/** Paths of the artefacts' files that a directory will have: those written, and those of other forms that stay. */
export function filesAfter(directory: string, written: readonly Written[]): string[] {
  const kept = Object.entries(readManifest(directory)?.artefacts ?? {}).filter(
    ([key]) => !written.some((form) => form.key === key),
  )
  return [
    ...written.flatMap(({ artefact }) => artefact.files.map(({ path }) => path)),
    ...kept.flatMap(([, { files }]) => files.map(({ name }) => name)),
  ]
}

/** Element type that the configuration in a directory gives to a safetensors file that is there. */
export function keptDtype(directory: string): { readonly dtype?: string } {
  if (readManifest(directory)?.artefacts.safetensors === undefined) return {}
  try {
    const { torch_dtype } = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as {
      torch_dtype?: unknown
    }
    return typeof torch_dtype === 'string' ? { dtype: torch_dtype } : {}
  } catch {
    return {}
  }
}

/** Notes on forms that stay in a directory although they were made from a model of another configuration. */
export function foreignForms(
  directory: string,
  written: readonly Pick<Written, 'key'>[],
  config: ModelConfig,
): string[] {
  const previous = readManifest(directory)
  if (previous === null) return []
  const kept = Object.keys(previous.artefacts).filter((key) => !written.some((form) => form.key === key))
  const same = isDeepStrictEqual(previous.config, JSON.parse(JSON.stringify(portable(config))))
  if (kept.length === 0 || same) return []
  return [`${kept.join(' and ')} stays as it was, made from a model of another configuration: convert it again too`]
}

/** Files of an existing directory that belong to forms which are written anew. */
export function replacedFiles(directory: string, written: readonly Written[]): Set<string> {
  const { artefacts = {} } = readManifest(directory) ?? {}
  const files = written.flatMap(({ key }) => artefacts[key]?.files ?? [])
  return new Set(files.map(({ name }) => name))
}

import { basename } from 'node:path'
import { existsSync } from 'node:fs'
import { outputError, type AlbertkitError } from '../../base/errors.js'
import { writeWhole } from '../../files/atomic-file.js'
import { PRESETS } from '../../model/accounting/presets.js'
import { draftConfig, type ConfigDraft } from '../../model/load/draft-config.js'
import { identify } from '../../model/names/identify.js'
import { selectVariables } from '../open/select.js'
import { openWithPlaces } from '../open/source.js'
import type { DraftReport, InspectOptions, InspectReport } from './report.js'
import { listVariables } from './variables.js'

const SIZES = ['embedding_size', 'hidden_size', 'intermediate_size'] as const

/** Published models that have the sizes of a draft, and their values of its unknown fields. */
function similarTo({ fields, unknown }: ConfigDraft, architecture: string): DraftReport['similar'] {
  const known = SIZES.filter((field) => typeof fields[field] === 'number')
  const fitting = PRESETS.filter(
    ({ config }) => config.architecture === architecture && known.every((field) => config[field] === fields[field]),
  )
  if (known.length < 2 || unknown.length === 0) return []
  return fitting.map(({ name, config }) => ({
    name,
    fields: Object.fromEntries(unknown.map((field) => [field, config[field as 'num_attention_heads']])),
  }))
}

/**
 * Describes a model that has no configuration: names, shapes, family, and what a configuration must say.
 * @param absent the error that a command which computes gives
 */
export async function inspectWithoutConfig(
  path: string,
  { writeConfig, ...options }: InspectOptions,
  absent: AlbertkitError,
): Promise<InspectReport> {
  if (writeConfig !== undefined && existsSync(writeConfig))
    throw outputError('the output exists already', {
      code: 'output-exists',
      file: writeConfig,
      hint: 'name another file',
    })
  const { source: stored } = await openWithPlaces(path, { allowMissingData: true, ...options })
  try {
    const { source, notes } = selectVariables(stored, options)
    if (options.checksum !== false) for (const name of source.tensors.keys()) source.verifyChecksum(name)
    const identification = identify(source)
    const { table, reason, mapped, skipped, unknown } = identification
    const draft = draftConfig(source, identification)
    if (writeConfig !== undefined) writeWhole(writeConfig, `${JSON.stringify(draft.fields, null, 2)}\n`)
    const saved = writeConfig === undefined ? [] : [`the draft of a configuration is in ${writeConfig}`]
    return {
      ok: false,
      format: source.format,
      files: source.files.map((file) => basename(file)),
      family: table.family,
      architecture: table.architecture,
      title: table.title,
      reason,
      config: null,
      draft: { ...draft, similar: similarTo(draft, table.architecture) },
      heads: [],
      variables: listVariables(source, identification),
      counts: { mapped: mapped.size, skipped: skipped.length, unknown: unknown.length, missing: 0 },
      skipped,
      unknown,
      missing: [],
      missingFiles: (source.missingFiles ?? []).map((file) => basename(file)),
      parameters: null,
      notes: [...source.notes, ...notes, `${absent.message}; ${absent.hint ?? ''}`, ...saved],
    }
  } finally {
    stored.close()
  }
}

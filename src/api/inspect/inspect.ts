import { basename } from 'node:path'
import { keepSources } from '../../base/sources.js'
import { AlbertkitError, usage } from '../../base/errors.js'
import { headsOf } from '../../model/outputs.js'
import { countParameters } from '../../model/accounting/count.js'
import { examineModel, type ExaminedModel } from '../open/open.js'
import { inspectWithoutConfig } from './without-config.js'
import type { InspectOptions, InspectReport } from './report.js'
import { listVariables } from './variables.js'

/** Note on a model that other operations refuse, because albertkit does not compute some of its parts. */
const refusalNote = ({ message, hint }: AlbertkitError): string =>
  `this model cannot be run: ${message}${hint === undefined ? '' : `; ${hint}`}`

/**
 * Describes a model: its family and how it was recognised, its variables and parameter counts. Every tensor's checksum
 * is verified unless `checksum` is false. If data files or the configuration are absent, names and shapes are still
 * listed, and `ok` is false.
 * @throws AlbertkitError as `openModel`, except that missing variables are reported, not thrown
 */
export function inspectModel(path: string, options: InspectOptions = {}): Promise<InspectReport> {
  return keepSources(() => inspect(path, options))
}

async function inspect(path: string, options: InspectOptions): Promise<InspectReport> {
  let examined: ExaminedModel
  try {
    examined = await examineModel(path, { allowMissingData: true, ...options })
  } catch (error) {
    if (!(error instanceof AlbertkitError) || error.code !== 'config-missing') throw error
    return inspectWithoutConfig(path, options, error)
  }
  try {
    if (options.writeConfig !== undefined)
      throw usage('`writeConfig` is for models without a configuration', {
        code: 'option-conflict',
        file: examined.rawConfig.file,
      })
    const { source, identification, config, plan } = examined
    if (options.checksum !== false) for (const name of source.tensors.keys()) source.verifyChecksum(name)
    const { table, reason, mapped, skipped, unknown } = identification
    const complete = plan.missing.length === 0
    const missingFiles = (source.missingFiles ?? []).map((file) => basename(file))
    return {
      // What albertkit does not compute explains what is missing: PEFT renames the layers that it wraps.
      ok: (complete || examined.refusal !== null) && missingFiles.length === 0,
      format: source.format,
      files: source.files.map((file) => basename(file)),
      family: table.family,
      architecture: table.architecture,
      title: table.title,
      reason,
      config,
      draft: null,
      heads: headsOf(plan.model),
      variables: listVariables(source, identification),
      counts: { mapped: mapped.size, skipped: skipped.length, unknown: unknown.length, missing: plan.missing.length },
      skipped,
      unknown,
      missing: plan.missing,
      missingFiles,
      parameters: complete ? countParameters(plan.model, source) : null,
      notes: [...examined.notes, ...(examined.refusal === null ? [] : [refusalNote(examined.refusal)])],
    }
  } finally {
    examined.close()
  }
}

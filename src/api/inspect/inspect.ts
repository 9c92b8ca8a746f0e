import { basename } from 'node:path'
import type { AlbertkitError } from '../../base/errors.js'
import { elementCount } from '../../formats/core/source.js'
import { headsOf } from '../../model/outputs.js'
import { countParameters } from '../../model/accounting/count.js'
import { examineModel, type ExaminedModel, type OpenModelOptions } from '../open/open.js'
import type { InspectReport, VariableReport } from './report.js'

function listVariables(examined: ExaminedModel): VariableReport[] {
  const slots = new Map([...examined.identification.mapped.values()].map((m) => [m.variable, m.slot]))
  return [...examined.source.tensors.values()].map(({ name, dtype, shape, byteLength }) => ({
    name,
    dtype,
    shape,
    parameters: elementCount(shape),
    bytes: byteLength,
    slot: slots.get(name) ?? null,
  }))
}

/** Note on a model that other operations refuse, because albertkit does not compute some of its parts. */
const refusalNote = ({ message, hint }: AlbertkitError): string =>
  `this model cannot be run: ${message}${hint === undefined ? '' : `; ${hint}`}`

/**
 * Describes a model: its family and how it was recognised, its variables and parameter counts. Every tensor's checksum
 * is verified unless `checksum` is false. If data files are absent, names and shapes are still listed, and `ok` is
 * false.
 * @throws AlbertkitError as `openModel`, except that missing variables are reported, not thrown
 */
export async function inspectModel(path: string, options: OpenModelOptions = {}): Promise<InspectReport> {
  const examined = await examineModel(path, { allowMissingData: true, ...options })
  try {
    const { source, identification, config, plan } = examined
    if (options.checksum !== false) for (const name of source.tensors.keys()) source.verifyChecksum(name)
    const { table, reason, mapped, skipped, unknown } = identification
    const complete = plan.missing.length === 0
    const missingFiles = (source.missingFiles ?? []).map((file) => basename(file))
    return {
      ok: complete && missingFiles.length === 0,
      format: source.format,
      files: source.files.map((file) => basename(file)),
      family: table.family,
      architecture: table.architecture,
      title: table.title,
      reason,
      config,
      heads: headsOf(plan.model),
      variables: listVariables(examined),
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

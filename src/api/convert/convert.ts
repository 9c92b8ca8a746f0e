import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { writeText } from '../../files/output-file.js'
import { outputError, usage } from '../../base/errors.js'
import { OutputDirectory } from '../../files/output-directory.js'
import { Hasher } from '../../files/hash.js'
import { TARGETS } from '../../export/export.js'
import { resolveTask } from '../../model/outputs.js'
import { countParameters } from '../../model/accounting/count.js'
import { foreignForms, replacedFiles } from './existing.js'
import { writeForms, type Plans } from './forms.js'
import { manifestOf } from './manifest.js'
import type { ArtefactReport, ConvertOptions, ConvertReport } from './options.js'
import type { GateReport } from '../gate/gate.js'
import { checkForm, growthOf, isFileTarget, plannedBytes, plannedFiles, planFiles } from '../checkpoint-files.js'
import { openModel, type OpenedModel } from '../open/open.js'
import { checkPrecisions, formsOf } from './precisions.js'
import { writeTokenizer } from './tokenizer-files.js'
import { verifyOpened, type VerifyOptions, type VerifyReport } from '../verify/verify.js'

export type { ArtefactReport, ConvertOptions, ConvertReport } from './options.js'

function checkRequest(directory: string, options: ConvertOptions): void {
  const { targets, dtypes, force, as } = options
  if (targets.length === 0) throw usage('no form to convert to', { hint: `choose with --to: ${TARGETS.join(', ')}` })
  checkForm(as, targets, directory)
  checkPrecisions(formsOf(targets, dtypes), options)
  if (!existsSync(directory) || force === true) return
  throw outputError('the output directory exists already', {
    file: directory,
    hint: '--force replaces the forms named and keeps the others',
  })
}

const verifyOptions = ({ atol, onProgress }: ConvertOptions): VerifyOptions => ({
  ...(atol === undefined ? {} : { atol }),
  ...(onProgress === undefined ? {} : { onProgress }),
})

/** What a dry run can say of the forms that it would write. */
function planned(plans: Plans, { targets, dtypes }: ConvertOptions): ArtefactReport[] {
  return formsOf(targets, dtypes).map(({ target, precision }) => {
    const plan = isFileTarget(target) ? plans.get(target) : undefined
    const dtype = precision === 'f32' ? {} : { dtype: precision }
    if (!isFileTarget(target) || plan === undefined)
      return { target, ...dtype, files: [], weightBytes: null, outputs: [] }
    return { target, ...dtype, files: plannedFiles(target, plan), weightBytes: plannedBytes(plan), outputs: [] }
  })
}

function report(
  opened: OpenedModel,
  plans: Plans,
  directory: string,
  options: ConvertOptions,
  artefacts: readonly ArtefactReport[],
  verification: VerifyReport | null,
  gate: readonly GateReport[] = [],
  notes: readonly string[] = [],
): ConvertReport {
  return {
    ok: (verification?.ok ?? true) && gate.every(({ ok }) => ok),
    family: opened.config.family,
    task: resolveTask(opened.model, options.task ?? 'auto'),
    output: directory,
    dryRun: options.dryRun ?? false,
    artefacts,
    parameters: countParameters(opened.model, opened.source).stored,
    growth: growthOf(opened, plans.get('safetensors')),
    verification,
    gate,
    notes: [...opened.notes, ...[...plans.values()].flatMap((plan) => plan.notes), ...notes],
  }
}

/**
 * Converts a model and proves the result before it appears: everything is written into a directory beside
 * `directory`, verified there, and renamed.
 * @throws AlbertkitError; a failed verification is a report with `ok: false`, and leaves nothing behind
 */
export async function convertModel(path: string, directory: string, options: ConvertOptions): Promise<ConvertReport> {
  checkRequest(directory, options)
  const opened = await openModel(path, options)
  try {
    const task = resolveTask(opened.model, options.task ?? 'auto')
    const plans = planFiles(opened, options.targets, options.as, options.dtypes?.[0])
    if (options.dryRun === true) return report(opened, plans, directory, options, planned(plans, options), null)
    const output = new OutputDirectory(directory, { force: options.force ?? false })
    const hasher = new Hasher()
    try {
      for (const file of [...opened.source.files, opened.rawConfig.file]) hasher.add(file)
      const written = await writeForms(opened, plans, { directory, staging: output.staging }, hasher, options)
      const notes = writeTokenizer(opened.directory, output.staging, opened.config.max_position_embeddings)
      const gate = written.flatMap((form) => form.gate ?? [])
      const passed = gate.every(({ ok }) => ok)
      // What the gate refuses need not be verified.
      const verification =
        options.verify === false || !passed
          ? null
          : await verifyOpened(opened, output.staging, verifyOptions(options), task)
      const artefacts = written.map(({ target, precision, artefact }): ArtefactReport => ({
        target,
        ...(precision === 'f32' ? {} : { dtype: precision }),
        files: artefact.files.map((f) => f.path),
        weightBytes: artefact.weightBytes,
        outputs: artefact.outputs,
      }))
      const kept = foreignForms(directory, written, opened.config)
      const said = report(opened, plans, directory, options, artefacts, verification, gate, [...notes, ...kept])
      if (!said.ok) return said
      const hashes = await hasher.finish()
      writeText(
        join(output.staging, 'albertkit.json'),
        manifestOf(opened, directory, written, hashes, output.staging, verification, options),
      )
      output.commit(['onnx'], replacedFiles(directory, written))
      return said
    } catch (error) {
      throw output.named(error)
    } finally {
      await hasher.close()
      output.discard()
    }
  } finally {
    opened.close()
  }
}

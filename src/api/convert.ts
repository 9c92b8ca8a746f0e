import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { outputError, usage } from '../errors.js'
import { OutputDirectory } from '../export/atomic.js'
import { Hasher, type FileHash } from '../export/hash.js'
import { exportModel, TARGETS, type Target, type WrittenArtefact } from '../export/index.js'
import { buildManifest, readManifest } from '../export/manifest.js'
import { resolveTask } from '../model/outputs.js'
import { countParameters } from '../model/parameters.js'
import type { FileTarget, Form, Translation } from '../model/translation.js'
import { RUNNERS } from '../runtime/index.js'
import { openModel, type OpenedModel, type OpenModelOptions } from './open.js'
import {
  checkForm,
  configJson,
  growthOf,
  isFileTarget,
  plannedBytes,
  plannedFiles,
  planFiles,
  writeFile,
  type Growth,
} from './model-files.js'
import { writeTokenizer } from './tokenizer-files.js'
import { verifyOpened, type VerifyOptions, type VerifyReport } from './verify.js'

export interface ConvertOptions extends OpenModelOptions {
  /** Forms to write. */
  readonly targets: readonly Target[]
  /** Bring the model into this architecture by multiplying out and copying; with the target `safetensors` alone. */
  readonly as?: Form
  /** Write `embedding_output` and every `hidden_state_<i>` as outputs too. */
  readonly allOutputs?: boolean
  /** Verify what was written before it appears; default true. */
  readonly verify?: boolean
  /** Absolute bound of the verification instead of the usual ones. */
  readonly atol?: number
  /** Replace the named forms in an existing directory. */
  readonly force?: boolean
  /** Say what would be written and write nothing. */
  readonly dryRun?: boolean
  readonly onProgress?: (what: string) => void
}

type Plans = ReadonlyMap<FileTarget, Translation>

export interface ArtefactReport {
  readonly target: Target
  /** Relative paths. */
  readonly files: readonly string[]
  /** Bytes of the weights; null in a dry run of a graph. */
  readonly weightBytes: number | null
  readonly outputs: readonly string[]
}

export interface ConvertReport {
  /** False where verification said no; then nothing was written. */
  readonly ok: boolean
  readonly family: string
  readonly task: string
  readonly output: string
  readonly dryRun: boolean
  readonly artefacts: readonly ArtefactReport[]
  /** Distinct parameters of the source. */
  readonly parameters: number
  /** With `as`: how much larger the result is. */
  readonly growth: Growth | null
  /** Null where verification was switched off. */
  readonly verification: VerifyReport | null
  /** What a person should know about how the source was read, and about the result. */
  readonly notes: readonly string[]
}

function checkRequest(directory: string, { targets, force, as }: ConvertOptions): void {
  if (targets.length === 0) throw usage('no form to convert to', { hint: `choose with --to: ${TARGETS.join(', ')}` })
  checkForm(as, targets, directory)
  if (!existsSync(directory) || force === true) return
  throw outputError('the output directory exists already', {
    file: directory,
    hint: '--force replaces the forms named and keeps the others',
  })
}

/** Everything that a conversion writes, into `staging`; nothing of it is visible yet. */
async function write(
  opened: OpenedModel,
  plans: Plans,
  staging: string,
  hasher: Hasher,
  options: ConvertOptions,
): Promise<Map<Target, WrittenArtefact>> {
  const written = new Map<Target, WrittenArtefact>()
  for (const target of new Set(options.targets)) {
    options.onProgress?.(`writing ${target}`)
    const onFile = (path: string): void => { hasher.add(path) } // prettier-ignore
    if (isFileTarget(target)) {
      written.set(target, await writeFile(opened, target, plans.get(target)!, staging, { onFile }))
      continue
    }
    const artefact = await exportModel(opened.model, opened.source, target, staging, {
      task: options.task ?? 'auto',
      allOutputs: options.allOutputs ?? false,
      onFile,
    })
    written.set(target, artefact)
  }
  writeFileSync(join(staging, 'config.json'), configJson(opened, plans.get('safetensors'), options.task ?? 'auto'))
  return written
}

/** The parity figures of one form for the manifest: reproducible, so without times. */
function figures(report: VerifyReport | null, target: Target): object | null {
  if (report === null) return null
  const weights = report.weights.find((w) => w.artefact === target)
  return {
    arbiter: 'float64 reference',
    inputs: report.inputs,
    comparisons: report.comparisons.filter(
      ({ runner }) =>
        runner === `reference(${target})` || RUNNERS.some((r) => r.name === runner && r.artefact === target),
    ),
    weights: { compared: weights?.compared ?? 0, ok: weights?.ok ?? false },
  }
}

function manifestOf(
  opened: OpenedModel,
  directory: string,
  written: ReadonlyMap<Target, WrittenArtefact>,
  hashes: ReadonlyMap<string, FileHash>,
  staging: string,
  verification: VerifyReport | null,
  options: ConvertOptions,
): string {
  return buildManifest({
    source: {
      format: opened.source.format,
      files: [...opened.source.files, opened.rawConfig.file].map((path) => ({ path, hash: hashes.get(path) })),
    },
    config: opened.config,
    task: resolveTask(opened.model, options.task ?? 'auto'),
    artefacts: [...written].map(([target, artefact]) => ({
      target,
      artefact,
      hashes: artefact.files.map((file) => hashes.get(join(staging, file.path))),
      as: target === 'safetensors' ? options.as : undefined,
    })),
    verification: (target) => figures(verification, target),
    previous: readManifest(directory),
  })
}

const verifyOptions = ({ atol, onProgress }: ConvertOptions): VerifyOptions => ({
  ...(atol === undefined ? {} : { atol }),
  ...(onProgress === undefined ? {} : { onProgress }),
})

/** What a dry run can say of the forms that it would write. */
function planned(plans: Plans, { targets }: ConvertOptions): ArtefactReport[] {
  return [...new Set(targets)].map((target) => {
    const plan = isFileTarget(target) ? plans.get(target) : undefined
    if (!isFileTarget(target) || plan === undefined) return { target, files: [], weightBytes: null, outputs: [] }
    return { target, files: plannedFiles(target, plan), weightBytes: plannedBytes(plan), outputs: [] }
  })
}

function report(
  opened: OpenedModel,
  plans: Plans,
  directory: string,
  options: ConvertOptions,
  artefacts: readonly ArtefactReport[],
  verification: VerifyReport | null,
  notes: readonly string[] = [],
): ConvertReport {
  return {
    ok: verification?.ok ?? true,
    family: opened.config.family,
    task: resolveTask(opened.model, options.task ?? 'auto'),
    output: directory,
    dryRun: options.dryRun ?? false,
    artefacts,
    parameters: countParameters(opened.model, opened.source).stored,
    growth: growthOf(opened, plans.get('safetensors')),
    verification,
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
    const plans = planFiles(opened, options.targets, options.as)
    if (options.dryRun === true) return report(opened, plans, directory, options, planned(plans, options), null)
    const output = new OutputDirectory(directory)
    const hasher = new Hasher()
    try {
      for (const file of [...opened.source.files, opened.rawConfig.file]) hasher.add(file)
      const written = await write(opened, plans, output.staging, hasher, options)
      const notes = writeTokenizer(opened.directory, output.staging, opened.config.max_position_embeddings)
      const verification =
        options.verify === false ? null : await verifyOpened(opened, output.staging, verifyOptions(options), task)
      const artefacts = [...written].map(([target, a]): ArtefactReport => ({
        target,
        files: a.files.map((f) => f.path),
        weightBytes: a.weightBytes,
        outputs: a.outputs,
      }))
      if (verification?.ok === false) return report(opened, plans, directory, options, artefacts, verification, notes)
      const hashes = await hasher.finish()
      writeFileSync(
        join(output.staging, 'albertkit.json'),
        manifestOf(opened, directory, written, hashes, output.staging, verification, options),
      )
      output.commit()
      return report(opened, plans, directory, options, artefacts, verification, notes)
    } finally {
      await hasher.close()
      output.discard()
    }
  } finally {
    opened.close()
  }
}

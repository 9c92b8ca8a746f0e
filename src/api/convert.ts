import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { outputError, usage } from '../errors.js'
import { OutputDirectory } from '../export/atomic.js'
import { Hasher, type FileHash } from '../export/hash.js'
import { exportModel, TARGETS, type Target, type WrittenArtefact } from '../export/index.js'
import { buildConfigJson, buildManifest, readManifest } from '../export/manifest.js'
import { resolveTask } from '../model/outputs.js'
import { countParameters } from '../model/parameters.js'
import { RUNNERS } from '../runtime/index.js'
import { openModel, type OpenedModel, type OpenModelOptions } from './open.js'
import { findVocabulary, readLabels } from './side-files.js'
import { verifyOpened, type VerifyOptions, type VerifyReport } from './verify.js'

export interface ConvertOptions extends OpenModelOptions {
  /** Forms to write. */
  readonly targets: readonly Target[]
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

export interface ArtefactReport {
  readonly target: Target
  /** Relative paths. */
  readonly files: readonly string[]
  /** Bytes of the weights; null in a dry run. */
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
  /** Null where verification was switched off. */
  readonly verification: VerifyReport | null
  /** What a person should know about how the source was read. */
  readonly notes: readonly string[]
}

function checkRequest(directory: string, { targets, force }: ConvertOptions): void {
  if (targets.length === 0) throw usage('no form to convert to', { hint: `choose with --to: ${TARGETS.join(', ')}` })
  if (!existsSync(directory) || force === true) return
  throw outputError('the output directory exists already', {
    file: directory,
    hint: '--force replaces the forms named and keeps the others',
  })
}

/** Everything that a conversion writes, into `staging`; nothing of it is visible yet. */
async function write(
  opened: OpenedModel,
  staging: string,
  hasher: Hasher,
  options: ConvertOptions,
): Promise<Map<Target, WrittenArtefact>> {
  const written = new Map<Target, WrittenArtefact>()
  for (const target of new Set(options.targets)) {
    options.onProgress?.(`writing ${target}`)
    const artefact = await exportModel(opened.model, opened.source, target, staging, {
      task: options.task ?? 'auto',
      allOutputs: options.allOutputs ?? false,
      onFile: (path) => { hasher.add(path) },
    }) // prettier-ignore
    written.set(target, artefact)
  }
  const vocabulary = findVocabulary(opened.directory)
  if (vocabulary !== null) copyFileSync(vocabulary, join(staging, 'vocab.txt'))
  const labels = readLabels(opened.directory, opened.config)
  writeFileSync(
    join(staging, 'config.json'),
    buildConfigJson(opened.model, resolveTask(opened.model, options.task ?? 'auto'), labels),
  )
  return written
}

/** The parity figures of one form for the manifest: reproducible, so without times. */
function figures(report: VerifyReport | null, target: Target): object | null {
  if (report === null) return null
  const weights = report.weights.find((w) => w.artefact === target)
  return {
    arbiter: 'float64 reference',
    inputs: report.inputs,
    comparisons: report.comparisons.filter((c) => RUNNERS.some((r) => r.name === c.runner && r.artefact === target)),
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
    })),
    verification: (target) => figures(verification, target),
    previous: readManifest(directory),
  })
}

const verifyOptions = ({ atol, onProgress }: ConvertOptions): VerifyOptions => ({
  ...(atol === undefined ? {} : { atol }),
  ...(onProgress === undefined ? {} : { onProgress }),
})

function report(
  opened: OpenedModel,
  directory: string,
  options: ConvertOptions,
  artefacts: readonly ArtefactReport[],
  verification: VerifyReport | null,
): ConvertReport {
  return {
    ok: verification?.ok ?? true,
    family: opened.config.family,
    task: resolveTask(opened.model, options.task ?? 'auto'),
    output: directory,
    dryRun: options.dryRun ?? false,
    artefacts,
    parameters: countParameters(opened.model, opened.source).stored,
    verification,
    notes: opened.notes,
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
    if (options.dryRun === true) {
      const plan = [...new Set(options.targets)].map((target) => ({
        target,
        files: [],
        weightBytes: null,
        outputs: [],
      }))
      return report(opened, directory, options, plan, null)
    }
    const output = new OutputDirectory(directory)
    const hasher = new Hasher()
    try {
      for (const file of [...opened.source.files, opened.rawConfig.file]) hasher.add(file)
      const written = await write(opened, output.staging, hasher, options)
      const verification =
        options.verify === false ? null : await verifyOpened(opened, output.staging, verifyOptions(options), task)
      const artefacts = [...written].map(([target, a]): ArtefactReport => ({
        target,
        files: a.files.map((f) => f.path),
        weightBytes: a.weightBytes,
        outputs: a.outputs,
      }))
      if (verification?.ok === false) return report(opened, directory, options, artefacts, verification)
      const hashes = await hasher.finish()
      writeFileSync(
        join(output.staging, 'albertkit.json'),
        manifestOf(opened, directory, written, hashes, output.staging, verification, options),
      )
      output.commit()
      return report(opened, directory, options, artefacts, verification)
    } finally {
      await hasher.close()
      output.discard()
    }
  } finally {
    opened.close()
  }
}

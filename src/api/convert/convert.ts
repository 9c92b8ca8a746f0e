import { requireObject, requireOneOf, requireText, requireTexts } from '../../base/arguments.js'
import { keepSources, refuseSources } from '../../base/sources.js'
import { PRECISIONS, TARGET_NAMES } from '../../base/artefact-layout.js'
import { stoppable } from '../../base/abort.js'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  artefactPath,
  CARD_FILE,
  CONFIG_FILE,
  hasFilePerPrecision,
  isCheckpointTarget,
  MANIFEST_FILE,
} from '../../base/artefact-layout.js'
import { outputError, usage } from '../../base/errors.js'
import { checkpointTarget, TARGETS } from '../../export/targets.js'
import { Hasher } from '../../files/hash.js'
import { OutputDirectory } from '../../files/output-directory.js'
import { writeText } from '../../files/output-file.js'
import { findTokenizer, tokenizerName } from '../../text/tokenizers/load.js'
import { openModel, type OpenedModel } from '../open/open.js'
import { verifyOpened, type VerifyOptions, type VerifyReport } from '../verify/verify.js'
import { planConversion, type Conversion } from './conversion.js'
import { writeDemo } from './demo.js'
import { ExistingOutput } from './existing.js'
import { growthOf, plannedBytes } from './growth.js'
import { cardOf, manifestText } from './manifest.js'
import { checkOptions, type ConvertOptions } from './options.js'
import type { ArtefactReport, ConvertReport } from './report.js'
import { artefactSpecs, type ArtefactSpec, type ConvertedArtefact } from './specs.js'
import { tokenizerHome } from '../open/tokenizer.js'
import { writeSentenceModules } from './sentence-modules.js'
import { writeTokenizer } from './tokenizer-files.js'
import { writeArtefacts } from './write-artefacts.js'

type Request = Pick<Conversion, 'directory' | 'existing' | 'options' | 'specs'>

/** Validates options and output directory before the model is opened. @throws AlbertkitError `usage` or `output` */
function readRequest(directory: string, options: ConvertOptions): Request {
  const { targets, dtypes, force, targetArchitecture: as } = options
  if (targets.length === 0)
    throw usage('no target to convert to', {
      code: 'option-missing',
      hint: `choose \`targets\`: ${TARGETS.map(({ name }) => name).join(', ')}`,
    })
  const specs = artefactSpecs(targets, dtypes)
  checkOptions(specs, options)
  const existing = ExistingOutput.read(directory)
  if (as !== undefined) existing.checkArchitecture(as)
  if (options.card === true) existing.checkCard()
  if (options.demo === true) existing.checkDemo()
  if (existsSync(directory) && force !== true)
    throw outputError('the output directory exists already', {
      code: 'output-exists',
      file: directory,
      hint: 'use `force` to overwrite the formats you named; other files stay',
    })
  return { directory, existing, options, specs }
}

const verifyOptions = ({ atol, onProgress }: ConvertOptions): VerifyOptions => ({
  ...(atol === undefined ? {} : { atol }),
  ...(onProgress === undefined ? {} : { onProgress }),
})

const dtypeOf = ({ precision }: ArtefactSpec) => (precision === 'f32' ? {} : { dtype: precision })

/** Reports of the artefacts that a dry run would write. */
function plannedReports({ specs, plans }: Conversion): ArtefactReport[] {
  return specs.map((spec) => {
    const { target } = spec
    const plan = isCheckpointTarget(target) ? plans.get(target) : undefined
    const common = { target, ...dtypeOf(spec), outputs: [] }
    if (!isCheckpointTarget(target) || plan === undefined) return { ...common, files: [], weightBytes: null }
    return { ...common, files: checkpointTarget(target).plannedFiles(plan), weightBytes: plannedBytes(plan) }
  })
}

const writtenReports = (written: readonly ConvertedArtefact[]): ArtefactReport[] =>
  written.map(({ artefact, ...spec }) => ({
    target: spec.target,
    ...dtypeOf(spec),
    files: artefact.files.map((file) => file.path),
    weightBytes: artefact.weightBytes,
    outputs: artefact.outputs,
  }))

type Outcome = Pick<ConvertReport, 'artefacts' | 'verification' | 'gate' | 'notes'>

function reportOf(
  { opened, plans, task, options, directory, parameters }: Conversion,
  outcome: Outcome,
): ConvertReport {
  return {
    ok: (outcome.verification?.ok ?? true) && outcome.gate.every(({ ok }) => ok),
    family: opened.config.family,
    task,
    output: directory,
    dryRun: options.dryRun ?? false,
    artefacts: outcome.artefacts,
    parameters: parameters.stored,
    growth: growthOf(parameters, plans.get('safetensors')),
    verification: outcome.verification,
    gate: outcome.gate,
    notes: [...opened.notes, ...[...plans.values()].flatMap((plan) => plan.notes), ...outcome.notes],
  }
}

/** Folders in which a conversion adds files and keeps existing ones. */
const SHARED_FOLDERS = TARGETS.filter(hasFilePerPrecision).map(({ folder }) => folder)

/** Refuses to write over the source, before anything is computed; the rest of the files is checked when they appear. */
function refuseOverSource({ files, directory: home }: OpenedModel, { directory, specs }: Request): void {
  const vocabulary = findTokenizer(files, home)
  const names = [
    CONFIG_FILE,
    MANIFEST_FILE,
    ...(vocabulary === null ? [] : [tokenizerName(vocabulary)]),
    ...specs.map(({ target, precision }) => artefactPath(target, precision)),
  ]
  refuseSources(names.map((name) => join(directory, name)))
}

/** Writes into a hidden directory, verifies there, and renames everything into place on success. */
async function write(conversion: Conversion): Promise<ConvertReport> {
  const { opened, directory, existing, task, options } = conversion
  const output = new OutputDirectory(directory, { force: options.force ?? false })
  const { staging } = output
  const hasher = new Hasher()
  try {
    for (const file of [...opened.source.files, opened.rawConfig.file]) hasher.add(file, opened.files)
    const written = await writeArtefacts(conversion, staging, hasher)
    const notes = writeTokenizer(
      { files: opened.files, directory: tokenizerHome(opened), vocabulary: options.vocabulary },
      staging,
      opened.config.max_position_embeddings,
    )
    notes.push(...writeSentenceModules(opened, staging))
    const gate = written.flatMap((one) => one.gate ?? [])
    let verification: VerifyReport | null = null
    // Artefacts that the gate rejects need no verification.
    if (options.verify !== false && gate.every(({ ok }) => ok))
      verification = await verifyOpened(opened, staging, verifyOptions(options), task)
    const report = reportOf(conversion, {
      artefacts: writtenReports(written),
      verification,
      gate,
      notes: [...notes, ...existing.foreignNotes(written, opened.config)],
    })
    if (!report.ok) return report
    const demo = options.demo === true ? [await writeDemo(staging, existing.keysAfter(written))] : []
    const hashes = await hasher.finish()
    const manifest = manifestText({ conversion, staging, written, hashes, verification })
    if (options.card === true) writeText(join(staging, CARD_FILE), cardOf(conversion, manifest))
    writeText(join(staging, MANIFEST_FILE), manifest)
    await output.flush()
    output.commit(SHARED_FOLDERS, existing.replacedFiles(written))
    return { ...report, notes: [...report.notes, ...demo] }
  } catch (error) {
    throw output.named(error)
  } finally {
    await hasher.close()
    output.discard()
  }
}

/**
 * Converts a model and verifies the result before it appears: everything is written into a directory next to
 * `directory`, verified there, and renamed.
 * @throws AlbertkitError; a failed verification is a report with `ok: false`, and leaves nothing behind
 */
export function convertModel(path: string, directory: string, asked: ConvertOptions): Promise<ConvertReport> {
  return keepSources(() => convert(path, directory, asked))
}

async function convert(path: string, directory: string, asked: ConvertOptions): Promise<ConvertReport> {
  requireText('path', path)
  requireText('directory', directory)
  requireObject('options', asked)
  requireTexts('targets', asked.targets, TARGET_NAMES)
  if (asked.dtypes !== undefined) requireOneOf('dtypes', asked.dtypes, PRECISIONS)
  const options = stoppable(asked)
  const request = readRequest(directory, options)
  const opened = await openModel(path, options)
  try {
    refuseOverSource(opened, request)
    const conversion = planConversion(opened, request)
    if (options.dryRun !== true) return await write(conversion)
    return reportOf(conversion, { artefacts: plannedReports(conversion), verification: null, gate: [], notes: [] })
  } finally {
    opened.close()
  }
}

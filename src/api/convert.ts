import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { outputError, usage } from '../errors.js'
import { OutputDirectory } from '../export/atomic.js'
import { Hasher, type FileHash } from '../export/hash.js'
import {
  exportModel,
  TARGETS,
  type ExportOptions,
  type GraphTarget,
  type Precision,
  type Target,
  type WriteEvents,
  type WrittenArtefact,
} from '../export/index.js'
import { buildManifest, readManifest } from '../export/manifest.js'
import { resolveTask } from '../model/outputs.js'
import { countParameters } from '../model/parameters.js'
import type { FileTarget, Form, Translation } from '../model/translation.js'
import { RUNNERS } from '../runtime/index.js'
import { askGate, type GateReport, type GateRequest } from './gate.js'
import { checkPrecisions, formsOf, type FormRequest } from './precisions.js'
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
  /**
   * Element types of the weights: several for ONNX, one for tfjs and safetensors. By default float32 alone, and in
   * safetensors the source's own.
   */
  readonly dtypes?: readonly Precision[]
  /** ONNX: version of the operator set. */
  readonly opset?: number
  /** ONNX: weights in a file of their own, whatever their size. */
  readonly externalData?: boolean
  /** ONNX f16: compute in float16 too. */
  readonly halfCompute?: boolean
  /** int8: leave activations as they are. */
  readonly weightsOnly?: boolean
  /** Leave embedding tables as they are. */
  readonly keepEmbeddings?: boolean
  /** Least part of answers that must stay the same where weights are not float32; 0 asks nothing. Default 0.99. */
  readonly minAgreement?: number
  /**
   * Lines of text to ask that of, labelled ones for a classifier (the format by the name: .tsv, .csv, .jsonl, else lines).
   * By default built-in sentences where the model has a vocabulary that knows them, else drawn tokens.
   */
  readonly gate?: string
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
  /** Element type, where one was asked for that is not float32. */
  readonly dtype?: Precision
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
  /** Of every form whose weights are not float32: how far its answers are those of float32. */
  readonly gate: readonly GateReport[]
  /** What a person should know about how the source was read, and about the result. */
  readonly notes: readonly string[]
}

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

/** What was written of one form, and what the gate said of it. */
interface Written extends FormRequest {
  readonly artefact: WrittenArtefact
  readonly gate: GateReport | null
}

/** Options of one graph. */
const graphOptions = (options: ConvertOptions, { target, precision }: FormRequest): ExportOptions => ({
  task: options.task ?? 'auto',
  allOutputs: options.allOutputs ?? false,
  precision,
  precisionOptions: { weightsOnly: options.weightsOnly ?? false, keepEmbeddings: options.keepEmbeddings ?? false },
  ...(target !== 'onnx' || options.opset === undefined ? {} : { opset: options.opset }),
  ...(target === 'onnx' && options.externalData === true ? { externalData: true } : {}),
  ...(target === 'onnx' && precision === 'f16' && options.halfCompute === true ? { halfCompute: true } : {}),
})

const thresholdOf = ({ minAgreement = 0.99 }: ConvertOptions): number => minAgreement
const hasGate = (options: ConvertOptions): boolean => thresholdOf(options) > 0 && options.verify !== false

const gateRequest = (options: ConvertOptions, asked: Pick<GateRequest, 'key' | 'target' | 'options'>): GateRequest => ({
  key: asked.key,
  target: asked.target,
  options: asked.options,
  threshold: thresholdOf(options),
  file: options.gate,
  onProgress: options.onProgress,
})

/** Writes one graph; where its weights are not float32, the gate has its say. */
async function writeGraph(
  opened: OpenedModel,
  form: FormRequest & { readonly target: GraphTarget },
  staging: string,
  options: ConvertOptions,
  events: WriteEvents,
): Promise<Omit<Written, keyof FormRequest>> {
  const { target, precision } = form
  const exportOptions = graphOptions(options, form)
  if (precision === 'f32') {
    const artefact = await exportModel(opened.model, opened.source, target, staging, { ...exportOptions, ...events })
    return { artefact, gate: null }
  }
  // What the gate looks at may be written once more: the files are final at the end alone.
  const made = await writeRounded(opened, form, staging, options, exportOptions)
  for (const { path } of made.artefact.files) events.onFile?.(join(staging, path))
  return made
}

/** Writes one graph whose weights are rounded, and asks the gate about it. */
async function writeRounded(
  opened: OpenedModel,
  { key, target }: FormRequest & { readonly target: GraphTarget },
  staging: string,
  options: ConvertOptions,
  exportOptions: ExportOptions,
): Promise<Omit<Written, keyof FormRequest>> {
  const again = (precisionOptions = exportOptions.precisionOptions): Promise<WrittenArtefact> =>
    exportModel(opened.model, opened.source, target, staging, { ...exportOptions, ...(precisionOptions && { precisionOptions }) }) // prettier-ignore
  const artefact = await again()
  if (!hasGate(options)) return { artefact, gate: null }
  const request = gateRequest(options, { key, target, options: exportOptions })
  const { report, instead } = await askGate(opened, staging, request, (gate) => gate.judge(staging, artefact))
  if (instead === null) return { artefact, gate: report }
  for (const { path } of artefact.files) rmSync(join(staging, path))
  return { artefact: await again(instead), gate: report }
}

/** Asks the gate about a safetensors file in another element type, once its configuration is there. */
async function judgeFile(
  opened: OpenedModel,
  form: Written,
  staging: string,
  options: ConvertOptions,
): Promise<Written> {
  const { key, target, precision } = form
  if (target !== 'safetensors' || precision === 'f32' || !hasGate(options)) return form
  const asked = { target: 'onnx', precision: 'f32', key } as const
  const request = gateRequest(options, { ...asked, options: graphOptions(options, asked) })
  const gate = await askGate(opened, staging, request, (g) =>
    g.judgeFile(join(staging, 'model.safetensors'), join(staging, 'config.json')),
  )
  return { ...form, gate }
}

/** Paths of the artefacts' files that a directory will have: those written, and those of other forms that stay. */
function filesAfter(directory: string, written: readonly Written[]): string[] {
  const kept = Object.entries(readManifest(directory)?.artefacts ?? {}).filter(
    ([key]) => !written.some((form) => form.key === key),
  )
  return [
    ...written.flatMap(({ artefact }) => artefact.files.map(({ path }) => path)),
    ...kept.flatMap(([, { files }]) => files.map(({ name }) => name)),
  ]
}

/** Element type that the configuration in a directory gives to a safetensors file that is there. */
function keptDtype(directory: string): { readonly dtype?: string } {
  if (readManifest(directory)?.artefacts.safetensors === undefined) return {}
  try {
    const { torch_dtype } = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as { torch_dtype?: unknown } // prettier-ignore
    return typeof torch_dtype === 'string' ? { dtype: torch_dtype } : {}
  } catch {
    return {}
  }
}

/** Everything that a conversion writes, into `staging`; nothing of it is visible yet. */
async function write(
  opened: OpenedModel,
  plans: Plans,
  { directory, staging }: { readonly directory: string; readonly staging: string },
  hasher: Hasher,
  options: ConvertOptions,
): Promise<Written[]> {
  const written: Written[] = []
  const events: WriteEvents = {
    onStart: (path, bytes) => { hasher.follow(path, bytes) },
    onFile: (path) => { hasher.add(path) },
  } // prettier-ignore
  for (const form of formsOf(options.targets, options.dtypes)) {
    const { key, target } = form
    options.onProgress?.(`writing ${key}`)
    if (isFileTarget(target)) {
      const artefact = await writeFile(opened, target, plans.get(target)!, staging, events)
      written.push({ ...form, artefact, gate: null })
      continue
    }
    written.push({ ...form, ...(await writeGraph(opened, { ...form, target }, staging, options, events)) })
  }
  const files = filesAfter(directory, written)
  const config = configJson(opened, plans.get('safetensors'), options.task ?? 'auto', files, keptDtype(directory))
  writeFileSync(join(staging, 'config.json'), config)
  const judged: Written[] = []
  for (const form of written) judged.push(await judgeFile(opened, form, staging, options))
  return judged
}

/** The parity figures of one form for the manifest: reproducible, so without times. */
function figures(report: VerifyReport | null, { target, precision }: FormRequest): object | null {
  if (report === null) return null
  const dtype = precision === 'f32' ? undefined : precision
  const weights = report.weights.find((w) => w.artefact === target && w.dtype === dtype)
  return {
    arbiter: dtype === undefined ? 'float64 reference' : 'float64 reference of the weights as they are stored',
    inputs: report.inputs,
    comparisons: report.comparisons.filter(
      (c) =>
        c.dtype === dtype &&
        (c.runner === `reference(${target})` || RUNNERS.some((r) => r.name === c.runner && r.artefact === target)),
    ),
    weights: { compared: weights?.compared ?? 0, ok: weights?.ok ?? false },
  }
}

function manifestOf(
  opened: OpenedModel,
  directory: string,
  written: readonly Written[],
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
    artefacts: written.map(({ key, target, precision, artefact, gate }) => ({
      key,
      artefact,
      hashes: artefact.files.map((file) => hashes.get(join(staging, file.path))),
      as: target === 'safetensors' ? options.as : undefined,
      dtype: precision === 'f32' ? undefined : precision,
      gate: gate ?? undefined,
    })),
    verification: (key) =>
      figures(
        verification,
        written.find((form) => form.key === key)!,
      ),
    previous: readManifest(directory),
  })
}

/** Files of an existing directory that belong to forms which are written anew. */
function replacedFiles(directory: string, written: readonly Written[]): Set<string> {
  const { artefacts = {} } = readManifest(directory) ?? {}
  const files = written.flatMap(({ key }) => artefacts[key]?.files ?? [])
  return new Set(files.map(({ name }) => name))
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
    const output = new OutputDirectory(directory)
    const hasher = new Hasher()
    try {
      for (const file of [...opened.source.files, opened.rawConfig.file]) hasher.add(file)
      const written = await write(opened, plans, { directory, staging: output.staging }, hasher, options)
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
      const said = report(opened, plans, directory, options, artefacts, verification, gate, notes)
      if (!said.ok) return said
      const hashes = await hasher.finish()
      writeFileSync(
        join(output.staging, 'albertkit.json'),
        manifestOf(opened, directory, written, hashes, output.staging, verification, options),
      )
      output.commit(['onnx'], replacedFiles(directory, written))
      return said
    } finally {
      await hasher.close()
      output.discard()
    }
  } finally {
    opened.close()
  }
}

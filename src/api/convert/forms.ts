import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeText } from '../../files/output-file.js'
import type { Hasher } from '../../files/hash.js'
import {
  exportModel,
  type ExportOptions,
  type GraphTarget,
  type WriteEvents,
  type WrittenArtefact,
} from '../../export/export.js'
import type { FileTarget, Translation } from '../../model/rewrite/translation.js'
import { askGate, type GateRequest } from '../gate/gate.js'
import { configJson, isFileTarget, writeFile } from '../checkpoint-files.js'
import type { OpenedModel } from '../open/open.js'
import { formsOf, type FormRequest } from './precisions.js'
import { filesAfter, keptDtype } from './existing.js'
import { graphOptions, type ConvertOptions, type Written } from './options.js'

/** What the targets that are files of weights, not graphs, will hold. */
export type Plans = ReadonlyMap<FileTarget, Translation>

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
    exportModel(opened.model, opened.source, target, staging, {
      ...exportOptions,
      ...(precisionOptions && { precisionOptions }),
    })
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

/** Everything that a conversion writes, into `staging`; nothing of it is visible yet. */
export async function writeForms(
  opened: OpenedModel,
  plans: Plans,
  { directory, staging }: { readonly directory: string; readonly staging: string },
  hasher: Hasher,
  options: ConvertOptions,
): Promise<Written[]> {
  const written: Written[] = []
  const events: WriteEvents = {
    onStart: (path, bytes) => {
      hasher.follow(path, bytes)
    },
    onFile: (path) => {
      hasher.add(path)
    },
  }
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
  writeText(join(staging, 'config.json'), config)
  const judged: Written[] = []
  for (const form of written) judged.push(await judgeFile(opened, form, staging, options))
  return judged
}

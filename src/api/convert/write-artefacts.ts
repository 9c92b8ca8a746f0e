import { stopIfAborted, progressStep } from '../../base/abort.js'
import { join } from 'node:path'
import {
  artefactPath,
  CONFIG_FILE,
  isCheckpointTarget,
  isGraphTarget,
  type CheckpointTarget,
  type GraphTarget,
} from '../../base/artefact-layout.js'
import { exportModel } from '../../export/export.js'
import type { WriteEvents, WrittenArtefact } from '../../export/weights/artefact.js'
import type { Hasher } from '../../files/hash.js'
import { writeText } from '../../files/output-file.js'
import { writes } from '../../files/write-port.js'
import { askGate, type GateRequest } from '../gate/gate.js'
import { writeCheckpoint } from './checkpoint.js'
import { configJson } from './config-json.js'
import type { Conversion } from './conversion.js'
import { graphOptions } from './graph-options.js'
import type { ConvertOptions } from './options.js'
import type { ArtefactSpec, ConvertedArtefact } from './specs.js'

type GraphSpec = ArtefactSpec & { readonly target: GraphTarget }
const isGraph = (spec: ArtefactSpec): spec is GraphSpec => isGraphTarget(spec.target)

const thresholdOf = ({ minAgreement = 0.99 }: ConvertOptions): number => minAgreement
const hasGate = (options: ConvertOptions): boolean => thresholdOf(options) > 0 && options.verify !== false

const gateRequest = (options: ConvertOptions, asked: Pick<GateRequest, 'key' | 'target' | 'options'>): GateRequest => ({
  ...asked,
  threshold: thresholdOf(options),
  file: options.gateInputs,
  onProgress: options.onProgress,
})

/** Writes one graph; the gate checks it unless its weights are float32. */
async function writeGraph(
  conversion: Conversion,
  spec: GraphSpec,
  staging: string,
  events: WriteEvents,
): Promise<ConvertedArtefact> {
  if (spec.precision === 'f32') {
    const { model, source } = conversion.opened
    const options = { ...graphOptions(conversion, spec), ...events }
    return { ...spec, artefact: await exportModel(model, source, spec.target, staging, options), gate: null }
  }
  // The gate may have the graph written again, so its files are announced only when they are final.
  const made = await writeRounded(conversion, spec, staging)
  for (const { path } of made.artefact.files) events.onFile?.(join(staging, path))
  return made
}

/** Writes one graph in reduced precision and applies the gate. */
async function writeRounded(conversion: Conversion, spec: GraphSpec, staging: string): Promise<ConvertedArtefact> {
  const { opened, options } = conversion
  const { key, target } = spec
  const exportOptions = graphOptions(conversion, spec)
  const write = (precisionOptions = exportOptions.precisionOptions): Promise<WrittenArtefact> =>
    exportModel(opened.model, opened.source, target, staging, {
      ...exportOptions,
      ...(precisionOptions && { precisionOptions }),
    })
  const artefact = await write()
  if (!hasGate(options)) return { ...spec, artefact, gate: null }
  const request = gateRequest(options, { key, target, options: exportOptions })
  const { report, instead } = await askGate(opened, staging, request, (gate) => gate.judge(staging, artefact))
  if (instead === null) return { ...spec, artefact, gate: report }
  for (const { path } of artefact.files) writes.removeTree(join(staging, path))
  return { ...spec, artefact: await write(instead), gate: report }
}

/** Applies the gate to a checkpoint in reduced precision, whose configuration must exist already. */
async function judgeCheckpoint(
  conversion: Conversion,
  converted: ConvertedArtefact,
  staging: string,
): Promise<ConvertedArtefact> {
  const { opened, options } = conversion
  const { key, target, precision } = converted
  if (!isCheckpointTarget(target) || precision === 'f32' || !hasGate(options)) return converted
  // A checkpoint cannot run by itself: the gate exports it to a graph.
  const asked = { target: 'onnx', precision: 'f32', key, isAsked: false } as const
  const request = gateRequest(options, { key, target: asked.target, options: graphOptions(conversion, asked) })
  const gate = await askGate(opened, staging, request, (g) =>
    g.judgeFile(join(staging, artefactPath(target)), join(staging, CONFIG_FILE)),
  )
  return { ...converted, gate }
}

/** Writes all artefacts of a conversion and their configuration into `staging`, which is not visible yet. */
export async function writeArtefacts(
  conversion: Conversion,
  staging: string,
  hasher: Hasher,
): Promise<ConvertedArtefact[]> {
  const { opened, plans, specs, existing, options } = conversion
  const written: ConvertedArtefact[] = []
  const events: WriteEvents = {
    onProgress: () => {
      stopIfAborted(options.signal)
    },
    onStart: (path, bytes) => {
      hasher.follow(path, bytes)
    },
    onFile: (path) => {
      hasher.add(path)
    },
  }
  const planOf = (target: CheckpointTarget) => {
    const plan = plans.get(target)
    if (plan === undefined) throw new RangeError(target)
    return plan
  }
  for (const spec of specs) {
    options.onProgress?.(progressStep('writing', spec.key))
    if (isGraph(spec)) written.push(await writeGraph(conversion, spec, staging, events))
    else if (isCheckpointTarget(spec.target)) {
      const artefact = await writeCheckpoint(opened, spec.target, planOf(spec.target), staging, events)
      written.push({ ...spec, artefact, gate: null })
    }
  }
  writeText(join(staging, CONFIG_FILE), configJson(conversion, existing.filesAfter(written)))
  const judged: ConvertedArtefact[] = []
  for (const converted of written) judged.push(await judgeCheckpoint(conversion, converted, staging))
  return judged
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { onnxGraphNames, openOnnxWeights } from '../../formats/onnx/source.js'
import type { TensorSource } from '../../formats/core/source.js'
import { openTfjsWeights } from '../../formats/tfjs/source.js'
import type { AlbertModel, Parameter } from '../../model/albert.js'
import { parametersOf } from '../../model/tensors/read.js'
import type { ArtefactKind, Runnable } from '../../runtime/runners.js'
import { compareWeights } from '../../compare/weights.js'
import type { OpenedModel } from '../open/open.js'
import { tfjsPrecision } from './precision.js'
import type { ArtefactWeightCheck } from './report.js'

/** Which float32 forms a directory holds. */
export const artefactsIn = (directory: string): ArtefactKind[] =>
  (['tfjs', 'onnx'] as const).filter(
    (kind) => existsSync(artefactFile(directory, kind)) && (kind === 'onnx' || tfjsPrecision(directory) === 'f32'),
  )

export const artefactFile = (directory: string, kind: ArtefactKind): string =>
  join(directory, kind, kind === 'tfjs' ? 'model.json' : 'model.onnx')

const openArtefactWeights = (directory: string, kind: ArtefactKind): TensorSource =>
  kind === 'tfjs' ? openTfjsWeights(artefactFile(directory, kind)) : openOnnxWeights(artefactFile(directory, kind))

/** The parameters of the model that an artefact holds or ought to hold: those of its slots' parts. */
export function partsIn(model: AlbertModel, artefact: TensorSource): Parameter[] {
  const has = (prefix: string): boolean => [...artefact.tensors.keys()].some((slot) => slot.startsWith(prefix))
  const head = (slot: string): string | undefined => /^(mlm|sop|classifier|qa|pooler)\//.exec(slot)?.[0]
  return [...parametersOf(model)].filter((p) => {
    const prefix = head(p.slot)
    return prefix === undefined || has(prefix)
  })
}

/** Compares the weights of one form in `directory` with the source's. */
export function checkWeights(opened: OpenedModel, directory: string, kind: ArtefactKind): ArtefactWeightCheck {
  const artefact = openArtefactWeights(directory, kind)
  try {
    const check = compareWeights(opened.source, artefact, partsIn(opened.model, artefact))
    return { artefact: kind, ...check, ok: check.differences.length === 0 }
  } finally {
    artefact.close()
  }
}

/** Inner values that the exporters name. */
const MARK = /^(hidden_state_\d+|embedding_output|embedding_hidden_mapping_in)$/

/** What a runner is to load: the artefact, with its inner values where they are wanted, or the source itself. */
export function runnable(
  opened: OpenedModel,
  directory: string | null,
  kind: ArtefactKind,
  wanted: 'outputs' | 'marks' | 'operations',
): Runnable {
  if (directory === null) return { model: opened.model, source: opened.source }
  const file = artefactFile(directory, kind)
  if (kind !== 'onnx' || wanted === 'outputs') return { file }
  const { values, outputs, metadata } = onnxGraphNames(file)
  const marks = values.filter((name) => MARK.test(name) && !outputs.includes(name))
  return { file, values: { marks, inner: wanted === 'operations' ? innerTable(metadata, values) : {}, outputs } }
}

/** The exporter's table of inner values, as far as the graph has them: names from a file are not to be trusted. */
function innerTable(metadata: ReadonlyMap<string, string>, values: readonly string[]): Record<string, string> {
  let table: unknown
  try {
    table = JSON.parse(metadata.get('inner') ?? '{}')
  } catch {
    return {}
  }
  const known = new Set(values)
  const entries = Object.entries(table ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && known.has(entry[1]),
  )
  return Object.fromEntries(entries)
}

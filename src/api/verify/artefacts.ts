import { join } from 'node:path'
import { disk } from '../../files/disk.js'
import { artefactPath, type GraphTarget } from '../../base/artefact-layout.js'
import { compareWeights } from '../../compare/weights.js'
import { graphTarget } from '../../export/targets.js'
import type { TensorSource } from '../../formats/core/source.js'
import type { AlbertModel, Parameter } from '../../model/albert.js'
import { artefactForm } from '../../model/names/artefact-names.js'
import { parametersOf } from '../../model/tensors/read.js'
import type { Runnable } from '../../runtime/runners.js'
import type { OpenedModel } from '../open/open.js'
import { parsedObject } from './graphs.js'
import type { ArtefactWeightCheck } from './report.js'
import { type TemporaryFolder, temporaryFolder } from '../../base/temporary-folder.js'
import { exportModel } from '../../export/export.js'

/** Parameters that an artefact should hold: those of the encoder and of the heads that it has. */
export function partsIn(model: AlbertModel, artefact: TensorSource): Parameter[] {
  const has = (prefix: string): boolean => [...artefact.tensors.keys()].some((slot) => slot.startsWith(prefix))
  const head = (slot: string): string | undefined => /^(mlm|sop|classifier|qa|pooler)\//.exec(slot)?.[0]
  return [...parametersOf(model)].filter((p) => {
    const prefix = head(p.slot)
    return prefix === undefined || has(prefix)
  })
}

/** Compares the weights of a float32 graph in `directory` with the source's. */
export function checkWeights(opened: OpenedModel, directory: string, target: GraphTarget): ArtefactWeightCheck {
  const { order, openWeights } = graphTarget(target)
  const artefact = openWeights(disk, join(directory, artefactPath(target)))
  try {
    const form = artefactForm(artefact, order)
    const check = compareWeights(opened.source, artefact, partsIn(opened.model, artefact), { form })
    return { artefact: target, ...check, ok: check.differences.length === 0 }
  } finally {
    artefact.close()
  }
}

/** Inner values that the exporters name. */
const MARK = /^(hidden_state_\d+|embedding_output|embedding_hidden_mapping_in)$/

/** Artefact for a runner, with the requested inner values; the source itself if there is no directory. */
export function runnable(
  opened: OpenedModel,
  directory: string | null,
  target: GraphTarget,
  wanted: 'outputs' | 'marks' | 'operations',
): Runnable {
  if (directory === null) return { model: opened.model, source: opened.source }
  const file = join(directory, artefactPath(target))
  const { valuesIn } = graphTarget(target)
  if (valuesIn === null || wanted === 'outputs') return { file }
  const { values, outputs, metadata } = valuesIn(disk, file)
  const marks = values.filter((name) => MARK.test(name) && !outputs.includes(name))
  return { file, values: { marks, inner: wanted === 'operations' ? innerTable(metadata, values) : {}, outputs } }
}

/** Exporter's table of inner values, limited to values of the graph: names from a file are not trusted. */
function innerTable(metadata: ReadonlyMap<string, string>, values: readonly string[]): Record<string, string> {
  const known = new Set(values)
  const entries = Object.entries(parsedObject(metadata.get('inner'))).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && known.has(entry[1]),
  )
  return Object.fromEntries(entries)
}

/** Artefacts of a source for runners that only load files; removed after the verification. */
export class TemporaryArtefacts {
  #folder: TemporaryFolder | null = null
  readonly #made = new Set<GraphTarget>()

  constructor(readonly opened: OpenedModel) {}

  /** Path of a directory that holds the source as `target`. @throws AlbertkitError if it cannot be exported */
  async directory(target: GraphTarget): Promise<string> {
    const { path } = (this.#folder ??= temporaryFolder())
    const { model, source } = this.opened
    if (!this.#made.has(target)) await exportModel(model, source, target, path, { task: 'auto', allOutputs: false })
    this.#made.add(target)
    return path
  }

  remove(): void {
    this.#folder?.remove()
    this.#folder = null
  }
}

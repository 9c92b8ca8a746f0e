import {
  fileName,
  GRAPH_TARGETS,
  graphLayout,
  hasFilePerPrecision,
  PRECISIONS,
  type GraphTarget,
  type Precision,
} from '../../base/artefact-layout.js'
import { disk, diskPath } from '../../files/disk.js'
import { exists, isDirectory, type FilePort } from '../../formats/core/file-port.js'
import { join } from '../../formats/core/paths.js'
import { tfjsMetadata } from '../../formats/tfjs/metadata.js'
import { canDo } from '../../model/outputs.js'
import { SAMPLES } from '../../text/data/samples.js'
import { artefactOf, PAGE_RUNNERS, type TextRunner } from '../inference/runners.js'
import { readLabels } from '../labels.js'
import { openModel, type OpenedModel } from '../open/open.js'
import { fittingTokenizer } from '../open/tokenizer.js'
import { PAGE_TASKS, type ArtefactsReport, type Runnable } from './report.js'

/** A file that a runtime loads. */
interface GraphFile {
  readonly target: GraphTarget
  readonly precision: Precision
  readonly file: string
  readonly bytes: number
}

/** Bytes of the files of `folder` whose names begin with `start`: a graph and the weights beside it. */
const bytesOf = (files: FilePort, folder: string, start: string): number =>
  files
    .list(folder)
    .filter((name) => name.startsWith(start))
    .reduce((sum, name) => sum + (files.stat(join(folder, name))?.size ?? 0), 0)

/** Precision of a tfjs model, which its own metadata name. */
function tfjsPrecision(files: FilePort, file: string): Precision {
  const dtype = tfjsMetadata(files, file).get('dtype')
  return PRECISIONS.find((precision) => precision === dtype) ?? 'f32'
}

/** Files of graphs in an output directory, in the order of the targets and from the most exact precision. */
function graphFiles(files: FilePort, directory: string): GraphFile[] {
  return GRAPH_TARGETS.flatMap((target): GraphFile[] => {
    const layout = graphLayout(target)
    const folder = join(directory, layout.folder)
    if (!isDirectory(files, folder)) return []
    if (!hasFilePerPrecision(layout)) {
      const path = join(folder, layout.file)
      if (!exists(files, path)) return []
      const precision = tfjsPrecision(files, path)
      return [{ target, precision, file: `${layout.folder}/${layout.file}`, bytes: bytesOf(files, folder, '') }]
    }
    return layout.precisions.flatMap((precision) => {
      const name = fileName(layout, precision)
      if (!exists(files, join(folder, name))) return []
      return [{ target, precision, file: `${layout.folder}/${name}`, bytes: bytesOf(files, folder, name) }]
    })
  })
}

/** Precisions that a GPU computes itself: integers come back to the CPU for each product. */
const FLOATS: readonly Precision[] = ['f32', 'f16']

const isOnGpu = (runner: TextRunner): boolean => runner.endsWith('webgpu')

/** What can run: the files that are there, else what they can be converted to. */
function runnablesOf(found: readonly GraphFile[]): Runnable[] {
  return PAGE_RUNNERS.flatMap((runner): Runnable[] => {
    const target = artefactOf(runner)
    if (found.length === 0) return [{ runner, target, precision: 'f32', file: null, bytes: null }]
    const runs = ({ precision }: GraphFile): boolean => !isOnGpu(runner) || FLOATS.includes(precision)
    return found.filter((file) => file.target === target && runs(file)).map((file) => ({ runner, ...file }))
  })
}

/** Sentences of a language that a page offers. */
const EXAMPLES = 3
/** Part of unknown tokens from which on a vocabulary does not cover a language. */
const UNKNOWN = 0.2

/** Sentences of the languages of the vocabulary. */
function examplesFor(opened: OpenedModel): string[] {
  const tokenizer = fittingTokenizer(opened, {})
  const { unk } = tokenizer.special
  const isCovered = (text: string): boolean => {
    const ids = tokenizer.ids(text)
    return ids.length > 0 && ids.filter((id) => id === unk).length <= UNKNOWN * ids.length
  }
  return Object.values(SAMPLES).flatMap((texts) => {
    const first = texts.slice(0, EXAMPLES)
    return first.filter(isCovered).length > first.length / 2 ? first.filter(isCovered) : []
  })
}

/**
 * Says what a page can do with the artefacts of a folder: tasks, runtimes and precisions. A folder without artefacts is
 * that of a model, which is converted when it is used.
 * @throws AlbertkitError as `openModel`; `usage` without a vocabulary
 */
export async function describeArtefacts(path: string): Promise<ArtefactsReport> {
  const opened = await openModel(path)
  try {
    const { config, model } = opened
    return {
      family: config.family,
      architecture: config.architecture,
      layers: config.num_hidden_layers,
      heads: config.num_attention_heads,
      hidden: config.hidden_size,
      positions: config.max_position_embeddings,
      takesPairs: config.type_vocab_size > 1,
      tasks: PAGE_TASKS.filter((task) => canDo(model, task)),
      labels: readLabels(opened),
      runnables: runnablesOf(graphFiles(disk, diskPath(path))),
      examples: examplesFor(opened),
      notes: opened.notes,
    }
  } finally {
    opened.close()
  }
}

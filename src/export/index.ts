import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TensorSource } from '../formats/source.js'
import type { AlbertModel } from '../model/albert.js'
import { forward, takesChoices } from '../model/forward.js'
import type { ForwardInputs, Ops } from '../model/ops.js'
import { layoutsOf } from '../model/artefact-names.js'
import { headsFor, resolveTask, selectOutputs, type Task } from '../model/outputs.js'
import { FILE_TARGETS, type FileTarget } from '../model/translation.js'
import { writing } from './files.js'
import { OnnxGraphOps, type OnnxGraph } from './onnx/graph.js'
import { writeOnnx, type OnnxWriteOptions } from './onnx/write.js'
import { TfjsGraphOps, type TfjsGraph } from './tfjs/graph.js'
import { writeTfjs, type TfjsWriteOptions } from './tfjs/write.js'
import { albertkitVersion } from './version.js'
import type { WriteEvents, WrittenArtefact } from './written.js'

export type { WrittenArtefact, WrittenFile, WrittenWeight, WeightForm } from './written.js'

export const GRAPH_TARGETS = ['onnx', 'tfjs'] as const
/** Forms that run by themselves: the forward pass is in the file. */
export type GraphTarget = (typeof GRAPH_TARGETS)[number]
export const TARGETS = [...GRAPH_TARGETS, ...FILE_TARGETS] as const
export type Target = GraphTarget | FileTarget

export interface ExportOptions extends WriteEvents {
  readonly task: Task
  /** Whether `embedding_output` and every `hidden_state_<i>` are outputs as well. */
  readonly allOutputs: boolean
}

interface GraphWriter<T, G> extends Ops<T> {
  readonly inputs: ForwardInputs<T>
  finish(outputs: readonly (readonly [string, T])[]): G
}

/** Runs the forward pass over operations that write it down. */
function build<T, G>(
  model: AlbertModel,
  make: (choices: boolean) => GraphWriter<T, G>,
  { task, allOutputs }: ExportOptions,
): G {
  const heads = headsFor(resolveTask(model, task))
  const ops = make(takesChoices(model, heads))
  const outputs = forward(model, ops, ops.inputs, heads)
  return ops.finish(selectOutputs(outputs, allOutputs))
}

export const buildOnnxGraph = (model: AlbertModel, options: ExportOptions): OnnxGraph =>
  build(model, (choices) => new OnnxGraphOps(choices), options)
export const buildTfjsGraph = (model: AlbertModel, options: ExportOptions): TfjsGraph =>
  build(model, (choices) => new TfjsGraphOps(choices), options)

type Write = (
  source: TensorSource,
  dir: string,
  options: OnnxWriteOptions & TfjsWriteOptions,
) => Promise<WrittenArtefact>

function prepareOnnx(model: AlbertModel, options: ExportOptions): Write {
  const graph = buildOnnxGraph(model, options)
  return (source, dir, rest) => writeOnnx(graph, source, dir, rest)
}

function prepareTfjs(model: AlbertModel, options: ExportOptions): Write {
  const graph = buildTfjsGraph(model, options)
  return (source, dir, rest) => writeTfjs(graph, source, dir, rest)
}

/**
 * Writes `model` as `target` below `dir`, into `onnx/` or `tfjs/`, which must not hold a model yet. The parameters that
 * the task uses are written, each once, as float32. Same model and options, same bytes.
 * @throws AlbertkitError `usage` where the model lacks the task's head, `unsupported` (an ONNX file of 2 GiB), `output`,
 *   or `malformed` from the source.
 */
export async function exportModel(
  model: AlbertModel,
  source: TensorSource,
  target: GraphTarget,
  dir: string,
  options: ExportOptions,
): Promise<WrittenArtefact> {
  const version = albertkitVersion()
  const metadata = {
    family: model.config.family,
    task: resolveTask(model, options.task),
    // What stands in the file in another order than it is meant: only ONNX keeps the source's.
    ...(target === 'onnx' ? { layouts: layoutsOf(model) } : {}),
  }
  // The graph comes first: what is wrong with the request is said before anything is written.
  const write = target === 'onnx' ? prepareOnnx(model, options) : prepareTfjs(model, options)
  const folder = join(dir, target)
  writing(folder, () => mkdirSync(folder, { recursive: true }))
  return write(source, dir, { ...options, version, metadata })
}

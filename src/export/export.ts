import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { usage } from '../base/errors.js'
import type { TensorSource } from '../formats/core/source.js'
import type { AlbertModel } from '../model/albert.js'
import { forward, takesChoices } from '../model/forward.js'
import type { ForwardInputs, Ops } from '../model/ops.js'
import { layoutsOf } from '../model/names/artefact-names.js'
import { resolveTask, selectOutputs } from '../model/outputs.js'
import { headsFor, type Task } from '../model/tasks.js'
import { FILE_TARGETS, type FileTarget } from '../model/rewrite/translation.js'
import { FLOAT32, PlannedEncodings, type Encodings, type Precision, type PrecisionOptions } from './weights/encoding.js'
import { writing } from '../files/output-file.js'
import { OnnxGraphOps, type OnnxGraph } from './onnx/graph.js'
import { OPSETS, writeOnnx, type OnnxWriteOptions } from './onnx/write.js'
import { TfjsGraphOps, type TfjsGraph } from './tfjs/graph.js'
import { writeTfjs, type TfjsWriteOptions } from './tfjs/write.js'
import { albertkitVersion } from '../base/version.js'
import type { WriteEvents, WrittenArtefact } from './weights/artefact.js'

export { PRECISIONS, type Precision, type PrecisionOptions } from './weights/encoding.js'
export { OPSETS } from './onnx/write.js'
export type {
  WriteEvents,
  WrittenArtefact,
  WrittenFile,
  WrittenWeight,
  ElementOrder as WeightForm,
} from './weights/artefact.js'

export const GRAPH_TARGETS = ['onnx', 'tfjs'] as const
/** Forms that run by themselves: the forward pass is in the file. */
export type GraphTarget = (typeof GRAPH_TARGETS)[number]
export const TARGETS = [...GRAPH_TARGETS, ...FILE_TARGETS] as const
export type Target = GraphTarget | FileTarget

export interface ExportOptions extends WriteEvents {
  readonly task: Task
  /** Whether `embedding_output` and every `hidden_state_<i>` are outputs as well. */
  readonly allOutputs: boolean
  /** How the weights are stored; float32 by default. */
  readonly precision?: Precision
  readonly precisionOptions?: PrecisionOptions
  /** ONNX: version of the operator set, 17 (the default) to 23. */
  readonly opset?: number
  /** ONNX: weights in a file of their own, whatever their size. */
  readonly externalData?: boolean
  /** ONNX with `f16`: compute in float16 too, not only store. */
  readonly halfCompute?: boolean
}

/** Precisions that each form can have. */
export const PRECISIONS_OF: Readonly<Record<GraphTarget, readonly Precision[]>> = {
  onnx: ['f32', 'f16', 'int8'],
  tfjs: ['f32', 'f16', 'uint16', 'uint8'],
}

/** Names of ONNX files as Hugging Face has them. */
const ONNX_NAMES: Partial<Record<Precision, string>> = { f16: 'model_fp16.onnx', int8: 'model_int8.onnx' }
export const onnxFileName = (precision: Precision): string => ONNX_NAMES[precision] ?? 'model.onnx'

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

/** Float32 weights need no look at the source. */
function encodingsOf(source: TensorSource, { precision = 'f32', precisionOptions }: ExportOptions): Encodings {
  return precision === 'f32' ? FLOAT32 : new PlannedEncodings(source, precision, precisionOptions)
}

function buildOnnxGraph(model: AlbertModel, source: TensorSource, options: ExportOptions): OnnxGraph {
  const encodings = encodingsOf(source, options)
  const { opset = OPSETS[0], halfCompute: half = false } = options
  return build(model, (choices) => new OnnxGraphOps({ choices, encodings, opset, half }), options)
}

function buildTfjsGraph(model: AlbertModel, source: TensorSource, options: ExportOptions): TfjsGraph {
  const encodings = encodingsOf(source, options)
  return build(model, (choices) => new TfjsGraphOps(choices, encodings), options)
}

type Write = (
  source: TensorSource,
  dir: string,
  options: OnnxWriteOptions & TfjsWriteOptions,
) => Promise<WrittenArtefact>

function prepareOnnx(model: AlbertModel, source: TensorSource, options: ExportOptions): Write {
  const graph = buildOnnxGraph(model, source, options)
  const fileName = onnxFileName(options.precision ?? 'f32')
  return (_, dir, rest) => writeOnnx(graph, source, dir, { ...rest, fileName })
}

function prepareTfjs(model: AlbertModel, source: TensorSource, options: ExportOptions): Write {
  const graph = buildTfjsGraph(model, source, options)
  return (_, dir, rest) => writeTfjs(graph, source, dir, rest)
}

/**
 * @throws AlbertkitError `usage` where the form has no such precision or operator set
 */
function checkOptions(target: GraphTarget, { precision = 'f32', halfCompute, opset }: ExportOptions): void {
  const able = PRECISIONS_OF[target]
  if (!able.includes(precision))
    throw usage(`${target} has no ${precision}`, { hint: `${target} has ${able.join(', ')}` })
  if (opset !== undefined && !(OPSETS as readonly number[]).includes(opset))
    throw usage(`there is no way to write operator set ${opset}`, { hint: `operator sets: ${OPSETS.join(', ')}` })
  if (halfCompute === true && precision !== 'f16')
    throw usage('only weights that are stored as f16 can be computed with in fp16')
}

/**
 * Writes `model` as `target` below `dir`, into `onnx/` or `tfjs/`, which must not hold a model yet. The parameters that
 * the task uses are written, each once. Same model and options, same bytes.
 * @throws AlbertkitError `usage` where the model lacks the task's head or the form the precision, `output`, or
 *   `malformed` from the source.
 */
export async function exportModel(
  model: AlbertModel,
  source: TensorSource,
  target: GraphTarget,
  dir: string,
  options: ExportOptions,
): Promise<WrittenArtefact> {
  const version = albertkitVersion()
  checkOptions(target, options)
  const { precision = 'f32', halfCompute = false } = options
  const metadata = {
    family: model.config.family,
    task: resolveTask(model, options.task),
    dtype: precision,
    // What stands in the file in another order than it is meant: only ONNX keeps the source's.
    ...(target === 'onnx' ? { layouts: layoutsOf(model) } : {}),
    ...(halfCompute ? { compute: 'f16' } : {}),
  }
  // The graph comes first: what is wrong with the request is said before anything is written.
  const write = target === 'onnx' ? prepareOnnx(model, source, options) : prepareTfjs(model, source, options)
  const folder = join(dir, target)
  writing(folder, () => mkdirSync(folder, { recursive: true }))
  return write(source, dir, { ...options, version, metadata })
}

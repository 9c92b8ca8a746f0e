import { fileName, graphLayout } from '../../base/artefact-layout.js'
import { albertkitVersion } from '../../base/version.js'
import { layoutsOf } from '../../model/names/artefact-names.js'
import { headsFor } from '../../model/tasks.js'
import { parametersOf } from '../../model/tensors/read.js'
import { buildGraph, encodingsOf, makeGraphFolder } from '../build-graph.js'
import type { GraphRequest } from '../options.js'
import type { WrittenArtefact } from '../weights/artefact.js'
import { PlannedEncodings, type Encodings } from '../weights/encoding.js'
import { OnnxGraphOps, type OnnxGraph } from './graph.js'
import { fileLayout } from './nodes.js'
import { OPSETS, writeOnnx } from './write.js'

/**
 * Encodings of a file: four bits in blocks, as onnxruntime's operators take them. The factor of albert_zh is multiplied
 * both ways if there is a head for masked tokens, and blocks lie along one of them.
 */
function encodingsFor(request: GraphRequest): Encodings {
  const { model, source, task, options } = request
  if (options.precision !== 'int4') return encodingsOf(request)
  const both = headsFor(task).mlm && model.mlm !== null ? model.embeddings.factor : null
  const wide = new Set(both === null ? [] : [both])
  return new PlannedEncodings(source, 'int4', options.precisionOptions, { by: 'blocks', wide })
}

/**
 * Metadata for the reader of the file. ONNX alone keeps the stored order of the source, but for blocks: the weights are
 * listed that are not in logical order, and the inputs of matrices in blocks, whose rows are padded.
 */
function weightsMetadata({ model }: GraphRequest, { weights }: OnnxGraph, blocks: boolean): Record<string, string> {
  if (!blocks) return { layouts: layoutsOf(parametersOf(model)) }
  const inputs = weights.flatMap(({ slot, encoding }) => (encoding.kind === 'blocks' ? [[slot, encoding.inputs]] : []))
  return {
    layouts: layoutsOf(weights.map(({ slot, parameter, as }) => ({ slot, layout: fileLayout(parameter, as) }))),
    blocks: JSON.stringify(Object.fromEntries(inputs)),
  }
}

/**
 * Writes a model as ONNX.
 * @throws AlbertkitError `output`, or `malformed` from the source
 */
export async function exportOnnx(request: GraphRequest): Promise<WrittenArtefact> {
  const { source, directory, options } = request
  const { opset = OPSETS[0], halfCompute: half = false, precision } = options
  const encodings = encodingsFor(request)
  const graph = buildGraph(request, (choices) => new OnnxGraphOps({ choices, encodings, opset, half }))
  makeGraphFolder(directory, 'onnx')
  const own = weightsMetadata(request, graph, encodings.blocks === true)
  const metadata = { ...request.metadata, ...own, ...(half ? { compute: 'f16' } : {}) }
  const name = fileName(graphLayout('onnx'), precision)
  return writeOnnx(graph, source, directory, { ...options, version: albertkitVersion(), metadata, fileName: name })
}

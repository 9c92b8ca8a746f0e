import { fileName, graphLayout } from '../../base/artefact-layout.js'
import { albertkitVersion } from '../../base/version.js'
import { layoutsOf } from '../../model/names/artefact-names.js'
import { buildGraph, encodingsOf, makeGraphFolder } from '../build-graph.js'
import type { GraphRequest } from '../options.js'
import type { WrittenArtefact } from '../weights/artefact.js'
import { OnnxGraphOps } from './graph.js'
import { OPSETS, writeOnnx } from './write.js'

/**
 * Writes a model as ONNX.
 * @throws AlbertkitError `output`, or `malformed` from the source
 */
export async function exportOnnx(request: GraphRequest): Promise<WrittenArtefact> {
  const { model, source, directory, options } = request
  const { opset = OPSETS[0], halfCompute: half = false, precision } = options
  const encodings = encodingsOf(request)
  const graph = buildGraph(request, (choices) => new OnnxGraphOps({ choices, encodings, opset, half }))
  makeGraphFolder(directory, 'onnx')
  // ONNX alone keeps the stored order of the source: the metadata list the weights that are not in logical order.
  const metadata = { ...request.metadata, layouts: layoutsOf(model), ...(half ? { compute: 'f16' } : {}) }
  const name = fileName(graphLayout('onnx'), precision)
  return writeOnnx(graph, source, directory, { ...options, version: albertkitVersion(), metadata, fileName: name })
}

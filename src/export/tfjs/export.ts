import { albertkitVersion } from '../../base/version.js'
import { buildGraph, encodingsOf, makeGraphFolder } from '../build-graph.js'
import type { GraphRequest } from '../options.js'
import type { WrittenArtefact } from '../weights/artefact.js'
import { TfjsGraphOps } from './graph.js'
import { writeTfjs } from './write.js'

/**
 * Writes a model as a TensorFlow.js graph model.
 * @throws AlbertkitError `output`, or `malformed` from the source
 */
export async function exportTfjs(request: GraphRequest): Promise<WrittenArtefact> {
  const { source, directory, options, metadata } = request
  const encodings = encodingsOf(request)
  const graph = buildGraph(request, (choices) => new TfjsGraphOps(choices, encodings))
  makeGraphFolder(directory, 'tfjs')
  return writeTfjs(graph, source, directory, { ...options, version: albertkitVersion(), metadata })
}

import { wrapSource } from '../core/container.js'
import { exists, type FilePort } from '../core/file-port.js'
import { RangedFile } from '../core/file.js'
import { graphNodes } from '../graph-def/scan.js'
import { readMetaGraph } from '../saved-model/meta-graph.js'
import type { GraphNode, SourceGraph, TensorSource } from '../core/source.js'
import { WireReader } from '../tf-proto/wire.js'

/** The `.meta` file of a checkpoint: a MetaGraphDef with the training graph. */

const graphOf = (files: FilePort, path: string): SourceGraph => ({
  file: path,
  *nodes(): Generator<GraphNode> {
    const file = new RangedFile(files, path)
    try {
      const wire = new WireReader(file, '.meta file')
      const { graph } = readMetaGraph(wire, 0, file.size)
      if (graph === null) throw wire.fail('it has no graph', 0)
      yield* graphNodes(wire, graph.start, graph.end)
    } finally {
      file.close()
    }
  },
})

/** The same checkpoint with the graph of its `.meta` file, if present. The graph is read on demand. */
export const withMeta = (files: FilePort, path: string, source: TensorSource): TensorSource => {
  if (!exists(files, path)) return source
  const wrapped = wrapSource(source, { graph: graphOf(files, path) })
  return { ...wrapped, files: [...source.files, path] }
}

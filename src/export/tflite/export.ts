import { fileName, graphLayout } from '../../base/artefact-layout.js'
import { albertkitVersion } from '../../base/version.js'
import { usage } from '../../base/errors.js'
import type { ModelConfig } from '../../model/config.js'
import { slotPattern } from '../../model/names/placeholders.js'
import { buildGraph, encodingsOf, makeGraphFolder } from '../build-graph.js'
import type { ExportOptions, GraphRequest } from '../options.js'
import type { WrittenArtefact } from '../weights/artefact.js'
import { TfliteGraphOps, type TfliteGraph } from './graph.js'
import { writeTflite } from './write.js'

/** Tokens of a row if nothing is asked for: what phones run BERT with. */
const USUAL_SEQUENCE = 128

/** Tokens of a row; null if they are given at run time. @throws AlbertkitError `usage` if the model has fewer positions */
function sequenceOf(
  { max_position_embeddings: positions }: ModelConfig,
  asked: ExportOptions['sequence'],
): number | null {
  if (asked === 'dynamic') return null
  if (asked === undefined) return Math.min(USUAL_SEQUENCE, positions)
  if (asked <= positions) return asked
  throw usage(`\`sequence\` is ${asked}, but the model has ${positions} positions`, { code: 'option-invalid' })
}

/** Which weights stand as `[out, in]` in the file, for its reader. */
const layoutsIn = ({ weights }: TfliteGraph): string =>
  JSON.stringify(
    Object.fromEntries(
      weights
        .filter(({ value, weight }) => weight.as === 'transposed' && value.name === weight.slot)
        .map(({ weight }) => [slotPattern(weight.slot).pattern, 'transposed']),
    ),
  )

/**
 * Writes a model as TensorFlow Lite.
 * @throws AlbertkitError `output`, `malformed` from the source, or `usage` if the model has too few positions
 */
export async function exportTflite(request: GraphRequest): Promise<WrittenArtefact> {
  const { model, source, directory, options } = request
  const { batch = 1, inline = false, precision } = options
  const sequence = sequenceOf(model.config, options.sequence)
  const encodings = encodingsOf(request)
  const graph = buildGraph(request, (choices) => new TfliteGraphOps({ choices, batch, sequence, encodings }))
  makeGraphFolder(directory, 'tflite')
  const metadata = { ...request.metadata, layouts: layoutsIn(graph), sequence: String(sequence ?? 'dynamic') }
  const name = fileName(graphLayout('tflite'), precision)
  return writeTflite(graph, source, directory, {
    ...options,
    version: albertkitVersion(),
    metadata,
    fileName: name,
    inline,
  })
}

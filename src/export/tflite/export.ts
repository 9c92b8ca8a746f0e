import { fileName, graphLayout } from '../../base/artefact-layout.js'
import { albertkitVersion } from '../../base/version.js'
import { usage } from '../../base/errors.js'
import type { ModelConfig } from '../../model/config.js'
import { slotPattern } from '../../model/names/placeholders.js'
import { buildGraph, encodingsOf, makeGraphFolder } from '../build-graph.js'
import type { ExportOptions, GraphRequest } from '../options.js'
import type { WrittenArtefact } from '../weights/artefact.js'
import { headsFor } from '../../model/tasks.js'
import { PlannedEncodings, type Encodings, type PrecisionOptions } from '../weights/encoding.js'
import { TfliteGraphOps, type TfliteGraph } from './graph.js'
import { NOTHING_PACKED } from './metadata.js'
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

/** Tables that are not multiplied and small compared with that of words: rounding them would gain nothing. */
const SMALL_TABLES = ['embeddings/position_embeddings', 'embeddings/token_type_embeddings']

/** Options of the encodings: small tables stay float32, and GPUs take no lookup in float16. */
const inFloat32 = ({ precisionOptions }: ExportOptions): PrecisionOptions => ({
  ...precisionOptions,
  float32Slots: new Set([...(precisionOptions?.float32Slots ?? []), ...SMALL_TABLES]),
})

/**
 * Encodings of a file. The factor of albert_zh is multiplied both ways if there is a head for masked tokens; kernels
 * take it in four bits one way alone.
 */
function encodingsFor(request: GraphRequest): Encodings {
  const { model, source, task, options } = request
  const precisionOptions = inFloat32(options)
  const planned = encodingsOf({ ...request, options: { ...options, precisionOptions } })
  const both = headsFor(task).mlm && model.mlm !== null ? model.embeddings.factor : null
  if (options.precision !== 'int4' || both === null) return planned
  const wider = new PlannedEncodings(source, 'int8', precisionOptions)
  return { of: (parameter, axis) => (parameter === both ? wider : planned).of(parameter, axis) }
}

/** Metadata for the reader of the file: JSON of the weights that are stored as `[out, in]`. */
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
  const { rows = 1, inline = false, precision, packed = NOTHING_PACKED } = options
  const sequence = sequenceOf(model.config, options.sequence)
  const encodings = encodingsFor(request)
  const graph = buildGraph(request, (choices) => new TfliteGraphOps({ choices, batch: rows, sequence, encodings }))
  makeGraphFolder(directory, 'tflite')
  const metadata = { ...request.metadata, layouts: layoutsIn(graph), sequence: String(sequence ?? 'dynamic') }
  const name = fileName(graphLayout('tflite'), precision)
  return writeTflite(graph, source, directory, {
    ...options,
    version: albertkitVersion(),
    metadata,
    fileName: name,
    inline,
    packed,
  })
}

import { join } from '../../formats/core/paths.js'
import { GRAPH_LAYOUTS, inFolder } from '../../base/artefact-layout.js'
import { utf8Bytes } from '../../base/bytes.js'
import { usage } from '../../base/errors.js'
import { OutputFile } from '../../files/output-file.js'
import type { TensorSource } from '../../formats/core/source.js'
import type { WriteEvents, WrittenArtefact } from '../weights/artefact.js'
import { elementsBytes, weightsBytes } from '../weights/artefact.js'
import { pourWeights } from '../weights/pour.js'
import { buildHead } from './head.js'
import type { TfliteGraph } from './graph.js'

const LAYOUT = GRAPH_LAYOUTS.tflite

/** Name of the metadata that `convert` leaves for readers of artefacts: JSON. */
export const METADATA = 'albertkit'
/** Size limit of a flat buffer, whose offsets have 32 bits. */
const MAX_INLINE_BYTES = 2 ** 31 - 1

export interface TfliteWriteOptions extends WriteEvents {
  /** Version of albertkit. */
  readonly version: string
  readonly metadata: Readonly<Record<string, string>>
  readonly fileName: string
  /** Put the weights into the flat buffer itself. */
  readonly inline: boolean
}

/**
 * Writes the file below `dir`; the folder `tflite` must exist. The flat buffer comes first, then the bytes of constants
 * and weights, which are streamed, so that memory does not grow with the model.
 * @throws AlbertkitError `output`, or `malformed` from the source
 */
export async function writeTflite(
  graph: TfliteGraph,
  source: TensorSource,
  dir: string,
  { version, metadata, fileName, inline, onProgress, onStart, onFile }: TfliteWriteOptions,
): Promise<WrittenArtefact> {
  const { constants, weights, outputs, marks, inner, dynamic } = graph
  const written = weights.map(({ weight }) => weight)
  const tables = {
    marks: JSON.stringify(marks),
    inner: JSON.stringify(inner),
    ...(Object.keys(dynamic).length === 0 ? {} : { dynamic: JSON.stringify(dynamic), activations: 'rows' }),
  }
  const said = utf8Bytes(JSON.stringify({ ...metadata, ...tables }))
  const small = constants.map(({ bytes }) => bytes)
  const lengths = [...small.map((bytes) => bytes.length), ...written.map(elementsBytes), said.length]
  const texts = { description: `albertkit ${version}`, metadata: [METADATA] }
  const { bytes, blobs, end } = buildHead(graph, texts, lengths, inline)
  if (inline && end > MAX_INLINE_BYTES)
    throw usage(`\`inline\` holds 2 GiB at most, and this model has ${end} bytes`, {
      code: 'option-conflict',
      hint: 'leave `inline` out',
    })
  const path = join(dir, LAYOUT.folder, fileName)
  const file = new OutputFile(path)
  /** Fills the file up to a blob. */
  const before = (i: number): void => {
    const { offset, length } = blobs[i]!
    const gap = new Uint8Array(offset - file.bytes)
    if (inline) new DataView(gap.buffer).setUint32(gap.length - 4, length, true)
    file.write(gap)
  }
  try {
    onStart?.(path, end)
    file.write(bytes)
    small.forEach((constant, i) => {
      before(i)
      file.write(constant)
    })
    await pourWeights(written, source, file, {
      before: (i) => {
        before(small.length + i)
      },
      onProgress,
    })
    before(blobs.length - 1)
    file.write(said)
  } finally {
    file.close()
  }
  onFile?.(path)
  return {
    files: [{ path: inFolder(LAYOUT, fileName), bytes: file.bytes }],
    weightBytes: weightsBytes(written),
    weights: written,
    outputs: outputs.map(({ name }) => name),
    marks,
  }
}

import { join } from '../../formats/core/paths.js'
import { GRAPH_LAYOUTS, inFolder } from '../../base/artefact-layout.js'
import { utf8Bytes } from '../../base/bytes.js'
import { usage } from '../../base/errors.js'
import { OutputFile } from '../../files/output-file.js'
import type { TensorSource } from '../../formats/core/source.js'
import { MAX_ZIP_OFFSET, zipArchive } from '../../formats/zip/write.js'
import type { WriteEvents, WrittenArtefact } from '../weights/artefact.js'
import { elementsBytes, weightsBytes } from '../weights/artefact.js'
import { pourWeights } from '../weights/pour.js'
import type { PackedFiles } from '../options.js'
import { buildHead } from './head.js'
import type { TfliteGraph } from './graph.js'
import { MODEL_METADATA, modelMetadata, NOTHING_PACKED, RUNTIME_VERSION, runtimeVersion } from './metadata.js'

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
  readonly packed: PackedFiles
}

/** Metadata of a file by name, and the files that are packed behind it. */
function attachments(
  graph: TfliteGraph,
  { version, metadata, inline, packed }: Pick<TfliteWriteOptions, 'version' | 'metadata' | 'inline' | 'packed'>,
) {
  const { marks, inner, dynamic } = graph
  const tables = {
    marks: JSON.stringify(marks),
    inner: JSON.stringify(inner),
    ...(Object.keys(dynamic).length === 0 ? {} : { dynamic: JSON.stringify(dynamic), activations: 'rows' }),
  }
  const description = `albertkit ${version}`
  const described = modelMetadata(graph, { description, task: metadata.task ?? '' }, packed)
  return {
    description,
    files: described.files,
    buffers: new Map([
      [MODEL_METADATA, described.bytes],
      [RUNTIME_VERSION, runtimeVersion(graph, inline)],
      [METADATA, utf8Bytes(JSON.stringify({ ...metadata, ...tables }))],
    ]),
  }
}

/** Bytes of an archive besides the vocabulary, at most: names of classes. */
const ARCHIVE_ROOM = 1 << 26

/**
 * Plans a file: the flat buffer comes first, then the bytes of metadata, constants and weights, then an archive.
 * @throws AlbertkitError `usage` if it would be too long for a flat buffer
 */
function planFile(graph: TfliteGraph, options: TfliteWriteOptions) {
  const { inline, packed } = options
  const weights = graph.weights.map(({ weight }) => weight)
  // An archive beyond 4 GiB is one that few programs read.
  const fits = weightsBytes(weights) + (packed.vocabulary?.bytes.length ?? 0) + ARCHIVE_ROOM < MAX_ZIP_OFFSET
  const { description, buffers, files } = attachments(graph, fits ? options : { ...options, packed: NOTHING_PACKED })
  const small = [...buffers.values(), ...graph.constants.map(({ bytes }) => bytes)]
  const lengths = [...small.map((bytes) => bytes.length), ...weights.map(elementsBytes)]
  // Metadata are in the flat buffer itself: the programs that read them know of no other place.
  const within = inline ? lengths.length : buffers.size
  const { bytes, blobs, end } = buildHead(graph, { description, metadata: [...buffers.keys()] }, lengths, within)
  if (inline && end > MAX_INLINE_BYTES)
    throw usage(`\`inline\` holds 2 GiB at most, and this model has ${end} bytes`, {
      code: 'option-conflict',
      hint: 'leave `inline` out',
    })
  const archive = files.length === 0 ? new Uint8Array(0) : zipArchive(files, end)
  return { head: bytes, blobs, within, small, weights, archive, end: end + archive.length }
}

/**
 * Writes the file below `dir`; the folder `tflite` must exist. Weights are streamed, so that memory does not grow with
 * the model.
 * @throws AlbertkitError `output`, `usage` if it would be too long, or `malformed` from the source
 */
export async function writeTflite(
  graph: TfliteGraph,
  source: TensorSource,
  dir: string,
  options: TfliteWriteOptions,
): Promise<WrittenArtefact> {
  const { fileName, onProgress, onStart, onFile } = options
  const { head, blobs, within, small, weights, archive, end } = planFile(graph, options)
  const path = join(dir, LAYOUT.folder, fileName)
  const file = new OutputFile(path)
  /** Fills the file up to a blob. */
  const before = (i: number): void => {
    const { offset, length } = blobs[i]!
    const gap = new Uint8Array(offset - file.bytes)
    if (i < within) new DataView(gap.buffer).setUint32(gap.length - 4, length, true)
    file.write(gap)
  }
  try {
    onStart?.(path, end)
    file.write(head)
    small.forEach((bytes, i) => {
      before(i)
      file.write(bytes)
    })
    await pourWeights(weights, source, file, {
      before: (i) => {
        before(small.length + i)
      },
      onProgress,
    })
    file.write(archive)
  } finally {
    file.close()
  }
  onFile?.(path)
  return {
    files: [{ path: inFolder(LAYOUT, fileName), bytes: file.bytes }],
    weightBytes: weightsBytes(weights),
    weights,
    outputs: graph.outputs.map(({ name }) => name),
    marks: graph.marks,
  }
}

import { join } from '../../formats/core/paths.js'
import { CHECKPOINT_LAYOUTS } from '../../base/artefact-layout.js'
import { DTYPE_BYTES, type TensorSource } from '../../formats/core/source.js'
import { buildHeader } from '../../formats/safetensors/write.js'
import type { PlannedTensor, Translation } from '../../model/rewrite/translation.js'
import { OutputFile } from '../../files/output-file.js'
import { Turns } from '../../base/yield.js'
import type { CheckpointRequest } from '../options.js'
import type { WriteEvents, WrittenArtefact } from '../weights/artefact.js'
import { byteLengthOf, TensorStream } from './stream.js'

const NAME = CHECKPOINT_LAYOUTS.safetensors.file

/** Order of the official library: wide elements first, so that every tensor is aligned to its dtype, then by name. */
const inOrder = (tensors: readonly PlannedTensor[]): PlannedTensor[] =>
  [...tensors].sort((a, b) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype] || (a.name < b.name ? -1 : 1))

/**
 * Writes `model.safetensors` into `dir` as a stream.
 * @throws AlbertkitError `output`, or `malformed` from the source
 */
export async function writeSafetensorsModel(
  { tensors }: Pick<Translation, 'tensors'>,
  source: TensorSource,
  dir: string,
  { onProgress, onStart, onFile }: WriteEvents,
): Promise<WrittenArtefact> {
  const ordered = inOrder(tensors)
  const weightBytes = ordered.reduce((sum, tensor) => sum + byteLengthOf(tensor), 0)
  const path = join(dir, NAME)
  const file = new OutputFile(path)
  onStart?.(path, weightBytes)
  try {
    file.write(buildHeader(ordered, { format: 'pt' }))
    const stream = new TensorStream(source)
    const turns = new Turns()
    let done = 0
    for (const tensor of ordered)
      for (const bytes of stream.pieces(tensor)) {
        file.write(bytes)
        onProgress?.((done += bytes.length), weightBytes)
        await turns.next()
      }
  } finally {
    file.close()
  }
  onFile?.(path)
  return { files: [{ path: NAME, bytes: file.bytes }], weightBytes, weights: [], outputs: [], marks: {} }
}

/** Writes the checkpoint of a conversion. @throws AlbertkitError `output`, or `malformed` from the source */
export const exportSafetensors = ({
  translation,
  source,
  directory,
  events,
}: CheckpointRequest): Promise<WrittenArtefact> => writeSafetensorsModel(translation, source, directory, events)

import { utf8Bytes } from '../../base/bytes.js'
import { CHECKPOINT_LAYOUTS, inFolder } from '../../base/artefact-layout.js'
import { join } from '../../formats/core/paths.js'
import type { TensorSource } from '../../formats/core/source.js'
import { BundleWriter } from '../../formats/tf-bundle/write.js'
import type { Translation } from '../../model/rewrite/translation.js'
import { makeFolders, OutputFile } from '../../files/output-file.js'
import { Turns } from '../../base/yield.js'
import type { CheckpointRequest } from '../options.js'
import type { WriteEvents, WrittenArtefact } from '../weights/artefact.js'
import { buildTfConfig } from './config.js'
import { byteLengthOf, TensorStream } from './stream.js'

const LAYOUT = CHECKPOINT_LAYOUTS.tf
/** Common prefix of the bundle's file names. */
const PREFIX = LAYOUT.file.replace(/\.index$/, '')
/** Files of the checkpoint, the two of the bundle first. */
const FILES = [LAYOUT.file, `${PREFIX}.data-00000-of-00001`, 'checkpoint'] as const
const STATE = `model_checkpoint_path: "${PREFIX}"\nall_model_checkpoint_paths: "${PREFIX}"\n`

/** File name of the configuration of the original TensorFlow code. */
export const tfConfigName = ({ config }: Pick<Translation, 'config'>): string =>
  config.architecture === 'bert' ? 'bert_config.json' : 'albert_config.json'

/** Paths of the files that `writeTfModel` writes, relative to its directory. */
export const tfFiles = (translation: Pick<Translation, 'config'>): string[] => [...FILES, tfConfigName(translation)]

/**
 * Writes a V2 checkpoint into `dir`: `model.ckpt.index` and its data file, the `checkpoint` that names it, and the
 * configuration `configJson`. The tensors are streamed, in order of their names.
 * @throws AlbertkitError `output`, or `malformed` from the source
 */
export async function writeTfModel(
  translation: Pick<Translation, 'config' | 'tensors'>,
  source: TensorSource,
  dir: string,
  configJson: string,
  { onProgress, onStart, onFile }: WriteEvents,
): Promise<WrittenArtefact> {
  const ordered = [...translation.tensors].sort((a, b) => (a.name < b.name ? -1 : 1))
  const weightBytes = ordered.reduce((sum, tensor) => sum + byteLengthOf(tensor), 0)
  const [index, data, state] = FILES
  const bytes = new Map<string, number>()
  const write = (name: string, content: Uint8Array | string): void => {
    const file = new OutputFile(join(dir, name))
    try {
      file.write(typeof content === 'string' ? utf8Bytes(content) : content)
      bytes.set(name, file.bytes)
    } finally {
      file.close()
    }
  }
  const out = new OutputFile(join(dir, data))
  onStart?.(out.path, weightBytes)
  const writer = new BundleWriter((piece) => {
    out.write(piece)
  })
  try {
    const stream = new TensorStream(source)
    const turns = new Turns()
    let done = 0
    for (const tensor of ordered) {
      const entry = writer.begin(tensor.name, tensor.dtype, tensor.shape)
      for (const piece of stream.pieces(tensor)) {
        entry.write(piece)
        onProgress?.((done += piece.length), weightBytes)
        await turns.next()
      }
      entry.end()
    }
  } finally {
    out.close()
  }
  bytes.set(data, out.bytes)
  write(index, writer.finish())
  write(state, STATE)
  write(tfConfigName(translation), configJson)
  const files = tfFiles(translation).map((name) => {
    onFile?.(join(dir, name))
    return { path: name, bytes: bytes.get(name) ?? 0 }
  })
  return { files, weightBytes, weights: [], outputs: [], marks: {} }
}

/**
 * Writes the checkpoint of a conversion, with a configuration for the original TensorFlow code, into its own folder.
 * @throws AlbertkitError `output`, or `malformed` from the source
 */
export async function exportTf({
  translation,
  source,
  directory,
  task,
  passed,
  events,
}: CheckpointRequest): Promise<WrittenArtefact> {
  const folder = join(directory, LAYOUT.folder)
  makeFolders(folder)
  const config = buildTfConfig(translation.config, passed, task)
  const artefact = await writeTfModel(translation, source, folder, config, events)
  return { ...artefact, files: artefact.files.map((file) => ({ ...file, path: inFolder(LAYOUT, file.path) })) }
}

import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TensorSource } from '../../formats/core/source.js'
import { BundleWriter } from '../../formats/tf-bundle/write.js'
import type { Translation } from '../../model/rewrite/translation.js'
import { asOutputError } from '../../files/output-file.js'
import { yieldToEventLoop } from '../../files/yield.js'
import type { WriteEvents, WrittenArtefact } from '../weights/artefact.js'
import { byteLengthOf, TensorStream } from './stream.js'

/** Files of a checkpoint called `model.ckpt`, the two of the bundle first. */
const FILES = ['model.ckpt.index', 'model.ckpt.data-00000-of-00001', 'checkpoint'] as const
const STATE = 'model_checkpoint_path: "model.ckpt"\nall_model_checkpoint_paths: "model.ckpt"\n'

/** Name of the configuration in the words of TensorFlow's code. */
export const tfConfigName = ({ config }: Pick<Translation, 'config'>): string =>
  config.architecture === 'bert' ? 'bert_config.json' : 'albert_config.json'

/** Paths of the files that `writeTfModel` writes below the directory that it is given. */
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
  const prefix = join(dir, 'model.ckpt')
  try {
    const writer = new BundleWriter(prefix)
    onStart?.(writer.dataFile, weightBytes)
    try {
      const stream = new TensorStream(source)
      let done = 0
      for (const tensor of ordered) {
        writer.add(tensor.name, tensor.dtype, tensor.shape, (sink) => {
          stream.stream(tensor, (bytes) => {
            sink(bytes)
            onProgress?.((done += bytes.length), weightBytes)
          })
        })
        await yieldToEventLoop()
      }
      writer.finish()
    } finally {
      writer.close()
    }
    writeFileSync(join(dir, 'checkpoint'), STATE, { flag: 'wx' })
    writeFileSync(join(dir, tfConfigName(translation)), configJson, { flag: 'wx' })
  } catch (error) {
    throw asOutputError(error, prefix)
  }
  const files = tfFiles(translation).map((name) => {
    const path = join(dir, name)
    onFile?.(path)
    return { path: name, bytes: statSync(path).size }
  })
  return { files, weightBytes, weights: [], outputs: [], marks: {} }
}

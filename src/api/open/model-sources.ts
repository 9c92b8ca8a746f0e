import { addSource } from '../../base/sources.js'
import type { FilePort } from '../../formats/core/file-port.js'
import { join } from '../../formats/core/paths.js'

/**
 * Names of files that belong to a model next to its weights, or are weights of the same model in another container:
 * configurations, vocabularies, class names, modules. They are sources even if a command does not read them.
 */
const COMPANION = new RegExp(
  [
    '.*config.*\\.json',
    '.*vocab.*',
    '(spiece|sentencepiece|tokenizer).*',
    '.*\\.(spm|model|spp)',
    '(special_tokens_map|added_tokens|modules|task|preprocessor|metadata)\\.json',
    'merges\\.txt',
    'model\\.json',
    'group\\d+-shard.*',
    'labels?(\\..*)?',
    'checkpoint',
    'albertkit\\.json',
    '.*\\.(index|meta|data-\\d+-of-\\d+|index\\.json)',
    '(model|pytorch_model|tf_model|flax_model|adapter_model).*\\.(safetensors|bin|h5|msgpack|onnx|onnx_data|keras)',
    '.*\\.(ckpt|pt|pth|pb|pbtxt|keras|h5|hdf5|weights)',
  ]
    .map((pattern) => `^${pattern}$`)
    .join('|'),
  'i',
)

/**
 * Remembers the files of a model as sources, none of which an output may replace. Members of archives and files in
 * memory are not on the disk, and nothing is remembered of them.
 */
export function addModelSources(files: FilePort, directory: string, weights: readonly string[]): void {
  for (const file of weights) addSource(file)
  try {
    for (const name of files.list(directory)) if (COMPANION.test(name)) addSource(join(directory, name))
  } catch {
    // A folder that cannot be listed: what was opened is remembered already.
  }
}

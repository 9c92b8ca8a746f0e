import { parseJson } from '../../base/json-text.js'
import { AlbertkitError, unsupported } from '../../base/errors.js'
import { refuseForeign } from '../../formats/core/explain.js'
import { exists, isDirectory, type FilePort } from '../../formats/core/file-port.js'
import { readText } from '../../formats/core/file.js'
import { basename, dirname, join } from '../../formats/core/paths.js'
import { namePattern } from '../../model/names/pattern.js'
import { MODULES_FILE, readModuleList } from './module-list.js'

/**
 * Files next to the weights that belong to the model: a file that changes the results makes the model unusable, files
 * that are known to be harmless are ignored, and other files of weights are noted.
 */

/** Names of files that do not affect the model: other copies of the weights, trainer state, documentation. */
const HARMLESS: readonly RegExp[] = [
  /^tf_model(-\d+-of-\d+)?\.h5$/,
  /^flax_model.*\.msgpack$/,
  /^rust_model\.ot$/,
  /^pytorch_model.*\.(bin|pt)$/,
  /^model(-\d+-of-\d+)?\.safetensors$/,
  /^openvino_model\.(xml|bin)$/,
  /^training_args\.bin$/,
  /^(optimizer|scheduler).*\.(pt|bin)$/,
  /^scaler\.pt$/,
  /^rng_state.*\.pth$/,
  /^model\.ckpt.*$/,
  /^.*\.ckpt(-\d+)?\.(index|meta|data-.*)$/,
  /^checkpoint$/,
  /^.*\.index\.json$/,
  /^golden.*\.(safetensors|npz)$/,
]
/** Extensions of files that hold weights. */
const WEIGHTS = /\.(safetensors|bin|pt|pth|ckpt|h5|keras|weights|msgpack|ot|npz|pdparams)$/

/** Findings on the files next to the weights of a model. */
export interface SideFiles {
  /** Error of a model whose results depend on a file that is not read; null if there is none. */
  readonly refusal: AlbertkitError | null
  readonly notes: readonly string[]
  /** The one of these notes that names modules of sentence-transformers; null if the model has none. */
  readonly modulesNote: string | null
}

/** `adapter_config.json` of PEFT or AdapterHub; `fields` is empty if it cannot be parsed. */
export interface AdapterConfig {
  readonly file: string
  readonly fields: Readonly<Record<string, unknown>>
}

/**
 * Reads the configuration of an adapter in `directory`; null if absent.
 * @throws AlbertkitError `malformed` if it is a pointer of Git LFS or a page in its place
 */
export function readAdapterConfig(files: FilePort, directory: string): AdapterConfig | null {
  const file = join(directory, 'adapter_config.json')
  if (!exists(files, file)) return null
  refuseForeign(files, file)
  try {
    const parsed: unknown = parseJson(readText(files, file))
    return { file, fields: typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {} }
  } catch {
    return { file, fields: {} }
  }
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

function refuseAdapter({ file, fields }: AdapterConfig, weights: string | null): AlbertkitError {
  const type = text(fields.peft_type)
  const kind = type === null ? 'an adapter' : type === 'LORA' ? 'a LoRA adapter' : `an adapter of type ${type}`
  const base = text(fields.base_model_name_or_path) ?? text(fields.model_name)
  const of = base === null ? '' : ` of ${base}`
  const where = weights === null ? '' : ` (${weights})`
  const withPeft = 'merge it with PEFT (merge_and_unload()) and convert the result'
  const merge =
    type === 'LORA' || type === null
      ? `use \`mergeLora\` if the adapter is beside its base model, else ${withPeft}`
      : withPeft
  const message = `adapter_config.json says that ${kind}${of} belongs to the model${where}`
  return unsupported(`${message}: without it the outputs are those of the base model`, {
    code: 'architecture-unsupported',
    file,
    hint: `${merge}; to run the base model alone, add "adapter_config.json" to \`ignore\``,
  })
}

/** The first names of a list. */
const shown = (names: readonly string[]): string => `${names.slice(0, 6).join(', ')}${names.length > 6 ? ' …' : ''}`

/** Error for weights of an adapter that no configuration describes. */
const refuseBareAdapter = (directory: string, name: string): AlbertkitError =>
  unsupported(`${name} beside the weights is an adapter, but there is no adapter_config.json that says which`, {
    code: 'architecture-unsupported',
    file: join(directory, name),
    hint:
      'put the adapter_config.json that the training wrote beside it; ' +
      `to run the base model alone, add "${name}" to \`ignore\``,
  })

/** Note on adapters in folders below that of the model, as PEFT saves all but the first; null if there are none. */
function adaptersBelow(files: FilePort, directory: string, names: readonly string[]): string | null {
  const found = names.filter((name) => exists(files, join(directory, name, 'adapter_config.json')))
  if (found.length === 0) return null
  return `adapters in folders of the model are not read: ${shown(found)}`
}

/** Parts of a sentence-transformers model: `1_Pooling`, `2_Dense` … */
const MODULE = /^\d+_[A-Z]\w*$/

/**
 * Examines the files next to those of a model.
 * @param own paths of the files of the model
 * @param ignore patterns of names to ignore
 * @param merged true if an adapter in the folder is merged into the weights
 */
export function sideFilesOf(
  files: FilePort,
  directory: string,
  own: readonly string[],
  { ignore = [], merged = false }: { readonly ignore?: readonly string[]; readonly merged?: boolean } = {},
): SideFiles {
  const tests = ignore.map(namePattern)
  const isIgnored = (name: string): boolean => tests.some((test) => test(name))
  const names = isDirectory(files, directory) ? [...files.list(directory)].sort() : []
  const read = new Set(own.filter((file) => dirname(file) === join(directory)).map(basename))
  const config = merged || isIgnored('adapter_config.json') ? null : readAdapterConfig(files, directory)
  const adapter = names.find((name) => /^(adapter_model|pytorch_adapter)\./.test(name)) ?? null
  const notes: string[] = []
  const others = names.filter(
    (name) =>
      WEIGHTS.test(name) &&
      !HARMLESS.some((pattern) => pattern.test(name)) &&
      !read.has(name) &&
      !isIgnored(name) &&
      !/^(adapter_model|pytorch_adapter)\./.test(name) &&
      !isDirectory(files, join(directory, name)),
  )
  if (others.length > 0) notes.push(`weights beside the model that are not read: ${shown(others)}`)
  if (merged)
    notes.push(`the LoRA adapter${adapter === null ? '' : ` in ${adapter}`} is merged into the weights, as requested`)
  const below = adaptersBelow(files, directory, names)
  if (below !== null) notes.push(below)
  const isTaken = (name: string): boolean =>
    merged || read.has(name) || isIgnored(name) || isIgnored('adapter_config.json')
  const bare = adapter === null || isTaken(adapter) ? null : adapter
  const note = isIgnored(MODULES_FILE) ? null : modulesNote(files, directory, names)
  if (note !== null) notes.push(note)
  const refusal =
    config !== null ? refuseAdapter(config, adapter) : bare !== null ? refuseBareAdapter(directory, bare) : null
  return { refusal, notes, modulesNote: note }
}

/** Note on the modules of a sentence-transformers folder; null for other folders. */
function modulesNote(files: FilePort, directory: string, names: readonly string[]): string | null {
  const folders = names.filter((name) => MODULE.test(name) && isDirectory(files, join(directory, name)))
  let modules: readonly string[]
  try {
    modules =
      readModuleList(files, directory)
        ?.modules.slice(1)
        .map(({ path, type }) => path || type) ?? []
  } catch (error) {
    if (!(error instanceof AlbertkitError)) throw error
    return `sentence-transformers: ${MODULES_FILE} cannot be used (${error.message})`
  }
  if (modules.length > 0)
    return (
      `sentence-transformers: pooling and later modules (${modules.join(', ')}) follow the encoder; vectors of texts ` +
      'are made with them (embed), all other outputs without'
    )
  return folders.length === 0
    ? null
    : `modules of sentence-transformers (${folders.join(', ')}) are not applied: there is no ${MODULES_FILE}`
}

import { parseJson } from '../../base/json-text.js'
import { utf8Text } from '../../base/bytes.js'
import { AlbertkitError, malformed, unreadable, usage } from '../../base/errors.js'
import { exists, type FilePort } from '../../formats/core/file-port.js'
import { readBytes, refuseSpecial } from '../../formats/core/file.js'
import { basename, dirname, join } from '../../formats/core/paths.js'
import type { RawConfig } from '../../model/config.js'
import { refuseModelType } from '../../model/foreign-models.js'
import { fromKerasConfig } from '../../model/load/keras-config.js'
import type { ChosenConfig, ConfigOwner } from '../../model/load/resolve-config.js'

/**
 * Names of configuration files. Folders of the Hugging Face hub often hold both kinds, and `gelu` is a different
 * function in each, so the file that the weights' own code reads is the one to use.
 */
const TENSORFLOW = ['albert_config.json', 'bert_config.json']
const TRANSFORMERS = 'config.json'
/** Names in albert_zh's archives: `albert_config_tiny.json`. */
const VARIANT = /^(albert|bert)_config.*\.json$/
/**
 * Configurations have a few KiB; the largest honest ones name tens of thousands of classes twice, in 2 MiB. A million
 * fields take half a gigabyte as a tree.
 */
const MAX_BYTES = 4 * 1024 * 1024

const isConfig = (name: string): boolean => name === TRANSFORMERS || VARIANT.test(name)

/** First of `directories` that has a configuration, else the first one. */
export function directoryWithConfig(files: FilePort, directories: readonly string[]): string {
  return directories.find((directory) => files.list(directory).some(isConfig)) ?? directories[0] ?? '.'
}

/** Path of a configuration one folder up, or null: checkpoints are often kept in a subfolder. */
function configAbove(files: FilePort, directory: string): string | null {
  const parent = join(directory, '..')
  try {
    const name = files.list(parent).filter(isConfig).sort()[0]
    return name === undefined ? null : join(parent, name)
  } catch {
    return null
  }
}

/**
 * Path of the configuration in `directory` that the code of `owner` reads.
 * @throws AlbertkitError if it is absent or ambiguous
 */
function findConfig(files: FilePort, directory: string, names: readonly string[], owner: ConfigOwner): string {
  const exact = owner.architecture === 'bert' ? [...TENSORFLOW].reverse() : TENSORFLOW
  const own = exact.find((name) => names.includes(name))
  const common = names.includes(TRANSFORMERS) ? TRANSFORMERS : undefined
  const variants = names.filter((name) => VARIANT.test(name) && !TENSORFLOW.includes(name)).sort()
  const only = variants.length === 1 ? variants[0] : undefined
  const name =
    owner.family === 'hf' || owner.configInferable === true ? (common ?? own ?? only) : (own ?? only ?? common)
  if (name !== undefined) return join(directory, name)
  if (variants.length > 1)
    throw usage(`${directory} has several configurations: ${variants.join(', ')}`, {
      code: 'choice-ambiguous',
      hint: 'choose one with `config`',
    })
  const above = configAbove(files, directory)
  throw malformed('there is no configuration beside the weights', {
    code: 'config-missing',
    file: directory,
    hint:
      above === null
        ? `looked for ${[...TENSORFLOW, TRANSFORMERS].join(', ')} and albert_config_*.json; give one with \`config\``
        : `if ${above} belongs to these weights, give it as \`config\``,
  })
}

/** True if `directory` contains a configuration. */
export const hasConfig = (files: FilePort, directory: string): boolean => files.list(directory).some(isConfig)

/**
 * Finds the configuration of the weights in `directory`; a note names the chosen file if there are several.
 * @throws AlbertkitError `malformed` if there is no configuration, `usage` if the choice is ambiguous
 */
export function chooseConfig(
  files: FilePort,
  directory: string,
  owner: ConfigOwner,
): { file: string; notes: readonly string[] } {
  const names = files.list(directory)
  const file = findConfig(files, directory, names, owner)
  const others = names.filter((name) => isConfig(name) && name !== basename(file))
  if (others.length === 0) return { file, notes: [] }
  const ignored = others.sort().join(', ')
  return { file, notes: [`using ${basename(file)}, which the code of these weights reads; ignoring ${ignored}`] }
}

/** Replaces NaN and infinities, which Python writes but JSON does not allow, by null. */
const withoutNaN = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (found) => (found.startsWith('"') ? found : 'null'))

/** Parses `text` as JSON or as Python's dialect of it. @throws SyntaxError */
function parseLikePython(text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    try {
      return parseJson(withoutNaN(text))
    } catch {
      throw error
    }
  }
}

function readText(files: FilePort, file: string): string {
  refuseSpecial(files, file)
  if ((files.stat(file)?.size ?? 0) > MAX_BYTES)
    throw malformed('the configuration is larger than 4 MiB', { code: 'limit-exceeded', file })
  let bytes: Uint8Array
  try {
    bytes = readBytes(files, file)
  } catch (error) {
    if (error instanceof AlbertkitError && error.cause !== undefined)
      throw unreadable('the configuration', file, error.cause)
    throw error
  }
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw malformed('the configuration is UTF-16', {
      code: 'config-invalid',
      file,
      field: 'hidden_size',
      hint: 'save it as UTF-8',
    })
  return utf8Text(bytes).replace(/^\uFEFF/, '')
}

/** Contents of keras-hub's `task.json`, which describes the head, next to `config.json`; null if absent. */
function readTask(files: FilePort, file: string): RawConfig['fields'] | null {
  const task = join(dirname(file), 'task.json')
  return basename(file) === 'config.json' && exists(files, task) ? readFields(files, task) : null
}

/** The object in a configuration. @throws AlbertkitError as `readConfigFile` */
function readFields(files: FilePort, file: string): RawConfig['fields'] {
  const text = readText(files, file)
  const fail = (what: string) =>
    malformed(`the configuration ${what}`, {
      code: 'config-invalid',
      file,
      field: 'hidden_size',
      hint: 'a configuration is a JSON object with hidden_size, num_hidden_layers …',
    })
  if (text.trim() === '') throw fail('is empty')
  let fields: unknown
  try {
    fields = parseLikePython(text)
  } catch (error) {
    throw fail(`is not JSON: ${(error as Error).message}`)
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) throw fail('is not a JSON object')
  return fields as Record<string, unknown>
}

/**
 * Reads a configuration.
 * @throws AlbertkitError `malformed` if it is not a JSON object, `usage` if it cannot be read
 */
export const readConfigFile = (files: FilePort, file: string): RawConfig =>
  fromKerasConfig({ file, fields: readFields(files, file) }, () => readTask(files, file))

/**
 * Reads the configuration at `file`; without `file`, the one in `directory` that belongs to weights of `owner`.
 * @throws AlbertkitError as `chooseConfig` and `readConfigFile`
 */
export function readChosen(
  files: FilePort,
  directory: string,
  owner: ConfigOwner,
  file: string | undefined,
): ChosenConfig {
  if (file !== undefined) return { raw: readConfigFile(files, file), notes: [] }
  if (owner.configInferable === true && !hasConfig(files, directory)) return { raw: null, notes: [] }
  const chosen = chooseConfig(files, directory, owner)
  return { raw: readConfigFile(files, chosen.file), notes: chosen.notes }
}

/** Error that names the `model_type` of the configuration in place of an unknown family; null if it is not foreign. */
export function foreignTypeBeside(
  files: FilePort,
  directories: readonly string[],
  error: unknown,
): AlbertkitError | null {
  const codes: readonly unknown[] = ['family-unknown', 'architecture-unsupported']
  if (!(error instanceof AlbertkitError) || !codes.includes(error.code)) return null
  const file = join(directoryWithConfig(files, directories), TRANSFORMERS)
  try {
    if (!exists(files, file)) return null
    return refuseModelType(readConfigFile(files, file).fields.model_type, file)
  } catch {
    return null
  }
}

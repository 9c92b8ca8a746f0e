import { parseJson } from '../../base/json-text.js'
import { AlbertkitError, malformed, unreadable } from '../../base/errors.js'
import { describeForeign } from '../../formats/core/explain.js'
import { exists, type FilePort } from '../../formats/core/file-port.js'
import { readText } from '../../formats/core/file.js'
import { basename, dirname, join } from '../../formats/core/paths.js'

/** `modules.json` of a sentence-transformers folder: the transformer, its pooling, and what follows. */

export const MODULES_FILE = 'modules.json'

/** One module of the list. */
export interface ListedModule {
  /** Class in Python, e.g. `sentence_transformers.models.Pooling`. */
  readonly type: string
  /** Name of the class if it is one of sentence-transformers, else null. */
  readonly className: string | null
  /** Folder of its configuration and weights, relative to the list; `''` is the folder of the list. */
  readonly path: string
}

export interface ModuleList {
  readonly file: string
  readonly directory: string
  readonly modules: readonly ListedModule[]
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Reads a JSON object.
 * @returns null if there is no such file
 * @throws AlbertkitError `malformed` if it holds something else, `usage` if it cannot be read
 */
export function readJsonFields(files: FilePort, file: string): Fields | null {
  const value = readJson(files, file)
  if (value === null || isFields(value)) return value
  throw malformed('the file holds no JSON object', { code: 'config-invalid', file })
}

function readJson(files: FilePort, file: string): unknown {
  if (!exists(files, file)) return null
  let text: string
  try {
    text = readText(files, file)
  } catch (error) {
    if (error instanceof AlbertkitError && error.cause === undefined) throw error
    throw unreadable('the configuration', file, error)
  }
  try {
    return parseJson(text.replace(/^\uFEFF/, ''))
  } catch (cause) {
    throw describeForeign(files, file) ?? malformed('the file is not JSON', { code: 'config-invalid', file, cause })
  }
}

/** Folders within the folder of the list: no absolute path, no `..`. */
const isInner = (path: string): boolean => path === '' || /^(?!\.)[\w.-]+(\/(?!\.)[\w.-]+)*\/?$/.test(path)

function moduleOf(value: unknown, index: number, file: string): ListedModule {
  const field = `[${index}]`
  const { type, path = '' } = isFields(value) ? value : {}
  if (typeof type !== 'string' || typeof path !== 'string')
    throw malformed('a module has no type or no path', { code: 'config-invalid', file, field })
  if (!isInner(path))
    throw malformed(`the module ${type} lies outside of the folder: ${path}`, { code: 'path-escapes', file, field })
  const className = type.startsWith('sentence_transformers.') ? (type.split('.').at(-1) ?? type) : null
  return { type, className, path: path.replace(/\/$/, '') }
}

function readList(files: FilePort, file: string): ModuleList | null {
  const list = readJson(files, file)
  if (list === null) return null
  if (!Array.isArray(list)) throw malformed('the file holds no JSON array of modules', { code: 'config-invalid', file })
  return { file, directory: dirname(file), modules: list.map((value, i) => moduleOf(value, i, file)) }
}

/**
 * Reads the list of modules that a model belongs to: in its folder, or above if the list there names the folder.
 * @returns null if there is none
 * @throws AlbertkitError `malformed` if it is damaged, `usage` if it cannot be read
 */
export function readModuleList(files: FilePort, directory: string): ModuleList | null {
  const own = readList(files, join(directory, MODULES_FILE))
  if (own !== null) return own
  const above = join(directory, '..')
  const list = /(^|\/)\.\.$/.test(above) ? null : readList(files, join(above, MODULES_FILE))
  return list?.modules[0]?.path === basename(directory) ? list : null
}

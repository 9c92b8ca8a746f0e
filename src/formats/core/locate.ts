import { parseJson } from '../../base/json-text.js'
import { AlbertkitError, malformed, unsupported, usage } from '../../base/errors.js'
import type { Found } from './container.js'
import { CONTAINERS } from './containers.js'
import { describeForeign, isForeignName, refuseForeign } from './explain.js'
import { exists, isDirectory, type FilePort } from './file-port.js'
import { readTextUpTo, refuseSpecial } from './file.js'
import { join } from './paths.js'
import { KIND_WORDS, sniff } from './sniff.js'

/** Folder levels that are searched: a model may be nested (`module.tar.gz/module/1/…`). */
const MAX_NESTING = 6
/** Limit of folders that are searched, in case the user gives a whole disk. */
const MAX_FOLDERS = 64

const MODULES_FILE = 'modules.json'
/** A list of modules has a few lines. */
const MAX_LIST = 1 << 20

const looked = (): string => CONTAINERS.map((container) => container.title).join(', ')

/** First answer of a container that is not null. */
function first<T>(ask: (container: (typeof CONTAINERS)[number]) => T | null | undefined): T | null {
  for (const container of CONTAINERS) {
    const answer = ask(container) ?? null
    if (answer !== null) return answer
  }
  return null
}

/** True for files of file managers and downloaders: `.DS_Store`, `._model.ckpt.index`, `.cache`, `__MACOSX`. */
const isLitter = (name: string): boolean => name.startsWith('.') || name === '__MACOSX'

const isNoModel = (error: unknown): boolean => error instanceof AlbertkitError && error.code === 'model-not-found'

/** The model in one of the folders of `directory`, or null. @throws AlbertkitError `usage` if several have one */
function locateBelow(
  files: FilePort,
  directory: string,
  folders: readonly string[],
  depth: number,
  budget: { left: number },
): Found | null {
  const within: { folder: string; found: Found }[] = []
  for (const folder of folders) {
    if (depth >= MAX_NESTING || --budget.left < 0) break
    try {
      within.push({ folder, found: locateInDirectory(files, join(directory, folder), depth + 1, budget) })
    } catch (error) {
      // If there is only one folder, its error is the one to report.
      if (folders.length === 1 && !isNoModel(error)) throw error
    }
  }
  const [one, ...more] = within
  if (one === undefined) return null
  if (more.length > 0)
    throw usage(`the directory holds several models: ${within.map(({ folder }) => folder).join(', ')}`, {
      code: 'choice-ambiguous',
      file: directory,
      hint: 'give the folder of the one you mean (of an archive: unpack it first)',
    })
  return {
    directories: [...one.found.directories, directory],
    notes: [...one.found.notes, `found in the folder ${one.folder}`],
    open: one.found.open.bind(one.found),
  }
}

/** Folder of the weights that the list of a sentence-transformers folder names first, e.g. `0_Transformer`, or null. */
function transformerFolder(files: FilePort, directory: string, names: readonly string[]): string | null {
  if (!names.includes(MODULES_FILE)) return null
  try {
    const [first] = parseJson(readTextUpTo(files, join(directory, MODULES_FILE), MAX_LIST) ?? '[]') as unknown[]
    const path = (first as { readonly path?: unknown } | null | undefined)?.path
    return typeof path === 'string' && path !== '' ? path : null
  } catch {
    // Errors in the list are reported when it is used.
    return null
  }
}

function locateInDirectory(files: FilePort, directory: string, depth: number, budget: { left: number }): Found {
  const names = files.list(directory).filter((name) => !isLitter(name))
  const found = first((container) => container.inDirectory?.(files, directory, names))
  if (found !== null) return found
  const incomplete = first((container) => container.incomplete?.(files, directory, names))
  if (incomplete !== null) throw incomplete
  const inner = names.filter((name) => isDirectory(files, join(directory, name))).sort()
  const transformer = transformerFolder(files, directory, names)
  const folders = transformer !== null && inner.includes(transformer) ? [transformer] : inner
  const below = locateBelow(files, directory, folders, depth, budget)
  if (below !== null) return below
  const foreign = names.find((name) => isForeignName(name))
  const told = foreign === undefined ? null : describeForeign(files, join(directory, foreign))
  if (told !== null) throw told
  const other = names.find((name) => /\.(bin|pt|pth|h5|ckpt)$/.test(name))
  if (other !== undefined) refuse(files, join(directory, other))
  throw malformed('there is no model in the directory', {
    code: 'model-not-found',
    file: directory,
    hint: `looked for ${looked()}`,
  })
}

/** Throws the error for a file that no container reads: names the kind of the file. */
function refuse(files: FilePort, path: string): never {
  refuseForeign(files, path)
  const kind = sniff(files, path)
  const said = `the file is ${KIND_WORDS[kind]}`
  const hint = `a model is one of: ${looked()}`
  if (kind === 'zip' || kind === 'gzip' || kind === 'hdf5' || kind === 'pickle')
    throw unsupported(`${said}, but not in a format that albertkit reads`, {
      code: 'format-unsupported',
      file: path,
      hint,
    })
  throw malformed(kind === 'unknown' || kind === 'empty' ? `${said}, no model` : `${said}, not a model`, {
    code: 'not-a-model',
    file: path,
    hint,
  })
}

/**
 * Finds the model at a path: a directory, a file, or the prefix of a checkpoint. The containers (`containers.ts`)
 * recognise it, by the name of the file first, then by its bytes.
 * @throws AlbertkitError `malformed`, `unsupported`, or `usage` if the choice is ambiguous
 */
export function locate(files: FilePort, path: string): Found {
  refuseSpecial(files, path)
  if (isDirectory(files, path)) return locateInDirectory(files, path, 1, { left: MAX_FOLDERS })
  if (!exists(files, path)) {
    const prefix = first((container) => container.byPrefix?.(files, path))
    if (prefix !== null) return prefix
    throw usage('there is no such file, directory or checkpoint prefix', { code: 'file-missing', file: path })
  }
  const named = first((container) => container.byName?.(files, path))
  if (named !== null) return named
  const kind = sniff(files, path)
  return first((container) => container.byBytes?.(files, path, kind)) ?? refuse(files, path)
}

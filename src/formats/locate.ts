import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { malformed, unsupported, usage } from '../errors.js'
import { fileError } from './file.js'
import { KIND_WORDS, sniff } from './sniff.js'

/** What a path that the user gave leads to. */
export type Location =
  | { readonly kind: 'tf-bundle'; readonly prefix: string; readonly notes: readonly string[] }
  | { readonly kind: 'safetensors' | 'safetensors-index'; readonly file: string; readonly notes: readonly string[] }

/** A `checkpoint` file is a few lines; a longer one is something else. */
const MAX_STATE_BYTES = 1024 * 1024

const DATA = /\.data-\d{5,}-of-\d{5,}$/
const isDirectory = (path: string): boolean => {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** Prefixes of the V2 checkpoints in a directory: those with an index. */
const prefixesIn = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.index'))
    .map((name) => name.slice(0, -'.index'.length))
    .sort()

/**
 * The checkpoint that a `checkpoint` state file names, by its last path component alone: the path in it is often one
 * of the machine that trained, and must never lead out of the directory.
 */
function stateChoice(stateFile: string): string | null {
  let text = ''
  try {
    if (statSync(stateFile).size <= MAX_STATE_BYTES) text = readFileSync(stateFile, 'utf8')
  } catch (error) {
    throw fileError(error, stateFile)
  }
  const quoted = /^\s*model_checkpoint_path\s*:\s*("(?:[^"\\]|\\.)*")/m.exec(text)?.[1]
  if (quoted === undefined) return null
  const name = basename(quoted.slice(1, -1).replace(/\\(.)/g, '$1').replaceAll('\\', '/'))
  return name === '' || name === '.' || name === '..' ? null : name
}

function locateByState(stateFile: string): Location {
  const directory = dirname(stateFile)
  const prefixes = prefixesIn(directory)
  const named = stateChoice(stateFile)
  if (named !== null && prefixes.includes(named))
    return { kind: 'tf-bundle', prefix: join(directory, named), notes: [] }
  const only = prefixes[0]
  if (prefixes.length === 1 && only !== undefined) {
    const note = `the checkpoint file names ${named ?? 'no checkpoint'}; took ${only}, the only one here`
    return { kind: 'tf-bundle', prefix: join(directory, only), notes: [note] }
  }
  throw malformed(named === null ? 'names no checkpoint' : `names ${named}, which is not beside it`, {
    file: stateFile,
    hint:
      prefixes.length === 0 ? 'the .index file is missing: fetch it too' : `give one of them: ${prefixes.join(', ')}`,
  })
}

/** Goldens hold inputs and outputs, not weights. */
const isModelFile = (name: string): boolean => name.endsWith('.safetensors') && !name.startsWith('golden')

function locateInDirectory(directory: string, nested: boolean): Location {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch (error) {
    throw fileError(error, directory)
  }
  if (names.includes('checkpoint') && !isDirectory(join(directory, 'checkpoint')))
    return locateByState(join(directory, 'checkpoint'))
  const prefixes = prefixesIn(directory)
  const prefix = prefixes[0]
  if (prefixes.length === 1 && prefix !== undefined)
    return { kind: 'tf-bundle', prefix: join(directory, prefix), notes: [] }
  if (prefixes.length > 1)
    throw usage(`${directory} holds several checkpoints: ${prefixes.join(', ')}`, {
      hint: 'give the one you mean by its prefix',
    })
  const index =
    names.find((name) => name === 'model.safetensors.index.json') ??
    names.find((name) => name.endsWith('.safetensors.index.json'))
  if (index !== undefined) return { kind: 'safetensors-index', file: join(directory, index), notes: [] }
  const files = names.filter(isModelFile).sort()
  const file = files.find((name) => name === 'model.safetensors') ?? (files.length === 1 ? files[0] : undefined)
  if (file !== undefined) return { kind: 'safetensors', file: join(directory, file), notes: [] }
  if (files.length > 1)
    throw usage(`${directory} holds several models: ${files.join(', ')}`, { hint: 'give the one you mean' })
  const data = names.find((name) => DATA.test(name))
  if (data !== undefined)
    throw malformed('the .index file of the checkpoint is missing', {
      file: join(directory, data),
      hint: 'a checkpoint is its .index and every .data-… file together',
    })
  const folders = names.filter((name) => isDirectory(join(directory, name)))
  const folder = folders[0]
  if (!nested && folders.length === 1 && folder !== undefined) {
    try {
      const inner = locateInDirectory(join(directory, folder), true)
      return { ...inner, notes: [...inner.notes, `found in the folder ${folder}`] }
    } catch {
      // Said below of the directory that was given.
    }
  }
  const other = names.find((name) => /\.(bin|pt|pth|h5|pb|ckpt)$/.test(name))
  if (other !== undefined)
    throw unsupported(`${other} is of a kind that albertkit does not read yet`, {
      file: join(directory, other),
      hint: 'convert it to safetensors first',
    })
  throw malformed('there is no model in the directory', {
    file: directory,
    hint: 'looked for a checkpoint (.index with .data-…) and .safetensors',
  })
}

/** Of a file that is none we read: what it is instead. */
function refuse(path: string): never {
  const kind = sniff(path)
  const said = `the file is ${KIND_WORDS[kind]}`
  const hint = 'a model is a TensorFlow checkpoint (.index with .data-…) or .safetensors'
  if (kind === 'zip' || kind === 'gzip' || kind === 'hdf5' || kind === 'pickle')
    throw unsupported(`${said}, which albertkit does not read yet`, { file: path, hint })
  throw malformed(kind === 'unknown' || kind === 'empty' ? `${said}, no model` : `${said}, not a model`, {
    file: path,
    hint,
  })
}

/**
 * Finds the model that a path means: a directory, a checkpoint's prefix, its `.index`, a `.data-…` file, the
 * `checkpoint` file, a `.safetensors` file or its index.
 * @throws AlbertkitError `malformed`, `unsupported`, or `usage` where the choice is not clear
 */
export function locate(path: string): Location {
  if (isDirectory(path)) return locateInDirectory(path, false)
  if (!existsSync(path) && existsSync(`${path}.index`)) return { kind: 'tf-bundle', prefix: path, notes: [] }
  if (!existsSync(path)) {
    const looksLikePrefix =
      existsSync(dirname(path)) && readdirSync(dirname(path)).some((name) => name.startsWith(`${basename(path)}.data-`))
    throw malformed(
      looksLikePrefix
        ? 'the .index file of the checkpoint is missing'
        : 'there is no such file, directory or checkpoint prefix',
      { file: path },
    )
  }
  const name = basename(path)
  if (name === 'checkpoint') return locateByState(path)
  if (name.endsWith('.safetensors.index.json')) return { kind: 'safetensors-index', file: path, notes: [] }
  if (name.endsWith('.safetensors')) return { kind: 'safetensors', file: path, notes: [] }
  const prefix = name.endsWith('.index')
    ? path.slice(0, -'.index'.length)
    : DATA.test(name)
      ? path.replace(DATA, '')
      : path
  if (prefix !== path || existsSync(`${path}.index`)) return { kind: 'tf-bundle', prefix, notes: [] }
  if (sniff(path) === 'safetensors') return { kind: 'safetensors', file: path, notes: [] }
  return refuse(path)
}

/** The folder that holds configuration, vocabulary and labels of the model at `path`. */
export function modelDirectory(path: string): string {
  const found = locate(path)
  return dirname(found.kind === 'tf-bundle' ? found.prefix : found.file)
}

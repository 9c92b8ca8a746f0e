import { malformed, usage, type AlbertkitError } from '../../base/errors.js'
import type { Container, Found } from '../core/container.js'
import { exists, isDirectory, type FilePort } from '../core/file-port.js'
import { readTextUpTo } from '../core/file.js'
import { basename, dirname, join } from '../core/paths.js'
import { KIND_WORDS, sniff } from '../core/sniff.js'
import { foundV1 } from '../tf-v1/container.js'
import { v1Files, v1Names } from '../tf-v1/find.js'
import { withMeta } from './meta.js'
import { nameObjects } from './object-graph.js'
import { openBundle } from './source.js'

/** TensorFlow V2 checkpoints, given as a directory, a prefix, one of their files, or the `checkpoint` file. */

/** A `checkpoint` file has a few lines; a longer one is something else. */
const MAX_STATE_BYTES = 1024 * 1024

const DATA = /\.data-\d{5,}-of-\d{5,}$/

const WHOLE = 'a checkpoint is its .index and every .data-… file together'

/** Prefixes of the V2 checkpoints in a directory, by their indexes. */
const prefixesIn = (names: readonly string[]): string[] =>
  names
    .filter((name) => name.endsWith('.index') && !name.startsWith('._'))
    .map((name) => name.slice(0, -'.index'.length))
    .sort()

/** Refuses a file of another kind in place of the index, e.g. a saved error page. */
function checkIndex(files: FilePort, file: string): void {
  if (!exists(files, file))
    throw malformed('the .index file of the checkpoint is missing', { code: 'file-missing', file, hint: WHOLE })
  const kind = sniff(files, file)
  if (kind === 'unknown' || kind === 'text' || kind === 'json') return
  throw malformed(`the index is ${KIND_WORDS[kind]}`, {
    code: 'not-a-model',
    file,
    offset: 0,
    hint: 'fetch the .index file again',
  })
}

/** Directories to search for the configuration: that of the checkpoint, or that of the SavedModel that contains it. */
function directoriesOf(files: FilePort, prefix: string): string[] {
  const directory = dirname(prefix)
  const outer = dirname(directory)
  return exists(files, join(outer, 'saved_model.pb')) ? [directory, outer, dirname(outer)] : [directory]
}

const found = (files: FilePort, prefix: string, notes: readonly string[] = []): Found => ({
  directories: directoriesOf(files, prefix),
  notes,
  open(options) {
    checkIndex(files, `${prefix}.index`)
    return { source: withMeta(files, `${prefix}.meta`, nameObjects(openBundle(files, prefix, options))) }
  },
})

/**
 * Name of the checkpoint in a `checkpoint` state file. Only the last component of the path is used: the path is often
 * one of the machine that trained the model, and must never lead out of the directory.
 */
function stateChoice(files: FilePort, stateFile: string): string | null {
  const text = readTextUpTo(files, stateFile, MAX_STATE_BYTES) ?? ''
  const quoted = /^[ \t]*model_checkpoint_path[ \t]*:[ \t]*("(?:[^"\\\n]|\\.)*")/m.exec(text)?.[1]
  if (quoted === undefined) return null
  const name = basename(quoted.slice(1, -1).replace(/\\(.)/g, '$1').replaceAll('\\', '/'))
  return name === '' || name === '.' || name === '..' ? null : name
}

/** The checkpoint of this name in a directory, V2 or V1; null if there is none. */
function named(files: FilePort, directory: string, name: string, notes: readonly string[] = []): Found | null {
  const prefix = join(directory, name)
  if (exists(files, `${prefix}.index`)) return found(files, prefix, notes)
  const paths = v1Files(files, prefix)
  return paths === null ? null : { ...foundV1(files, paths), notes }
}

function byState(files: FilePort, stateFile: string): Found {
  const directory = dirname(stateFile)
  const names = files.list(directory)
  const choice = stateChoice(files, stateFile)
  const chosen = choice === null ? null : named(files, directory, choice)
  if (chosen !== null) return chosen
  const checkpoints = [...prefixesIn(names), ...v1Names(files, directory, names)]
  const [only] = checkpoints
  if (checkpoints.length === 1 && only !== undefined) {
    const note = `the checkpoint file names ${choice ?? 'no checkpoint'}; took ${only}, the only one here`
    const taken = named(files, directory, only, [note])
    if (taken !== null) return taken
  }
  throw malformed(choice === null ? 'names no checkpoint' : `names ${choice}, which is not beside it`, {
    code: choice === null ? 'header-invalid' : 'file-missing',
    file: stateFile,
    hint:
      checkpoints.length === 0
        ? 'the .index file is missing: fetch it too'
        : `give one of them: ${checkpoints.join(', ')}`,
  })
}

const byMetaError = (file: string): AlbertkitError =>
  malformed('a .meta file holds the graph and no weights, and its checkpoint is not beside it', {
    code: 'file-missing',
    file,
    hint: WHOLE,
  })

/** The checkpoint of a `.meta` file, which holds only the graph. */
function byMeta(files: FilePort, path: string): Found {
  const checkpoint = named(files, dirname(path), basename(path).slice(0, -'.meta'.length))
  if (checkpoint !== null) return checkpoint
  throw byMetaError(path)
}

export const tfCheckpoint: Container = {
  title: 'a TensorFlow checkpoint (.index with .data-…)',
  byName(files, path) {
    const name = basename(path)
    if (name === 'checkpoint') return byState(files, path)
    if (name.endsWith('.index')) return found(files, path.slice(0, -'.index'.length))
    if (DATA.test(name)) return found(files, path.replace(DATA, ''))
    if (name.endsWith('.meta')) return byMeta(files, path)
    return exists(files, `${path}.index`) ? found(files, path) : null
  },
  byPrefix(files, path) {
    if (exists(files, `${path}.index`)) return found(files, path)
    const directory = dirname(path)
    const data = `${basename(path)}.data-`
    if (exists(files, directory) && files.list(directory).some((name) => name.startsWith(data)))
      throw malformed('the .index file of the checkpoint is missing', { code: 'file-missing', file: path })
    return null
  },
  inDirectory(files, directory, names) {
    if (names.includes('checkpoint') && !isDirectory(files, join(directory, 'checkpoint')))
      return byState(files, join(directory, 'checkpoint'))
    const prefixes = prefixesIn(names)
    const prefix = prefixes[0]
    if (prefix === undefined) return null
    if (prefixes.length === 1) return found(files, join(directory, prefix))
    throw usage(`${directory} holds several checkpoints: ${prefixes.join(', ')}`, {
      code: 'choice-ambiguous',
      hint: 'give the one you mean by its prefix',
    })
  },
  incomplete(_, directory, names) {
    const data = names.find((name) => DATA.test(name))
    const meta = names.find((name) => name.endsWith('.meta'))
    if (data === undefined && meta !== undefined) return byMetaError(join(directory, meta))
    if (data === undefined) return null
    return malformed('the .index file of the checkpoint is missing', {
      code: 'file-missing',
      file: join(directory, data),
      hint: WHOLE,
    })
  },
}

import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { malformed, usage, type AlbertkitError } from '../../base/errors.js'
import type { Container, Found } from '../core/container.js'
import { isDirectory, readTextUpTo } from '../core/file.js'
import { KIND_WORDS, sniff } from '../core/sniff.js'
import { foundV1 } from '../tf-v1/container.js'
import { v1Files, v1Names } from '../tf-v1/find.js'
import { withMeta } from './meta.js'
import { nameObjects } from './object-graph.js'
import { openBundle } from './source.js'

/** A TensorFlow checkpoint is given by its directory, its prefix, one of its files, or the `checkpoint` file. */

/** A `checkpoint` file is a few lines; a longer one is something else. */
const MAX_STATE_BYTES = 1024 * 1024

const DATA = /\.data-\d{5,}-of-\d{5,}$/

const WHOLE = 'a checkpoint is its .index and every .data-… file together'

/** Prefixes of the V2 checkpoints in a directory: those with an index. */
const prefixesIn = (names: readonly string[]): string[] =>
  names
    .filter((name) => name.endsWith('.index') && !name.startsWith('._'))
    .map((name) => name.slice(0, -'.index'.length))
    .sort()

/** Names the kind of a file that stands where an index should: a saved error page, a picture … */
function checkIndex(file: string): void {
  if (!existsSync(file)) throw malformed('the .index file of the checkpoint is missing', { file, hint: WHOLE })
  const kind = sniff(file)
  if (kind === 'unknown' || kind === 'text' || kind === 'json') return
  throw malformed(`the index is ${KIND_WORDS[kind]}`, { file, offset: 0, hint: 'fetch the .index file again' })
}

/** Configuration lies beside the checkpoint; of the variables of a SavedModel, beside that. */
function directoriesOf(prefix: string): string[] {
  const directory = dirname(prefix)
  const outer = dirname(directory)
  return existsSync(join(outer, 'saved_model.pb')) ? [directory, outer, dirname(outer)] : [directory]
}

const found = (prefix: string, notes: readonly string[] = []): Found => ({
  directories: directoriesOf(prefix),
  notes,
  open(options) {
    checkIndex(`${prefix}.index`)
    return { source: withMeta(`${prefix}.meta`, nameObjects(openBundle(prefix, options))) }
  },
})

/**
 * The checkpoint that a `checkpoint` state file names, by its last path component alone: the path in it is often one
 * of the machine that trained, and must never lead out of the directory.
 */
function stateChoice(stateFile: string): string | null {
  const text = readTextUpTo(stateFile, MAX_STATE_BYTES) ?? ''
  const quoted = /^\s*model_checkpoint_path\s*:\s*("(?:[^"\\]|\\.)*")/m.exec(text)?.[1]
  if (quoted === undefined) return null
  const name = basename(quoted.slice(1, -1).replace(/\\(.)/g, '$1').replaceAll('\\', '/'))
  return name === '' || name === '.' || name === '..' ? null : name
}

/** The checkpoint of either version that has a name in a directory; null where there is none. */
function named(directory: string, name: string, notes: readonly string[] = []): Found | null {
  const prefix = join(directory, name)
  if (existsSync(`${prefix}.index`)) return found(prefix, notes)
  const files = v1Files(prefix)
  return files === null ? null : { ...foundV1(files), notes }
}

function byState(stateFile: string): Found {
  const directory = dirname(stateFile)
  const names = readdirSync(directory)
  const choice = stateChoice(stateFile)
  const chosen = choice === null ? null : named(directory, choice)
  if (chosen !== null) return chosen
  const checkpoints = [...prefixesIn(names), ...v1Names(directory, names)]
  const [only] = checkpoints
  if (checkpoints.length === 1 && only !== undefined) {
    const note = `the checkpoint file names ${choice ?? 'no checkpoint'}; took ${only}, the only one here`
    const taken = named(directory, only, [note])
    if (taken !== null) return taken
  }
  throw malformed(choice === null ? 'names no checkpoint' : `names ${choice}, which is not beside it`, {
    file: stateFile,
    hint:
      checkpoints.length === 0
        ? 'the .index file is missing: fetch it too'
        : `give one of them: ${checkpoints.join(', ')}`,
  })
}

const byMetaError = (file: string): AlbertkitError =>
  malformed('a .meta file holds the graph and no weights, and its checkpoint is not beside it', { file, hint: WHOLE })

/** A `.meta` file holds the graph; the weights are in what stands beside it. */
function byMeta(path: string): Found {
  const checkpoint = named(dirname(path), basename(path).slice(0, -'.meta'.length))
  if (checkpoint !== null) return checkpoint
  throw byMetaError(path)
}

export const tfCheckpoint: Container = {
  title: 'a TensorFlow checkpoint (.index with .data-…)',
  byName(path) {
    const name = basename(path)
    if (name === 'checkpoint') return byState(path)
    if (name.endsWith('.index')) return found(path.slice(0, -'.index'.length))
    if (DATA.test(name)) return found(path.replace(DATA, ''))
    if (name.endsWith('.meta')) return byMeta(path)
    return existsSync(`${path}.index`) ? found(path) : null
  },
  byPrefix(path) {
    if (existsSync(`${path}.index`)) return found(path)
    const directory = dirname(path)
    const data = `${basename(path)}.data-`
    if (existsSync(directory) && readdirSync(directory).some((name) => name.startsWith(data)))
      throw malformed('the .index file of the checkpoint is missing', { file: path })
    return null
  },
  inDirectory(directory, names) {
    if (names.includes('checkpoint') && !isDirectory(join(directory, 'checkpoint')))
      return byState(join(directory, 'checkpoint'))
    const prefixes = prefixesIn(names)
    const prefix = prefixes[0]
    if (prefix === undefined) return null
    if (prefixes.length === 1) return found(join(directory, prefix))
    throw usage(`${directory} holds several checkpoints: ${prefixes.join(', ')}`, {
      hint: 'give the one you mean by its prefix',
    })
  },
  incomplete(directory, names) {
    const data = names.find((name) => DATA.test(name))
    const meta = names.find((name) => name.endsWith('.meta'))
    if (data === undefined && meta !== undefined) return byMetaError(join(directory, meta))
    if (data === undefined) return null
    return malformed('the .index file of the checkpoint is missing', { file: join(directory, data), hint: WHOLE })
  },
}

import { malformed, unsupported } from '../../base/errors.js'
import type { Container, Found, Opened } from '../core/container.js'
import { exists, isDirectory, type FilePort } from '../core/file-port.js'
import { withFile } from '../core/file.js'
import { basename, dirname, join } from '../core/paths.js'
import { graphIn } from '../graph-def/scan.js'
import { openGraphDef } from '../graph-def/source.js'
import type { OpenOptions } from '../core/source.js'
import { wrapSource } from '../core/container.js'
import { nameObjects } from '../tf-bundle/object-graph.js'
import { openBundle } from '../tf-bundle/source.js'
import { WireReader } from '../tf-proto/wire.js'
import { readMetaGraph, type MetaGraph } from './meta-graph.js'

/** A SavedModel or a TF-Hub module: saved_model.pb, and a checkpoint in variables/. */

const FILE = 'saved_model.pb'
const META_GRAPHS = 2
/** Graphs, one for each set of tags: models have one or two. */
const MAX_META_GRAPHS = 64

/** Meta graphs of a SavedModel, one per set of tags. */
const readSavedModel = (files: FilePort, path: string): MetaGraph[] =>
  withFile(files, path, (file) => {
    if (file.size === 0)
      throw malformed('saved_model.pb is empty', {
        code: 'file-truncated',
        file: path,
        offset: 0,
        hint: 'fetch it again',
      })
    const wire = new WireReader(file, 'SavedModel')
    const graphs: MetaGraph[] = []
    for (const { number, start, end } of wire.fields(0, file.size)) {
      if (number !== META_GRAPHS) continue
      if (graphs.push(readMetaGraph(wire, start, end)) > MAX_META_GRAPHS)
        throw wire.fail(`more than ${MAX_META_GRAPHS} graphs`, start, 'limit-exceeded')
    }
    if (graphs.length === 0)
      throw malformed('saved_model.pb holds no graph', { code: 'header-invalid', file: path, offset: 0 })
    return graphs
  })

/** Note for the user: version of TensorFlow, tags and signatures. */
function describe(graphs: readonly MetaGraph[], isHub: boolean): string {
  const version = graphs.find((graph) => graph.version !== null)?.version
  const list = (names: readonly string[]): string => [...new Set(names)].join(', ')
  const tags = list(graphs.flatMap((graph) => graph.tags))
  const signatures = list(graphs.flatMap((graph) => graph.signatures))
  return [
    isHub ? 'a TF-Hub module' : 'a SavedModel',
    version === undefined || version === null ? '' : ` of TensorFlow ${version}`,
    tags === '' ? '' : `, tags ${tags}`,
    signatures === '' ? '' : `, signatures ${signatures}`,
  ].join('')
}

function open(files: FilePort, directory: string, options: OpenOptions): Opened {
  const path = join(directory, FILE)
  const graphs = readSavedModel(files, path)
  const notes = [describe(graphs, exists(files, join(directory, 'tfhub_module.pb')))]
  const prefix = join(directory, 'variables', 'variables')
  const graph = graphs.find((g) => g.graph !== null)?.graph ?? null
  if (exists(files, `${prefix}.index`)) {
    const names = graphs.find((g) => g.variables.size > 0)?.variables
    const source = wrapSource(nameObjects(openBundle(files, prefix, options), names), {
      notes,
      graph: graph === null ? undefined : graphIn(files, path, graph),
    })
    return { source: { ...source, format: 'saved-model', files: [path, ...source.files] } }
  }
  if (hasData(files, join(directory, 'variables')))
    throw malformed('the .index file of the variables is missing', {
      code: 'file-missing',
      file: `${prefix}.index`,
      hint: WHOLE,
    })
  if (graph === null)
    throw unsupported('the SavedModel has no variables and no graph', { code: 'not-a-model', file: path })
  try {
    const source = wrapSource(openGraphDef(files, path, graph), { notes })
    return { source: { ...source, format: 'saved-model' } }
  } catch (error) {
    throw malformed('the variables of the SavedModel are missing', {
      code: 'file-missing',
      file: `${prefix}.index`,
      hint: WHOLE,
      cause: error,
    })
  }
}

const WHOLE = 'a SavedModel is saved_model.pb and the folder variables/ together'

const hasData = (files: FilePort, directory: string): boolean =>
  isDirectory(files, directory) && files.list(directory).some((name) => name.startsWith('variables.data-'))

/** The SavedModel in `directory`; configuration and vocabulary are searched in it, in its parent, and in its assets. */
function found(files: FilePort, directory: string): Found {
  const assets = join(directory, 'assets')
  return {
    directories: [directory, dirname(directory), ...(isDirectory(files, assets) ? [assets] : [])],
    notes: [],
    open: (options) => open(files, directory, options),
  }
}

export const savedModel: Container = {
  title: 'a SavedModel or TF-Hub module (saved_model.pb with variables/)',
  byName: (files, path) => (basename(path) === FILE ? found(files, dirname(path)) : null),
  inDirectory: (files, directory, names) => (names.includes(FILE) ? found(files, directory) : null),
  incomplete(_, directory, names) {
    if (names.includes('saved_model.pbtxt'))
      return unsupported('a SavedModel in text form is not read', {
        code: 'format-unsupported',
        file: join(directory, 'saved_model.pbtxt'),
        hint: 'give its checkpoint: variables/variables',
      })
    return null
  },
}

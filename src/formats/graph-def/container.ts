import { basename, dirname, join } from 'node:path'
import { unsupported, usage } from '../../errors.js'
import type { Container, Found } from '../container.js'
import { openGraphDef } from './source.js'

/** Files of a SavedModel and of a Hub module that hold no graph of their own. */
const NOT_GRAPHS = new Set(['saved_model.pb', 'fingerprint.pb', 'tfhub_module.pb', 'keras_metadata.pb'])

const isGraph = (name: string): boolean => name.endsWith('.pb') && !NOT_GRAPHS.has(name)

const found = (path: string): Found => ({
  directories: [dirname(path)],
  notes: [],
  open: () => ({ source: openGraphDef(path) }),
})

export const graphDef: Container = {
  title: 'a frozen TensorFlow graph (.pb)',
  byName(path) {
    const name = basename(path)
    if (name.endsWith('.pbtxt'))
      throw unsupported('graphs in text form are not read', { file: path, hint: 'save the graph as .pb' })
    return isGraph(name) ? found(path) : null
  },
  inDirectory(directory, names) {
    const graphs = names.filter(isGraph).sort()
    const [graph] = graphs
    if (graph === undefined) return null
    if (graphs.length === 1) return found(join(directory, graph))
    throw usage(`${directory} holds several graphs: ${graphs.join(', ')}`, { hint: 'give the one you mean' })
  },
}
